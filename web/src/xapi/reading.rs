//! Readings of people's records, for the audit log: written down once the record was found, and before anything of it leaves.
//!
//! Who reads is a credential or a person with an API token; whose record it is, says the filter `agent`, for a single
//! statement its actor, and else it is everyone's. A learner's device and whoever reads their own record are no readers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern_lms::{Reading, Who};
use lectern_xapi::{Ifi, parse_agent};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::Asked;
use super::knock::Reader;
use crate::app::App;
use crate::problem::Problem;

/// Whose record it is when nobody was named.
const EVERYONE: &str = "everyone";
const STATEMENTS: &str = "xapi/statements";
/// Parameters that say how to answer, not what.
const FORM: [&str; 5] = ["agent", "format", "attachments", "limit", "ascending"];
/// Of each parameter in the entry.
const MAX_VALUE_CHARS: usize = 80;

/// What is to be written down.
pub(super) struct Note {
    app: App,
    who: String,
    reading: Reading,
}

impl Note {
    /// Writes it down; durable when it returns. Blocks.
    fn write(self) -> Result<(), Problem> {
        let now = self.app.now();
        let noted = self
            .app
            .lms
            .audit_readings(&self.who, vec![self.reading], now);
        Ok(noted?)
    }

    /// Begins to write it down on another thread; what comes back waits until it is durable. Within a runtime.
    pub fn begin(self) -> impl FnOnce() -> Result<(), Problem> + Send {
        let runtime = Handle::current();
        let noted = runtime.spawn_blocking(move || self.write());
        move || runtime.block_on(noted).map_err(Problem::internal)?
    }
}

/// Statements were found; `one` is the statement, when one was asked for by its id.
pub(super) fn of_statements(
    asked: &Asked,
    reader: &Reader,
    one: Option<&str>,
) -> Result<Option<Note>, Problem> {
    // A further page is asked for by what the first one was.
    let first = first_page(&asked.parameters);
    let parameters = first.as_deref().unwrap_or(&asked.parameters);
    let ifi = match one {
        Some(statement) => actor_of(statement),
        None => named(parameters),
    };
    note(asked, reader, ifi, STATEMENTS, parameters)
}

/// Something that is kept about the parameter `agent` was found.
pub(super) fn of_agent(asked: &Asked, reader: &Reader, resource: &str) -> Result<(), Problem> {
    let ifi = named(&asked.parameters);
    let note = note(asked, reader, ifi, resource, &asked.parameters)?;
    note.map_or(Ok(()), Note::write)
}

/// `None` when it is nobody else's record, or who reads is no reader.
fn note(
    asked: &Asked,
    reader: &Reader,
    ifi: Option<Ifi>,
    resource: &str,
    parameters: &[(String, String)],
) -> Result<Option<Note>, Problem> {
    let app = &asked.app;
    let who = match reader {
        Reader::Device => return Ok(None),
        // Without `agent` a token finds what it wrote itself, and that is about its person alone.
        Reader::Person(_) if ifi.is_none() => return Ok(None),
        Reader::Person(id) => id.to_string(),
        Reader::Credential(name) => name.clone(),
    };
    let on = match ifi {
        None => EVERYONE.to_owned(),
        Some(ifi) => whose(app, &ifi)?,
    };
    if on == who {
        return Ok(None);
    }
    let reading = Reading {
        on,
        resource: resource.to_owned(),
        filters: filters(parameters),
    };
    Ok(Some(Note {
        app: app.clone(),
        who,
        reading,
    }))
}

/// A person's id where an actor of this box points to one, else the identifier.
fn whose(app: &App, ifi: &Ifi) -> Result<String, Problem> {
    if let Ifi::Account { home_page, name } = ifi
        && *home_page == app.lms.identity()?
        && let Some(Who::Person(person)) = app.lms.who_is(name)?
    {
        return Ok(person.id.to_string());
    }
    // Without the word in front that says what kind of identifier it is.
    let key = ifi.key();
    Ok(key
        .split_once(' ')
        .map_or(key.as_str(), |(_, bare)| bare)
        .to_owned())
}

fn named(parameters: &[(String, String)]) -> Option<Ifi> {
    let (_, agent) = parameters.iter().find(|(name, _)| name == "agent")?;
    ifi(agent)
}

fn ifi(agent: &str) -> Option<Ifi> {
    parse_agent(agent, "agent").ok()?.ifi().cloned()
}

fn actor_of(json: &str) -> Option<Ifi> {
    #[derive(Deserialize)]
    struct OfActor<'a> {
        #[serde(borrow)]
        actor: &'a RawValue,
    }
    ifi(serde_json::from_str::<OfActor<'_>>(json).ok()?.actor.get())
}

/// The parameters of the first page, when this is a further one.
fn first_page(parameters: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let [(name, more)] = parameters else {
        return None;
    };
    let json = (name == "more").then(|| URL_SAFE_NO_PAD.decode(more).ok())??;
    let (_, first): (u64, Vec<(String, String)>) = serde_json::from_slice(&json).ok()?;
    Some(first)
}

fn filters(parameters: &[(String, String)]) -> String {
    let said = parameters
        .iter()
        .filter(|(name, _)| !FORM.contains(&name.as_str()))
        .map(|(name, value)| {
            let short: String = value.chars().take(MAX_VALUE_CHARS).collect();
            format!("{name}={short}")
        });
    said.collect::<Vec<_>>().join(" ")
}
