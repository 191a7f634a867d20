//! Sources: what IT enters, and how far each is.

use jiff::Timestamp;
use lectern_egress::{Egress, Reach};
use lectern_store::{Json, Table};
use lectern_xapi::{Ifi, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::progress::{self, PROGRESS, Progress};
use crate::caller::{Caller, Scope, Scopes};
use crate::error::Error;
use crate::lrs::Lrs;
use crate::remote::{self, Door, Failure, Forbidden, Trial, endpoint, field, seal};

/// What IT entered.
pub(super) const SOURCES: Table<Uuid, Json<Entered>> = Table::new("lrs.sources");

const FORBIDDEN: Forbidden = Forbidden {
    ok: false,
    message: "the key and the secret are known there, but may not read statements",
};
/// What a trial and a task say of the box itself.
pub(super) const ITSELF: &str =
    "this address is this box itself: everything that is to be read there is here already";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entered {
    pub name: String,
    /// The endpoint, without a slash at its end.
    pub url: String,
    pub key: String,
    pub sealed_secret: String,
    pub version: String,
    pub since: Option<Timestamp>,
    /// Whether it is asked again once it was read to its end.
    pub follow: bool,
    pub allow_private: bool,
    pub paused: bool,
    pub created: Timestamp,
}

/// Where a source is, and how one is let in. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceAddress {
    /// Its endpoint: what `/statements` is put behind.
    pub url: String,
    /// Basic user name.
    pub key: String,
    /// Basic password.
    pub secret: String,
    /// Which version of xAPI it is asked in.
    pub version: Version,
    /// Whether it may be inside this network.
    pub allow_private: bool,
}

/// A new source. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSource {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub address: SourceAddress,
    /// Only statements that it stored after this; `None` for all.
    pub since: Option<Timestamp>,
    /// Whether it is asked again for what is new once it was read to its end.
    pub follow: bool,
}

/// A change of a source; what is `None` stays. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SourceChange {
    /// Name.
    pub name: Option<String>,
    /// Endpoint.
    pub url: Option<String>,
    /// User name.
    pub key: Option<String>,
    /// Password.
    pub secret: Option<String>,
    /// Version of xAPI.
    pub version: Option<Version>,
    /// Whether it is asked again once it was read to its end.
    pub follow: Option<bool>,
    /// Whether it may be inside this network.
    pub allow_private: Option<bool>,
    /// Whether it rests.
    pub paused: Option<bool>,
}

/// How a source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// It is being read.
    Reading,
    /// It does not give what it should, and is asked again later.
    Waiting,
    /// All of it was read; it is asked now and then for what is new.
    Following,
    /// All of it was read, and that was that.
    Done,
    /// A person let it rest.
    Paused,
}

/// A source as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its endpoint.
    pub url: String,
    /// Basic user name.
    pub key: String,
    /// Which version of xAPI it is asked in.
    pub version: &'static str,
    /// Only statements that it stored after this.
    pub since: Option<Timestamp>,
    /// Whether it is asked again once it was read to its end.
    pub follow: bool,
    /// Whether it may be inside this network.
    pub allow_private: bool,
    /// Whether it rests.
    pub paused: bool,
    /// How it does.
    pub state: SourceState,
    /// Up to when it was read, by when it stored its statements.
    pub read_to: Option<Timestamp>,
    /// Statements stored here because of it.
    pub stored: u64,
    /// Statements that were here already, and equal.
    pub known: u64,
    /// Statements that could not be taken.
    pub refused: u64,
    /// Statements a second, lately.
    pub rate: f64,
    /// When the last page was taken in.
    pub last_success: Option<Timestamp>,
    /// When the end of its list was reached last.
    pub caught_up: Option<Timestamp>,
    /// When it is asked again, if it waits.
    pub next: Option<Timestamp>,
    /// What went wrong since.
    pub last_error: Option<Failure>,
}

/// The sources of an LRS.
#[derive(Clone)]
pub struct Sources {
    pub(super) lrs: Lrs,
}

impl Lrs {
    /// The sources.
    pub fn sources(&self) -> Sources {
        Sources { lrs: self.clone() }
    }
}

impl Sources {
    /// Adds one; reading begins at once.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Sealing`], [`Error::Store`].
    pub fn add(&self, new: NewSource) -> Result<Uuid, Error> {
        let id = Uuid::now_v7();
        let address = new.address;
        let sealing_key = self.lrs.sealing_key();
        let entered = Entered {
            name: field("name", &new.name)?,
            url: endpoint(&address.url, address.allow_private)?,
            key: field("key", &address.key)?,
            sealed_secret: seal::seal(sealing_key.as_ref(), id, &address.secret)?,
            version: address.version.header().to_owned(),
            since: new.since,
            follow: new.follow,
            allow_private: address.allow_private,
            paused: false,
            created: self.lrs.now(),
        };
        let progress = Progress {
            cursor: entered.since,
            counted: self.lrs.head()?,
            ..Progress::default()
        };
        self.lrs.store().write(move |tx| {
            tx.insert(&SOURCES, &id, &Json(entered.clone()))?;
            tx.insert(&PROGRESS, &id, &Json(progress.clone()))?;
            Ok::<_, Error>(())
        })?;
        self.lrs.sources_changed();
        Ok(id)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list(&self) -> Result<Vec<Source>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        let mut all = Vec::new();
        for row in snapshot.range(&SOURCES, ..)? {
            let (id, Json(entered)) = row?;
            let progress = snapshot.get(&PROGRESS, &id)?;
            let progress = progress.map_or_else(Progress::default, |Json(progress)| progress);
            all.push(Source::of(id, entered, progress));
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn get(&self, id: Uuid) -> Result<Source, Error> {
        let all = self.list()?;
        let found = all.into_iter().find(|source| source.id == id);
        found.ok_or_else(|| unknown(id))
    }

    /// Changes one; what is read next goes by the change. How far it is stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Sealing`], [`Error::Store`].
    pub fn update(&self, id: Uuid, change: SourceChange) -> Result<(), Error> {
        let sealing_key = self.lrs.sealing_key();
        let secret = change.secret.as_ref();
        let sealed = secret.map(|secret| seal::seal(sealing_key.as_ref(), id, secret));
        let sealed = sealed.transpose()?;
        self.lrs.store().write(move |tx| {
            let Json(mut entered) = tx.get(&SOURCES, &id)?.ok_or_else(|| unknown(id))?;
            if let Some(name) = &change.name {
                entered.name = field("name", name)?;
            }
            if let Some(key) = &change.key {
                entered.key = field("key", key)?;
            }
            if let Some(allow_private) = change.allow_private {
                entered.allow_private = allow_private;
            }
            let url = change.url.as_ref().unwrap_or(&entered.url);
            entered.url = endpoint(url, entered.allow_private)?;
            if let Some(sealed) = &sealed {
                entered.sealed_secret.clone_from(sealed);
            }
            if let Some(version) = change.version {
                version.header().clone_into(&mut entered.version);
            }
            if let Some(follow) = change.follow {
                entered.follow = follow;
            }
            if let Some(paused) = change.paused {
                entered.paused = paused;
            }
            tx.insert(&SOURCES, &id, &Json(entered))?;
            Ok::<_, Error>(())
        })?;
        self.lrs.sources_changed();
        Ok(())
    }

    /// Removes one with its list of refused statements; what it brought stays here.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove(&self, id: Uuid) -> Result<(), Error> {
        self.lrs.store().write_making_room(move |tx| {
            if !tx.remove(&SOURCES, &id)? {
                return Err(unknown(id));
            }
            progress::clear(tx, id)
        })?;
        self.lrs.sources_changed();
        Ok(())
    }

    /// Asks an address for its versions and, with key and secret, for one statement. Writes nothing, there or here.
    ///
    /// # Errors
    /// [`Error::Invalid`]; what the source says is in the answer.
    pub async fn try_out(&self, address: SourceAddress, egress: &Egress) -> Result<Trial, Error> {
        let url = endpoint(&address.url, address.allow_private)?;
        let key = field("key", &address.key)?;
        let door = Door {
            url,
            headers: remote::headers(&key, &address.secret, address.version)?,
            reach: remote::reach(address.allow_private),
        };
        let mut trial = Trial::run(egress, &door, FORBIDDEN).await;
        if trial.ok && is_itself(&self.lrs, egress, &door).await {
            trial.ok = false;
            ITSELF.clone_into(&mut trial.message);
        }
        Ok(trial)
    }
}

/// Whether this very process answers there.
pub(super) async fn is_itself(lrs: &Lrs, egress: &Egress, door: &Door) -> bool {
    let about = remote::about(egress, door).await.unwrap_or_default();
    let named = about
        .get("extensions")
        .and_then(|extensions| extensions.get(crate::ABOUT_EXTENSION))
        .and_then(|lectern| lectern.get("instance"))
        .and_then(|instance| instance.as_str());
    named == Some(lrs.instance().to_string().as_str())
}

impl Source {
    fn of(id: Uuid, entered: Entered, progress: Progress) -> Self {
        let state = if entered.is_done(&progress) {
            SourceState::Done
        } else if entered.paused {
            SourceState::Paused
        } else if progress.last_error.is_some() {
            SourceState::Waiting
        } else if progress.next.is_some() {
            SourceState::Following
        } else {
            SourceState::Reading
        };
        Self {
            id,
            version: entered.version().header(),
            name: entered.name,
            url: entered.url,
            key: entered.key,
            since: entered.since,
            follow: entered.follow,
            allow_private: entered.allow_private,
            paused: entered.paused,
            state,
            read_to: progress.newest,
            stored: progress.stored,
            known: progress.known,
            refused: progress.refused,
            rate: progress.rate,
            last_success: progress.last_success,
            caught_up: progress.caught_up,
            next: progress.next,
            last_error: progress.last_error,
        }
    }
}

impl Entered {
    pub fn version(&self) -> Version {
        Version::from_header(&self.version).unwrap_or(Version::V1_0_3)
    }

    pub fn reach(&self) -> Reach {
        remote::reach(self.allow_private)
    }

    /// Whether there is nothing left to do.
    pub fn is_done(&self, progress: &Progress) -> bool {
        !self.follow && progress.caught_up.is_some()
    }

    /// Who brings its statements: never the box, never whoever wrote them there.
    pub fn caller(id: Uuid, identity: &str) -> Caller {
        let credential = format!("source:{id}");
        Caller {
            authority: Ifi::account(identity, credential.clone()).to_value(),
            credential,
            scopes: Scopes::from_iter([Scope::StatementsWrite, Scope::Define]),
            bound: None,
        }
    }
}

pub(super) fn unknown(id: Uuid) -> Error {
    Error::NotFound(format!("there is no source {id}"))
}
