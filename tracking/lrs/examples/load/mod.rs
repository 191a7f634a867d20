//! The load of benchmarks: 2,000 viewings at once of 20,000 learners and 2,000 videos, a statement of about 1 kB at each
//! pause, twenty a viewing, in the order in which chance lets them pause; and the pages that are asked of a store that is
//! full of it.

use std::fmt::Write;
use std::sync::Mutex;

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

/// Somebody before a video.
struct Viewing {
    who: usize,
    what: usize,
    session: Uuid,
    /// When it is, in this viewing: it went by faster than this bench does.
    now: Timestamp,
    place: usize,
    /// `played-segments` so far.
    played: String,
    statements: usize,
}

/// Viewings that go on at once.
const SEATS: usize = 2_000;
/// Statements of one viewing.
const STATEMENTS: usize = 20;
static VIEWINGS: Mutex<Vec<Viewing>> = Mutex::new(Vec::new());

impl Viewing {
    fn new() -> Self {
        Self {
            who: random(LEARNERS),
            what: random(VIDEOS),
            session: Uuid::new_v4(),
            now: Timestamp::now() - SignedDuration::from_hours(1),
            place: random(1_000),
            played: String::new(),
            statements: 0,
        }
    }

    /// Somebody watches on for a while, and the player says so.
    fn watch_on(&mut self) {
        let (from, length) = (self.place, 5 + random(40));
        self.place = (from + length) % 2_700;
        if self.place < from {
            self.place = random(60);
        } else {
            let comma = if self.played.is_empty() { "" } else { "[,]" };
            write!(self.played, "{comma}{from}[.]{}", self.place).unwrap();
        }
        self.now += SignedDuration::from_secs(length as i64 + 1);
        self.statements += 1;
    }
}

/// What one of the viewings says next.
fn statement(out: &mut String) {
    let mut viewings = VIEWINGS.lock().unwrap();
    if viewings.len() < SEATS {
        viewings.push(Viewing::new());
    }
    let seat = random(viewings.len());
    let viewing = &mut viewings[seat];
    if viewing.statements == STATEMENTS {
        *viewing = Viewing::new();
    }
    viewing.watch_on();
    let Viewing {
        who,
        what,
        session,
        now,
        place,
        ref played,
        ..
    } = *viewing;
    let extensions = "https://w3id.org/xapi/video/extensions";
    write!(
        out,
        r#"{{"id":"{}","actor":{},"verb":{{"id":"{}","display":{{"en":"paused"}}}},"object":{{"id":"{}","definition":{{"type":"https://w3id.org/xapi/video/activity-type/video","name":{{"en":"Lecture {what}"}}}}}},"result":{{"extensions":{{"{extensions}/time":{place}.5,"{extensions}/progress":0.{},"{extensions}/played-segments":"{played}"}}}},"context":{{"registration":"{}","revision":"1","contextActivities":{{"category":[{{"id":"https://w3id.org/xapi/video"}}]}},"extensions":{{"{extensions}/length":2700.0,"{extensions}/session-id":"{session}"}}}},"timestamp":"{now}"}}"#,
        Uuid::new_v4(),
        agent(who),
        verb(),
        activity(what),
        random(1000),
        registration(who, what),
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
