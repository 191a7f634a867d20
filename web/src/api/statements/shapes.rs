//! A statement as the API describes it: as it is kept, and beside it what only the box knows.

use lectern_lms::{Person, PersonId, Whose};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// A statement, and to whom and what it points
#[derive(Serialize, ToSchema)]
#[schema(as = StatementItem)]
pub(in crate::api) struct StatementOut {
    /// Its id
    pub id: Uuid,
    /// When the box stored it
    #[schema(format = DateTime)]
    pub stored: String,
    /// When it happened, by whoever says so
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Who did it
    pub actor: ActorOut,
    /// The video of this box that it is about, when the reader may know of it and it is still here
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoName>,
    /// Whether it was taken back
    pub voided: bool,
    /// The statement, as the record store serves it
    #[schema(value_type = Object)]
    pub statement: Box<RawValue>,
    /// Whose record it is part of, for the audit
    #[serde(skip)]
    pub whose: Vec<Whose>,
}

/// To whom an actor points
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StatementActor)]
pub(in crate::api) struct ActorOut {
    /// Whether the box knows them
    pub kind: ActorKind,
    /// Which person, when it is one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
}

/// Whether the box knows an actor
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum ActorKind {
    /// One of its people
    Person,
    /// A device that nobody signed in on
    Device,
    /// An account of this box that points at nobody any more
    Erased,
    /// Somebody or something from elsewhere: what the statement itself says
    Other,
}

/// A person by name
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PersonName)]
pub(in crate::api) struct PersonName {
    /// Their id
    #[schema(value_type = Uuid)]
    pub id: PersonId,
    /// As others read it
    pub name: String,
}

/// A video by title
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = VideoName)]
pub(in crate::api) struct VideoName {
    /// Its id
    #[schema(value_type = Uuid)]
    pub id: String,
    /// Its title now
    pub title: String,
}

impl From<&Person> for PersonName {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id,
            name: person.display_name.clone(),
        }
    }
}
