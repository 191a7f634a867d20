//! `GET /activities` and `GET /agents` (Comm 2.4, 2.5): what the LRS knows of an Activity and of a person.

use lectern_store::Json;
use lectern_xapi::{Ifi, is_iri, parse_agent};
use serde_json::{Value, json};

use crate::caller::{Caller, Scope};
use crate::definitions::{DEFINITIONS, NAMES, hash};
use crate::error::Error;
use crate::lrs::Lrs;

/// Names given for one person at most.
const MAX_NAMES: usize = 100;

impl Lrs {
    /// The Activity object with its merged definition; one never heard of has its id only.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Forbidden`], [`Error::Store`].
    pub fn get_activity(
        &self,
        caller: &Caller,
        parameters: &[(String, String)],
    ) -> Result<String, Error> {
        caller.must(&READERS)?;
        let id = only(parameters, "activityId", "Comm 2.5")?;
        if !is_iri(id) {
            return Err(Error::parameter(
                "activityId",
                "Comm 2.5",
                "is no IRI with a scheme",
            ));
        }
        if let Some(bound) = &caller.bound {
            bound.admits(Some(id), bound.registration)?;
        }
        // Definitions and names follow with the tables.
        self.settle();
        let known = self.store().snapshot()?.get(&DEFINITIONS, &id.to_owned())?;
        let head = json!({ "objectType": "Activity", "id": id }).to_string();
        Ok(match known {
            None => head,
            // The definition is JSON already; its numbers stay as they were sent.
            Some(Json(known)) => format!(
                "{},\"definition\":{}}}",
                head.trim_end_matches('}'),
                known.definition
            ),
        })
    }

    /// The Person object: the identifier asked for and the names that went with it, each in an array.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Forbidden`], [`Error::Store`].
    pub fn get_person(
        &self,
        caller: &Caller,
        parameters: &[(String, String)],
    ) -> Result<Value, Error> {
        caller.must(&READERS)?;
        let agent = parse_agent(only(parameters, "agent", "Comm 2.4")?, "agent")?;
        let Some(ifi) = agent.ifi() else {
            return Err(Error::parameter(
                "agent",
                "Comm 2.4",
                "must have an identifier",
            ));
        };
        if caller
            .bound
            .as_ref()
            .is_some_and(|bound| bound.actor.key() != ifi.key())
        {
            return Err(Error::Forbidden(
                "this token may only ask for its own actor".to_owned(),
            ));
        }
        self.settle();
        let mut names = Vec::new();
        let key = hash(ifi.key().as_bytes());
        for row in self
            .store()
            .snapshot()?
            .prefix(&NAMES, &key)?
            .take(MAX_NAMES)
        {
            let ((_, name), ()) = row?;
            names.push(name);
        }
        let asked = agent
            .name()
            .filter(|name| !names.iter().any(|known| known == name));
        names.extend(asked.map(str::to_owned));
        let mut person = json!({ "objectType": "Person" });
        if !names.is_empty() {
            person["name"] = json!(names);
        }
        match ifi {
            Ifi::Mbox(mbox) => person["mbox"] = json!([mbox]),
            Ifi::MboxSha1(sum) => person["mbox_sha1sum"] = json!([sum]),
            Ifi::OpenId(id) => person["openid"] = json!([id]),
            Ifi::Account { home_page, name } => {
                person["account"] = json!([{ "homePage": home_page, "name": name }]);
            }
        }
        Ok(person)
    }
}

const READERS: [Scope; 5] = [
    Scope::StatementsRead,
    Scope::StatementsReadMine,
    Scope::State,
    Scope::Profile,
    Scope::AllRead,
];

/// The one parameter that a resource takes.
fn only<'p>(
    parameters: &'p [(String, String)],
    wanted: &str,
    clause: &'static str,
) -> Result<&'p str, Error> {
    match parameters {
        [(name, value)] if name == wanted => Ok(value),
        [] => Err(Error::parameter(wanted, clause, "must be given")),
        [(name, _), ..] => Err(Error::parameter(
            name,
            clause,
            format!("only {wanted} may be given, once"),
        )),
    }
}
