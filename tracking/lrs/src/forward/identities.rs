//! Whom an upstream sees: people as they are, as they are known there, or under pseudonyms. Pure: the text of a statement
//! goes in, what is sent of it comes out.
//!
//! Every Agent and Group is reached, wherever a statement has one (Data 2.4.2; 2.0 4.2.2.5): actor, object, instructor,
//! team, context Agents and Groups, the members of each, and all of that in a SubStatement. Nothing else changes: ids of
//! Activities, definitions, extensions, results and attachments go as they are, with whatever somebody wrote into them.

use std::collections::BTreeMap;

use lectern_xapi::json::{Json, Kind};
use lectern_xapi::{Ifi, SIGNATURE_USAGE, form};
use rand::RngCore;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Tables with more rows are refused.
const MAX_ROWS: usize = 20_000;
/// Bytes of the key that makes pseudonyms.
const KEY_BYTES: usize = 32;

/// What becomes of whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Identities {
    /// Goes as it is.
    #[default]
    Keep,
    /// Goes as it is known there.
    Map {
        /// From [`Ifi::key`] here to the identifier there. Empty in a change: those that it has.
        table: BTreeMap<String, Ifi>,
        /// What becomes of those without a row.
        unlisted: Unlisted,
    },
    /// Goes as an account whose name is the lower-case hex of HMAC-SHA-256 over [`Ifi::key`], under a random key that is
    /// this upstream's own; names for people are left out. The same person is the same there, always, and no one else.
    Pseudonymise {
        /// Home page for those that are not known by an account; who has one keeps its home page.
        home_page: String,
    },
}

/// What becomes of somebody who has no row in a table of identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// The statement is set aside, as a dead letter.
    #[default]
    HoldBack,
    /// Goes as it is.
    Keep,
}

impl Identities {
    /// What is to be kept when this is entered where `before` was.
    pub(super) fn entered(self, before: &Self) -> Result<Self, Error> {
        let refuse = |message: String| Err(Error::parameter("identities", "limit", message));
        let Self::Map {
            mut table,
            unlisted,
        } = self
        else {
            return Ok(self);
        };
        if table.is_empty()
            && let Self::Map { table: kept, .. } = before
        {
            table.clone_from(kept);
        }
        match table.len() {
            0 => refuse("must have a table: whom you know as whom".to_owned()),
            rows if rows > MAX_ROWS => refuse(format!("may have at most {MAX_ROWS} rows")),
            _ => Ok(Self::Map { table, unlisted }),
        }
    }
}

/// A new key for pseudonyms, as text to be sealed.
pub(super) fn new_key() -> String {
    let mut key = [0; KEY_BYTES];
    rand::rng().fill_bytes(&mut key);
    hex::encode(key)
}

/// What is done to the statements for one upstream.
pub(super) enum Rewriting {
    Keep,
    Map {
        table: BTreeMap<String, Ifi>,
        unlisted: Unlisted,
    },
    Pseudonymise {
        home_page: String,
        key: hmac::Key,
    },
}

impl Rewriting {
    /// `key`: of [`new_key`], opened.
    pub fn new(identities: &Identities, key: Option<&str>) -> Result<Self, Error> {
        Ok(match identities {
            Identities::Keep => Self::Keep,
            Identities::Map { table, unlisted } => Self::Map {
                table: table.clone(),
                unlisted: *unlisted,
            },
            Identities::Pseudonymise { home_page } => {
                let key = key.and_then(|key| hex::decode(key).ok());
                let key = key.filter(|key| key.len() == KEY_BYTES).ok_or_else(|| {
                    Error::Sealing(
                        "the key for pseudonyms is gone: add the upstream anew".to_owned(),
                    )
                })?;
                Self::Pseudonymise {
                    home_page: home_page.clone(),
                    key: hmac::Key::new(hmac::HMAC_SHA256, &key),
                }
            }
        })
    }

    /// Rewrites a statement; `Err` says in words why it cannot go. The reason names nobody, because it is logged.
    pub fn apply(&self, statement: &mut Json<'_>) -> Result<(), String> {
        if matches!(self, Self::Keep) {
            return Ok(());
        }
        if is_signed(statement) {
            return Err(
                "it is signed, so whom it names cannot be changed for this upstream".to_owned(),
            );
        }
        let mut is_held_back = false;
        form::actors(statement, &mut |actor| {
            is_held_back |= !self.rewrite(actor);
        });
        if is_held_back {
            return Err(
                "somebody in it has no row in the table of identities of this upstream".to_owned(),
            );
        }
        Ok(())
    }

    /// Rewrites an Agent, or a Group with its members; whether it may go.
    fn rewrite(&self, actor: &mut Json<'_>) -> bool {
        let known = identifier(actor);
        let mut may_go = true;
        if let Some((at, ifi)) = known {
            match self.known_there(&ifi) {
                Some(there) => put(actor, at, &there),
                None => may_go = !self.holds_back(),
            }
        }
        if matches!(self, Self::Pseudonymise { .. }) {
            actor.remove("name");
        }
        if let Some(Kind::Array(members)) = actor.get_mut("member").map(|list| &mut list.kind) {
            for member in members {
                may_go &= self.rewrite(member);
            }
        }
        may_go
    }

    fn known_there(&self, ifi: &Ifi) -> Option<Ifi> {
        match self {
            Self::Keep => None,
            Self::Map { table, .. } => table.get(&ifi.key()).cloned(),
            Self::Pseudonymise { home_page, key } => {
                let home_page = match ifi {
                    Ifi::Account { home_page, .. } => home_page.as_str(),
                    _ => home_page,
                };
                let pseudonym = hmac::sign(key, ifi.key().as_bytes());
                Some(Ifi::account(home_page, hex::encode(pseudonym)))
            }
        }
    }

    fn holds_back(&self) -> bool {
        matches!(
            self,
            Self::Map {
                unlisted: Unlisted::HoldBack,
                ..
            }
        )
    }
}

/// Whether a signature is attached (Data 2.6), to it or to its SubStatement.
fn is_signed(statement: &Json<'_>) -> bool {
    let sub = statement.get("object");
    [Some(statement), sub]
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("attachments")?.as_array())
        .flatten()
        .any(|attachment| {
            attachment.get("usageType").and_then(Json::as_str) == Some(SIGNATURE_USAGE)
        })
}

/// What identifies an Agent or Group, and which of its properties that is; none for an anonymous Group.
fn identifier(actor: &Json<'_>) -> Option<(usize, Ifi)> {
    let Kind::Object(properties) = &actor.kind else {
        return None;
    };
    properties
        .iter()
        .enumerate()
        .find_map(|(at, (name, value))| {
            let text = || value.as_str().map(str::to_owned);
            let ifi = match name.as_ref() {
                "mbox" => Ifi::Mbox(text()?),
                "mbox_sha1sum" => Ifi::MboxSha1(text()?),
                "openid" => Ifi::OpenId(text()?),
                "account" => Ifi::account(
                    value.get("homePage")?.as_str()?,
                    value.get("name")?.as_str()?,
                ),
                _ => return None,
            };
            Some((at, ifi))
        })
}

fn put(actor: &mut Json<'_>, at: usize, ifi: &Ifi) {
    let (name, value) = match ifi {
        Ifi::Mbox(mbox) => ("mbox", Json::string(mbox.clone())),
        Ifi::MboxSha1(sum) => ("mbox_sha1sum", Json::string(sum.clone())),
        Ifi::OpenId(id) => ("openid", Json::string(id.clone())),
        Ifi::Account { home_page, name } => {
            let account = vec![
                ("homePage".into(), Json::string(home_page.clone())),
                ("name".into(), Json::string(name.clone())),
            ];
            ("account", Json::new(Kind::Object(account)))
        }
    };
    if let Kind::Object(properties) = &mut actor.kind
        && let Some(property) = properties.get_mut(at)
    {
        *property = (name.into(), value);
    }
}

#[cfg(test)]
mod tests;
