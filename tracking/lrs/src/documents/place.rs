//! Where a document lies: what the query parameters of the three resources say.

use jiff::Timestamp;
use lectern_xapi::{Ifi, Version, is_iri, parse_agent, parse_timestamp, parse_uuid};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::caller::{Caller, Scope};
use crate::error::Error;

/// Names longer than this are refused.
const MAX_ID_BYTES: usize = 1000;

/// One of the three document resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// `activities/state`
    State,
    /// `activities/profile`
    ActivityProfile,
    /// `agents/profile`
    AgentProfile,
}

/// Where documents lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentPlace {
    /// Of an Agent in an Activity; with and without a registration are two places.
    State {
        /// The Activity.
        activity: String,
        /// The Agent.
        agent: Ifi,
        /// The registration.
        registration: Option<Uuid>,
    },
    /// Of an Activity.
    ActivityProfile {
        /// The Activity.
        activity: String,
    },
    /// Of an Agent.
    AgentProfile {
        /// The Agent.
        agent: Ifi,
    },
}

/// A document request's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRequest {
    /// Where.
    pub place: DocumentPlace,
    /// Which; absent to list or to delete all.
    pub id: Option<String>,
    /// Only documents written after this are listed.
    pub since: Option<Timestamp>,
}

impl DocumentRequest {
    /// Reads the query parameters of a resource, strictly.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn parse(
        resource: Resource,
        parameters: &[(String, String)],
        version: Version,
    ) -> Result<Self, Error> {
        let (clause, id_name) = match resource {
            Resource::State => ("Comm 2.3", "stateId"),
            Resource::ActivityProfile => ("Comm 2.7", "profileId"),
            Resource::AgentProfile => ("Comm 2.6", "profileId"),
        };
        let of_agent = resource != Resource::ActivityProfile;
        let of_activity = resource != Resource::AgentProfile;
        let (mut activity, mut agent, mut registration) = (None, None, None);
        let (mut id, mut since) = (None, None);
        for (index, (name, value)) in parameters.iter().enumerate() {
            let wrong = |message: &str| Error::parameter(name, clause, message);
            if parameters
                .iter()
                .take(index)
                .any(|(other, _)| other == name)
            {
                return Err(wrong("is given twice"));
            }
            match name.as_str() {
                "activityId" if of_activity => {
                    if !is_iri(value) {
                        return Err(wrong("is no IRI with a scheme"));
                    }
                    activity = Some(value.clone());
                }
                "agent" if of_agent => agent = parse_agent(value, "agent")?.ifi().cloned(),
                "registration" if resource == Resource::State => {
                    registration = Some(parse_uuid(value).ok_or_else(|| wrong("is no UUID"))?);
                }
                "since" => {
                    let time = parse_timestamp(value, version);
                    since = Some(time.ok_or_else(|| wrong("is no timestamp"))?);
                }
                name if name == id_name => {
                    if value.is_empty() || value.len() > MAX_ID_BYTES {
                        return Err(wrong("must hold 1 to 1000 bytes"));
                    }
                    id = Some(value.clone());
                }
                _ => return Err(wrong("is no parameter of this resource (case counts)")),
            }
        }
        let needed = |name: &str| Error::parameter(name, clause, "must be given");
        let place = match resource {
            Resource::State => DocumentPlace::State {
                activity: activity.ok_or_else(|| needed("activityId"))?,
                agent: agent.ok_or_else(|| needed("agent"))?,
                registration,
            },
            Resource::ActivityProfile => DocumentPlace::ActivityProfile {
                activity: activity.ok_or_else(|| needed("activityId"))?,
            },
            Resource::AgentProfile => DocumentPlace::AgentProfile {
                agent: agent.ok_or_else(|| needed("agent"))?,
            },
        };
        Ok(Self { place, id, since })
    }

    pub(super) fn key(&self) -> Result<([u8; 32], String), Error> {
        let name = match self.place.resource() {
            Resource::State => "stateId",
            _ => "profileId",
        };
        let id = self.id.clone();
        let id = id.ok_or_else(|| Error::parameter(name, "Comm 2.2", "must be given"))?;
        Ok((self.place.hash(), id))
    }
}

impl DocumentPlace {
    /// Which resource it belongs to.
    pub fn resource(&self) -> Resource {
        match self {
            Self::State { .. } => Resource::State,
            Self::ActivityProfile { .. } => Resource::ActivityProfile,
            Self::AgentProfile { .. } => Resource::AgentProfile,
        }
    }

    /// Whose it is.
    pub(super) fn agent(&self) -> Option<&Ifi> {
        match self {
            Self::State { agent, .. } | Self::AgentProfile { agent } => Some(agent),
            Self::ActivityProfile { .. } => None,
        }
    }

    /// [`Self::agent`] as a key of fixed length.
    pub(super) fn owner(&self) -> Option<[u8; 32]> {
        self.agent().map(|agent| owner_of(&agent.key()))
    }

    /// A key of fixed length. No part holds a zero byte where the next begins, so no two places share one.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        match self {
            Self::State {
                activity,
                agent,
                registration,
            } => {
                hash.update(b"state\0");
                hash.update(activity.as_bytes());
                hash.update(b"\0");
                hash.update(registration.map_or([0; 16], Uuid::into_bytes));
                hash.update(agent.key().as_bytes());
            }
            Self::ActivityProfile { activity } => {
                hash.update(b"activity\0");
                hash.update(activity.as_bytes());
            }
            Self::AgentProfile { agent } => {
                hash.update(b"agent\0");
                hash.update(agent.key().as_bytes());
            }
        }
        hash.finalize().into()
    }

    pub(super) fn may_read(&self, caller: &Caller) -> Result<(), Error> {
        let wanted = match self.resource() {
            Resource::State => [Scope::State, Scope::AllRead],
            _ => [Scope::Profile, Scope::AllRead],
        };
        caller.must(&wanted)?;
        self.is_within(caller)
    }

    pub(super) fn may_write(&self, caller: &Caller) -> Result<(), Error> {
        let wanted = match self.resource() {
            Resource::State => Scope::State,
            _ => Scope::Profile,
        };
        caller.must(&[wanted])?;
        self.is_within(caller)
    }

    fn is_within(&self, caller: &Caller) -> Result<(), Error> {
        let Some(bound) = &caller.bound else {
            return Ok(());
        };
        let own = |agent: &Ifi| {
            if agent.key() == bound.actor.key() {
                return Ok(());
            }
            Err(Error::Forbidden(
                "this token may only be used for its own actor".to_owned(),
            ))
        };
        match self {
            Self::State {
                activity,
                agent,
                registration,
            } => {
                own(agent)?;
                bound.admits(Some(activity), *registration)
            }
            Self::AgentProfile { agent } => own(agent),
            Self::ActivityProfile { .. } => Err(Error::Forbidden(
                "this token may not be used for an activity's profile".to_owned(),
            )),
        }
    }
}

/// An Agent, by [`Ifi::key`], as a key of fixed length.
pub(super) fn owner_of(agent: &str) -> [u8; 32] {
    Sha256::digest(agent.as_bytes()).into()
}
