//! What Activities are (Data 2.4.4.1, "LRS requirements"; Comm 2.5), added up over all statements whose sender may
//! define; and by which names an Agent went (Comm 2.4). A fold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use lectern_store::{Error, Json, Table, Tx};
use lectern_xapi::json::Json as Tree;
use lectern_xapi::{Activity, Agent, Object, Statement, form};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::entry::Entry;
use crate::erasure::Erased;
use crate::fold::Fold;
use crate::index::Term;

/// Activity id to what is known of it.
pub(crate) const DEFINITIONS: Table<String, Json<Known>> = Table::new("lrs.definitions");
/// (Hash of an Agent's identifier, name).
pub(crate) const NAMES: Table<(u64, String), ()> = Table::new("lrs.names");

/// What was known of an Activity when statements that said so were erased.
const KEPT: Table<String, Json<Kept>> = Table::new("lrs.definitions.kept");

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    known: Known,
    /// It has what every statement up to here said.
    through: u64,
}

/// Names longer than this are not kept beside the Agent.
const MAX_NAME_BYTES: usize = 500;
const DEPTH: usize = 64;

/// What is known of an Activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The merged definition, as JSON text.
    pub definition: String,
    /// Hash of the one that was merged last: the next is most often the same.
    pub last: u64,
}

/// The fold.
#[derive(Default)]
pub(crate) struct Definitions {
    /// Most statements say of an Activity what the one before said.
    merged: Mutex<HashMap<u64, Merged>>,
}

/// What was merged last of an Activity, or was found to be.
struct Merged {
    fingerprint: u64,
    /// Of which statement. One that is not earlier than the one at hand is of a transaction that was given up.
    sequence: u64,
}

/// Activities remembered.
const MAX_MERGED: usize = 4_096;

impl Fold for Definitions {
    fn name(&self) -> &'static str {
        "lrs.definitions.1"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        for activity in activities(statement) {
            let Some(definition) = &activity.definition else {
                continue;
            };
            let (key, fingerprint) = (hash_of(&activity.id), hash_of(definition));
            let is_known = merged.get(&key).is_some_and(|known| {
                known.fingerprint == fingerprint && known.sequence < entry.sequence
            });
            if is_known || !define(tx, entry, activity)? {
                continue;
            }
            if merged.len() >= MAX_MERGED {
                merged.clear();
            }
            merged.insert(
                key,
                Merged {
                    fingerprint,
                    sequence: entry.sequence,
                },
            );
        }
        drop(merged);
        name(tx, statement)
    }

    /// What an Activity is stays known as long as a statement speaks of it, whoever said so: it says nothing about the
    /// speaker. Since the log does not say it any more, it is kept apart from there on. Names go with the last statement
    /// that has them.
    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        // It must not take for known what is forgotten.
        self.forget_merged();
        let (mut spoken_of, mut named) = (BTreeMap::<&str, bool>::new(), BTreeSet::new());
        for (entry, statement) in erased.statements() {
            for activity in activities(statement) {
                let defined = entry.defines && activity.definition.is_some();
                *spoken_of.entry(&activity.id).or_default() |= defined;
            }
            for agent in agents(statement) {
                named.extend(agent.name.clone().map(|name| (agent.ifi.key(), name)));
            }
        }
        for (id, defined) in spoken_of {
            let id = id.to_owned();
            let Some(Json(known)) = tx.get(&DEFINITIONS, &id)? else {
                continue;
            };
            let terms = [Term::Activity(&id), Term::RelatedActivity(&id)];
            if !erased.any_other(&terms, |_| true)? {
                tx.remove(&DEFINITIONS, &id)?;
                tx.remove(&KEPT, &id)?;
            } else if defined {
                let through = erased.through;
                tx.insert(&KEPT, &id, &Json(Kept { known, through }))?;
            }
        }
        for (key, name) in named {
            let row = (hash(key.as_bytes()), name);
            if !tx.contains(&NAMES, &row)? {
                continue;
            }
            let is_said = |statement: &Statement| {
                agents(statement)
                    .any(|agent| agent.name.as_ref() == Some(&row.1) && agent.ifi.key() == key)
            };
            if !erased.any_other(&[Term::Agent(key.as_str().into())], is_said)? {
                tx.remove(&NAMES, &row)?;
            }
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        self.forget_merged();
        tx.clear(&DEFINITIONS)?;
        for row in tx.range(&KEPT, ..)? {
            let (id, Json(kept)) = row?;
            tx.insert(&DEFINITIONS, &id, &Json(kept.known))?;
        }
        tx.clear(&NAMES)
    }
}

impl Definitions {
    fn forget_merged(&self) {
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        merged.clear();
    }
}

/// Within this process only.
fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn name(tx: &Tx<'_>, statement: &Statement) -> Result<(), Error> {
    for agent in agents(statement) {
        if let Some(name) = agent
            .name
            .as_ref()
            .filter(|name| name.len() <= MAX_NAME_BYTES)
        {
            let key = (hash(agent.ifi.key().as_bytes()), name.clone());
            if !tx.contains(&NAMES, &key)? {
                tx.insert(&NAMES, &key, &())?;
            }
        }
    }
    Ok(())
}

pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    hash.first_chunk()
        .map_or(0, |head| u64::from_be_bytes(*head))
}

/// Merges what a statement says of an Activity; whether it is the last that was merged now.
fn define(tx: &Tx<'_>, entry: &Entry, activity: &Activity) -> Result<bool, Error> {
    let Some(definition) = &activity.definition else {
        return Ok(false);
    };
    let newer = definition.to_value().to_string();
    let last = hash(newer.as_bytes());
    let known = tx.get(&DEFINITIONS, &activity.id)?.map(|Json(known)| known);
    if known.as_ref().is_some_and(|known| known.last == last) {
        return Ok(true);
    }
    if !entry.defines {
        return Ok(false);
    }
    if let Some(Json(kept)) = tx.get(&KEPT, &activity.id)?
        && entry.sequence <= kept.through
    {
        // Built anew: it has this already.
        return Ok(false);
    }
    let merged = match &known {
        None => newer,
        Some(known) => match (
            Tree::read(&known.definition, DEPTH),
            Tree::read(&newer, DEPTH),
        ) {
            (Ok(mut merged), Ok(newer)) => {
                form::merge_definition(&mut merged, &newer);
                merged.print()
            }
            _ => newer,
        },
    };
    let known = Known {
        definition: merged,
        last,
    };
    tx.insert(&DEFINITIONS, &activity.id, &Json(known))?;
    Ok(true)
}

/// Every Activity that the statement speaks of.
pub(crate) fn activities(statement: &Statement) -> impl Iterator<Item = &Activity> {
    let object = match &statement.object {
        Object::Activity(activity) => Some(activity),
        Object::SubStatement(sub) => match &sub.object {
            Object::Activity(activity) => Some(activity),
            _ => None,
        },
        _ => None,
    };
    let inner = match &statement.object {
        Object::SubStatement(sub) => sub.context.as_ref(),
        _ => None,
    };
    let contexts = statement.context.iter().chain(inner);
    object
        .into_iter()
        .chain(contexts.flat_map(|context| context.activities.all()))
}

/// The Agents that act or are acted upon.
fn agents(statement: &Statement) -> impl Iterator<Item = &Agent> {
    let (actor, members) = match &statement.actor {
        lectern_xapi::Actor::Agent(agent) => (Some(agent), [].as_slice()),
        lectern_xapi::Actor::Group(group) => (None, group.members.as_slice()),
    };
    let object = match &statement.object {
        Object::Agent(agent) => Some(agent),
        _ => None,
    };
    actor.into_iter().chain(members).chain(object)
}
