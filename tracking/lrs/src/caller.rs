//! Who calls, as the LRS needs to know it: a name for the log, an authority for the statements, scopes, and for
//! viewing and API tokens the bounds of what they may write. Authentication happened before.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use lectern_xapi::{Actor, Ifi, Object, Statement};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// Its name in the log: `credential:…`, `device:…`, `token:…`.
    pub credential: String,
    /// The Agent that vouches for its statements.
    pub authority: serde_json::Value,
    /// What it may do.
    pub scopes: Scopes,
    /// The one learner it may write for, if it is a learner's token.
    pub bound: Option<Bound>,
}

/// What a learner's token may write about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The learner.
    pub actor: Ifi,
    /// A viewing's registration; `None` for any of the learner's.
    pub registration: Option<Uuid>,
    /// A viewing's Activity; `None` for any.
    pub activity: Option<String>,
}

/// One permission, after xAPI's OAuth scopes (Comm 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Write statements.
    #[serde(rename = "statements/write")]
    StatementsWrite,
    /// Read the statements that this credential wrote.
    #[serde(rename = "statements/read/mine")]
    StatementsReadMine,
    /// Read all statements.
    #[serde(rename = "statements/read")]
    StatementsRead,
    /// Read and write State documents.
    #[serde(rename = "state")]
    State,
    /// Say what Activities are.
    #[serde(rename = "define")]
    Define,
    /// Read and write Agent and Activity Profile documents.
    #[serde(rename = "profile")]
    Profile,
    /// Read everything.
    #[serde(rename = "all/read")]
    AllRead,
    /// Everything.
    #[serde(rename = "all")]
    All,
}

impl Scope {
    /// All scopes with their names.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::StatementsWrite, "statements/write"),
        (Self::StatementsReadMine, "statements/read/mine"),
        (Self::StatementsRead, "statements/read"),
        (Self::State, "state"),
        (Self::Define, "define"),
        (Self::Profile, "profile"),
        (Self::AllRead, "all/read"),
        (Self::All, "all"),
    ];
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(scope, _)| scope == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found
            .map(|(scope, _)| *scope)
            .ok_or_else(|| format!("{text:?} is no scope"))
    }
}

/// A set of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Default for Scopes {
    /// What a new credential gets: writing, and reading its own.
    fn default() -> Self {
        Self::from_iter([Scope::StatementsWrite, Scope::StatementsReadMine])
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl Scopes {
    /// Whether one of `wanted`, or `all`, is among them.
    pub fn any(&self, wanted: &[Scope]) -> bool {
        self.0.contains(&Scope::All) || wanted.iter().any(|scope| self.0.contains(scope))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

/// How much a caller may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    All,
    Mine,
}

/// What the credential of statements from files is called.
const IMPORT: &str = "import";

impl Caller {
    /// Who takes statements in from files. They are vouched for by the box's "import", whoever gave the file: the audit log
    /// says who.
    pub fn importing(identity: &str) -> Self {
        Self {
            credential: IMPORT.to_owned(),
            authority: Ifi::account(identity, IMPORT).to_value(),
            scopes: Scopes::from_iter([Scope::StatementsWrite, Scope::Define]),
            bound: None,
        }
    }

    /// What a learner's own device holds while watching: it writes statements and State within its bounds, and
    /// reads nothing but that State. Its authority is the device, never the box.
    pub fn device(bound: Bound) -> Self {
        Self::of(bound, "device", [Scope::StatementsWrite, Scope::State])
    }

    /// What a person's API token is here: it writes for that person and reads what it wrote.
    pub fn token(actor: Ifi) -> Self {
        let bound = Bound {
            actor,
            registration: None,
            activity: None,
        };
        let scopes = [
            Scope::StatementsWrite,
            Scope::StatementsReadMine,
            Scope::State,
        ];
        Self::of(bound, "token", scopes)
    }

    fn of(bound: Bound, kind: &str, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let (home_page, name) = match &bound.actor {
            Ifi::Account { home_page, name } => (home_page.clone(), name.clone()),
            other => ("about:blank".to_owned(), other.key()),
        };
        let name = format!("{kind}:{name}");
        Self {
            authority: Ifi::account(home_page, name.clone()).to_value(),
            credential: name,
            scopes: scopes.into_iter().collect(),
            bound: Some(bound),
        }
    }

    pub(crate) fn must(&self, wanted: &[Scope]) -> Result<(), Error> {
        if self.scopes.any(wanted) {
            return Ok(());
        }
        let names: Vec<String> = wanted.iter().map(Scope::to_string).collect();
        Err(Error::Forbidden(format!(
            "this needs the scope {}",
            names.join(" or ")
        )))
    }

    pub(crate) fn reading(&self) -> Result<Reading, Error> {
        if self.bound.is_none() && self.scopes.any(&[Scope::StatementsRead, Scope::AllRead]) {
            return Ok(Reading::All);
        }
        self.must(&[
            Scope::StatementsReadMine,
            Scope::StatementsRead,
            Scope::AllRead,
        ])?;
        Ok(Reading::Mine)
    }

    /// Whether it may write this statement.
    pub(crate) fn may_write(&self, statement: &Statement) -> Result<(), Error> {
        self.must(&[Scope::StatementsWrite])?;
        let Some(bound) = &self.bound else {
            return Ok(());
        };
        let refuse = |what: &str| Err(Error::Forbidden(what.to_owned()));
        // A Group may go by the learner's identifier and still hold others.
        let is_own =
            matches!(&statement.actor, Actor::Agent(agent) if agent.ifi.key() == bound.actor.key());
        if !is_own {
            return refuse("this token may only write statements of its own actor, an Agent");
        }
        if statement.verb.id == lectern_xapi::video::iri::verb::VOIDED {
            return refuse("this token may not void statements");
        }
        if matches!(
            statement.object,
            Object::StatementRef(_) | Object::SubStatement(_)
        ) {
            return refuse("this token may only write statements about an Activity");
        }
        bound.admits(statement.activity_id(), statement.registration())
    }
}

impl Bound {
    /// Whether Activity and registration lie within it.
    pub(crate) fn admits(
        &self,
        activity: Option<&str>,
        registration: Option<Uuid>,
    ) -> Result<(), Error> {
        if self.activity.is_some() && self.activity.as_deref() != activity {
            return Err(Error::Forbidden(
                "this token may only be used for its own activity".to_owned(),
            ));
        }
        if self.registration.is_some() && self.registration != registration {
            return Err(Error::Forbidden(
                "this token may only be used for its own registration".to_owned(),
            ));
        }
        Ok(())
    }
}
