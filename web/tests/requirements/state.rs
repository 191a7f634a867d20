//! The parameters of one State document, for rows that need some document.

use crate::ask::Ask;

pub const STATE: [(&str, &str); 3] = [
    ("activityId", "http://activities/book"),
    ("agent", "{\"mbox\":\"mailto:a@example.com\"}"),
    ("stateId", "x"),
];

/// With all parameters of a State document.
pub fn with_all(mut ask: Ask) -> Ask {
    for (name, value) in STATE {
        ask = ask.with(name, value);
    }
    ask
}
