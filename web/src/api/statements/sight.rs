//! What of the record one reader may see, and what the box knows beside it: names, titles. One value for one request; what
//! it looked up it keeps. What is shown of somebody else is written down by [`Sight::audit`] before it is answered.

use std::collections::{BTreeSet, HashMap};

use lectern_library::{Video, VideoId};
use lectern_lms::{Person, PersonId, Role, Who, Whose};
use lectern_xapi::Ifi;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::shapes::{ActorKind, ActorOut, PersonName, StatementOut, VideoName};
use crate::access;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;

/// Letters of a UUID.
const ID_LETTERS: usize = 36;

/// What one reader sees.
pub(in crate::api) struct Sight<'a> {
    app: &'a App,
    caller: &'a Caller,
    identity: String,
    /// `{identity}/videos/`
    videos_at: String,
    /// Whether nothing is left out: an auditor, or somebody who reads their own record
    is_whole: bool,
    /// `None`: there is no such video (any more)
    videos: HashMap<VideoId, Option<Video>>,
    actors: HashMap<String, ActorOut>,
}

/// The parts of a statement that are looked at here.
#[derive(Deserialize)]
struct Head {
    id: Uuid,
    stored: String,
    timestamp: String,
    actor: Value,
    object: Value,
}

impl<'a> Sight<'a> {
    /// What this caller sees of others. Blocking.
    pub fn of(app: &'a App, caller: &'a Caller) -> Result<Self, Problem> {
        Self::new(app, caller, caller.is(Role::Auditor))
    }

    /// What they see of this person's record: of their own, all of it. Blocking.
    pub fn of_record(app: &'a App, caller: &'a Caller, whose: PersonId) -> Result<Self, Problem> {
        if whose == caller.id() {
            Self::of_oneself(app, caller)
        } else {
            Self::of(app, caller)
        }
    }

    /// What they see of themselves: all of it. Blocking.
    pub fn of_oneself(app: &'a App, caller: &'a Caller) -> Result<Self, Problem> {
        Self::new(app, caller, true)
    }

    fn new(app: &'a App, caller: &'a Caller, is_whole: bool) -> Result<Self, Problem> {
        let identity = app.lms.identity()?;
        Ok(Self {
            app,
            caller,
            videos_at: format!("{identity}/videos/"),
            identity,
            is_whole,
            videos: HashMap::new(),
            actors: HashMap::new(),
        })
    }

    /// The application.
    pub fn app(&self) -> &'a App {
        self.app
    }

    /// Who reads.
    pub fn reader(&self) -> &'a Person {
        &self.caller.person
    }

    /// The box's identity.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The statement with names, when it is for this reader. Blocking.
    pub fn shown(
        &mut self,
        raw: Box<RawValue>,
        voided: bool,
    ) -> Result<Option<StatementOut>, Problem> {
        let head: Head = serde_json::from_str(raw.get()).map_err(Problem::internal)?;
        if !self.is_whole && !self.may_see(&raw, &head)? {
            return Ok(None);
        }
        let video = match self.video_of(head.object["id"].as_str().unwrap_or_default()) {
            Some(id) => self.video(id)?.cloned(),
            None => None,
        };
        let video = video.filter(|video| access::may_see(video, Some(&self.caller.person)));
        Ok(Some(StatementOut {
            id: head.id,
            stored: head.stored,
            timestamp: head.timestamp,
            actor: self.actor(&head.actor)?,
            video: video.map(|video| VideoName {
                id: video.id.to_string(),
                title: video.title,
            }),
            voided,
            statement: raw,
            whose: self.whose(&head.actor)?,
        }))
    }

    /// Writes down whose records these are; what was not written down is not shown. Blocking.
    pub fn audit(&self, what: &str, read: &[StatementOut]) -> Result<(), Problem> {
        let whose: BTreeSet<Whose> = read.iter().flat_map(|one| one.whose.clone()).collect();
        let now = self.app.now();
        Ok(self
            .app
            .lms
            .audit_reading(self.caller.id(), what, whose, now)?)
    }

    /// Whether the records of individuals about this video are for this reader. Blocking.
    pub fn may_see_who(&mut self, id: VideoId) -> Result<bool, Problem> {
        if self.is_whole {
            return Ok(true);
        }
        let person = &self.caller.person;
        Ok(self
            .video(id)?
            .is_some_and(|video| access::may_see_who(video, Some(person))))
    }

    /// The video, when there is one. Blocking.
    pub fn video(&mut self, id: VideoId) -> Result<Option<&Video>, Problem> {
        let found = match self.videos.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(match self.app.library.video(id) {
                    Ok(video) => Some(video),
                    Err(lectern_library::Error::NotFound(_)) => None,
                    Err(error) => return Err(error.into()),
                })
            }
        };
        Ok(found.as_ref())
    }

    /// An instructor sees what they did themself, what names videos of this box that they may see the viewers of, and what
    /// names none: of an activity from elsewhere the box knows nothing narrower.
    fn may_see(&mut self, raw: &RawValue, head: &Head) -> Result<bool, Problem> {
        if self
            .actor(&head.actor)?
            .person
            .is_some_and(|person| person.id == self.caller.id())
        {
            return Ok(true);
        }
        let whole: Value = serde_json::from_str(raw.get()).map_err(Problem::internal)?;
        let mut named = BTreeSet::new();
        self.videos_in(&whole, &mut named);
        for id in named {
            if !self.may_see_who(id)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every video of this box that it names, wherever in it.
    fn videos_in(&self, value: &Value, found: &mut BTreeSet<VideoId>) {
        match value {
            Value::String(text) => found.extend(self.video_of(text)),
            Value::Array(items) => items.iter().for_each(|item| self.videos_in(item, found)),
            Value::Object(members) => members
                .values()
                .for_each(|member| self.videos_in(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The video of this box that an IRI names, or something of which it names.
    fn video_of(&self, iri: &str) -> Option<VideoId> {
        let rest = iri.strip_prefix(&self.videos_at)?;
        rest.get(..ID_LETTERS)?.parse().ok()
    }

    fn actor(&mut self, actor: &Value) -> Result<ActorOut, Problem> {
        let other = ActorOut {
            kind: ActorKind::Other,
            person: None,
        };
        let Some(Ifi::Account { home_page, name }) = identifier(actor) else {
            return Ok(other);
        };
        if home_page != self.identity {
            return Ok(other);
        }
        if let Some(known) = self.actors.get(&name) {
            return Ok(known.clone());
        }
        let (kind, person) = match self.app.lms.who_is(&name)? {
            Some(Who::Person(person)) => (ActorKind::Person, Some(PersonName::from(&*person))),
            Some(Who::Device) => (ActorKind::Device, None),
            None => (ActorKind::Erased, None),
        };
        let found = ActorOut { kind, person };
        self.actors.insert(name, found.clone());
        Ok(found)
    }

    /// The actor, or all who are in it when it is a Group.
    fn whose(&mut self, actor: &Value) -> Result<Vec<Whose>, Problem> {
        let members = actor["member"].as_array().into_iter().flatten();
        let mut whose = Vec::new();
        for one in std::iter::once(actor).chain(members) {
            let found = self.actor(one)?;
            match (found.kind, found.person, identifier(one)) {
                (ActorKind::Person, Some(person), _) => whose.push(Whose::Person(person.id)),
                (ActorKind::Other, _, Some(ifi)) => whose.push(Whose::Actor(ifi.key())),
                // A device, somebody who was erased, a Group without an identifier: nobody.
                _ => {}
            }
        }
        Ok(whose)
    }
}

fn identifier(actor: &Value) -> Option<Ifi> {
    let actor = lectern_xapi::parse_agent(&actor.to_string(), "actor").ok()?;
    actor.ifi().cloned()
}
