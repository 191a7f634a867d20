//! The load of benchmarks: what the player sends at a pause, about 1 kB, by learners about videos; and the pages that are
//! asked of a store that is full of it.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Home page of every account, and of every video.
pub const HOME: &str = "https://box.lectern.invalid";
const LEARNERS: usize = 20_000;
const VIDEOS: usize = 2_000;
const VERBS: [&str; 4] = ["played", "paused", "seeked", "terminated"];

/// So many statements as the body of a POST.
pub fn batch(statements: usize) -> String {
    let mut body = String::with_capacity(statements * 1024);
    body.push('[');
    for n in 0..statements {
        if n > 0 {
            body.push(',');
        }
        statement(&mut body);
    }
    body.push(']');
    body
}

fn statement(out: &mut String) {
    let (who, what) = (random(LEARNERS), random(VIDEOS));
    let extensions = "https://w3id.org/xapi/video/extensions";
    let (from, length) = (random(2000), random(300));
    write!(
        out,
        r#"{{"id":"{}","actor":{},"verb":{{"id":"{}","display":{{"en":"paused"}}}},"object":{{"id":"{}","definition":{{"type":"https://w3id.org/xapi/video/activity-type/video","name":{{"en":"Lecture {what}"}}}}}},"result":{{"extensions":{{"{extensions}/time":{}.5,"{extensions}/progress":0.{},"{extensions}/played-segments":"{from}[.]{}"}}}},"context":{{"registration":"{}","revision":"1","contextActivities":{{"category":[{{"id":"https://w3id.org/xapi/video"}}]}},"extensions":{{"{extensions}/length":2700.0,"{extensions}/session-id":"{}"}}}},"timestamp":"{}"}}"#,
        Uuid::new_v4(),
        agent(who),
        verb(),
        activity(what),
        from + length,
        random(1000),
        from + length,
        registration(who, what),
        Uuid::new_v4(),
        Timestamp::now(),
    )
    .unwrap();
}

/// Parameters of `GET /statements`.
pub type Filter = Vec<(&'static str, String)>;

/// A kind of filter: its name, and what makes one with random values.
pub type Named = (&'static str, fn() -> Filter);

/// Every kind of filter by its name, each time with other values.
pub fn filters() -> Vec<Named> {
    vec![
        ("none", Vec::new),
        ("agent", || vec![("agent", agent(random(LEARNERS)))]),
        ("verb", || vec![("verb", verb())]),
        ("activity", || vec![("activity", activity(random(VIDEOS)))]),
        ("registration", || {
            let (who, what) = (random(LEARNERS), random(VIDEOS));
            vec![("registration", registration(who, what).to_string())]
        }),
        ("agent verb", || {
            vec![("agent", agent(random(LEARNERS))), ("verb", verb())]
        }),
        ("activity verb", || {
            vec![("activity", activity(random(VIDEOS))), ("verb", verb())]
        }),
        ("agent activity", || {
            vec![
                ("agent", agent(random(LEARNERS))),
                ("activity", activity(random(VIDEOS))),
            ]
        }),
        ("related_agents", || {
            vec![
                ("agent", agent(random(LEARNERS))),
                ("related_agents", "true".to_owned()),
            ]
        }),
        ("related_activities", || {
            vec![
                ("activity", "https://w3id.org/xapi/video".to_owned()),
                ("related_activities", "true".to_owned()),
            ]
        }),
        ("since ascending", || {
            vec![("since", moment()), ("ascending", "true".to_owned())]
        }),
        ("until verb", || vec![("until", moment()), ("verb", verb())]),
    ]
}

fn agent(who: usize) -> String {
    format!(
        r#"{{"objectType":"Agent","account":{{"homePage":"{HOME}","name":"learner-{who:08x}"}}}}"#
    )
}

fn verb() -> String {
    let verb = VERBS[random(VERBS.len())];
    format!("https://w3id.org/xapi/video/verbs/{verb}")
}

fn activity(what: usize) -> String {
    format!("{HOME}/videos/{what}")
}

fn registration(who: usize, what: usize) -> Uuid {
    Uuid::from_u128((who * 20 + what % 20) as u128)
}

/// Some time in the last minute.
fn moment() -> String {
    (Timestamp::now() - SignedDuration::from_secs(random(60) as i64)).to_string()
}

fn random(below: usize) -> usize {
    rand::random_range(0..below)
}
