//! Asks the record store for what somebody wants to read, and leaves out what they may not.

use lectern_lrs::{Caller, MORE_PATH, Scope, Scopes};
use lectern_xapi::{Ifi, Version};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::shapes::StatementOut;
use super::sight::Sight;
use crate::problem::Problem;

/// Pages of the record store read for one of ours, when nothing in them is for whoever asks.
const MOST_EMPTY: usize = 8;
/// The version by whose rules we ask; statements of 1.0.3 are served as they are all the same.
const ASKED_IN: Version = Version::V2_0_0;

/// Which statements; those of the standard's filters that are named.
#[derive(Debug, Clone, Default)]
pub(in crate::api) struct Wanted {
    /// An Agent as JSON
    pub agent: Option<String>,
    /// IRI
    pub verb: Option<String>,
    /// IRI
    pub activity: Option<String>,
    /// Registration
    pub registration: Option<Uuid>,
    /// Exclusive
    pub since: Option<String>,
    /// Inclusive
    pub until: Option<String>,
    /// Oldest first
    pub ascending: bool,
    /// Most of them
    pub limit: usize,
}

/// Some of them.
pub(in crate::api) struct Page {
    pub items: Vec<StatementOut>,
    /// What the record store goes on with
    pub next: Option<String>,
}

/// `{"statements": […], "more": "…"}`.
#[derive(Deserialize)]
struct Answer {
    statements: Vec<Box<RawValue>>,
    more: String,
}

impl Wanted {
    /// A page of those that are for this reader; after another when its `next` is given. Blocking.
    pub fn page(&self, sight: &mut Sight<'_>, mut after: Option<String>) -> Result<Page, Problem> {
        let mut items = Vec::new();
        for _ in 0..MOST_EMPTY {
            let parameters = match after {
                Some(more) => vec![("more".to_owned(), more)],
                None => self.parameters(),
            };
            let answer =
                sight
                    .app()
                    .lrs
                    .get_statements(&reader(sight), ASKED_IN, &parameters, None)?;
            let answer: Answer = serde_json::from_str(&answer.json).map_err(Problem::internal)?;
            after = answer.more.strip_prefix(MORE_PATH).map(ToOwned::to_owned);
            for statement in answer.statements {
                items.extend(sight.shown(statement, false)?);
            }
            if after.is_none() || !items.is_empty() {
                break;
            }
        }
        Ok(Page { items, next: after })
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let named = [
            ("agent", self.agent.clone()),
            ("verb", self.verb.clone()),
            ("activity", self.activity.clone()),
            ("registration", self.registration.map(|id| id.to_string())),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("ascending", self.ascending.then(|| "true".to_owned())),
            ("limit", Some(self.limit.to_string())),
        ];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// One, also when it was taken back; `None` when there is none for this reader. Blocking.
pub(super) fn one(sight: &mut Sight<'_>, id: Uuid) -> Result<Option<StatementOut>, Problem> {
    for (parameter, voided) in [("statementId", false), ("voidedStatementId", true)] {
        let parameters = [(parameter.to_owned(), id.to_string())];
        let found = sight
            .app()
            .lrs
            .get_statements(&reader(sight), ASKED_IN, &parameters, None);
        match found {
            Ok(answer) => {
                let raw = RawValue::from_string(answer.json).map_err(Problem::internal)?;
                return sight.shown(raw, voided);
            }
            Err(lectern_lrs::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// One of the box's people as an xAPI Agent.
pub(in crate::api) fn account_agent(identity: &str, actor: &str) -> String {
    Ifi::account(identity, actor).to_value().to_string()
}

/// The pages read everything; what of it is shown is `sight`'s.
fn reader(sight: &Sight<'_>) -> Caller {
    let name = "pages";
    Caller {
        credential: name.to_owned(),
        authority: Ifi::account(sight.identity(), name).to_value(),
        scopes: Scopes::from_iter([Scope::StatementsRead]),
        bound: None,
    }
}
