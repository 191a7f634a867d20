//! Upstreams: what IT enters, and how far each is.

use jiff::Timestamp;
use lectern_egress::Reach;
use lectern_store::{Json, Table, Tx};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::dead;
use super::identities::{self, Identities};
use super::letter::Filter;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::remote::{self, Failure, endpoint, field, seal};
use crate::view::View;

/// What IT entered.
pub(super) const UPSTREAMS: Table<Uuid, Json<Entered>> = Table::new("lrs.upstreams");
/// How far it is; apart, because it changes with every batch.
pub(super) const PROGRESS: Table<Uuid, Json<Progress>> = Table::new("lrs.upstreams.progress");

/// Filters with longer lists than this are refused.
const MAX_FILTER_ENTRIES: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entered {
    pub name: String,
    /// The endpoint, without a slash at its end.
    pub url: String,
    pub key: String,
    pub sealed_secret: String,
    pub version: String,
    pub filter: Filter,
    #[serde(default)]
    pub identities: Identities,
    /// Made when pseudonyms are first asked for, and kept from then on: people are the same there when they are again.
    #[serde(default)]
    pub sealed_pseudonym_key: Option<String>,
    pub since: Option<Timestamp>,
    pub allow_private: bool,
    pub paused: bool,
    pub created: Timestamp,
    /// How often a person set the cursor back; as in [`Progress`], so that the task is begun anew.
    #[serde(default)]
    pub replays: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The next sequence number to be sent.
    pub cursor: u64,
    pub last_success: Option<Timestamp>,
    pub last_error: Option<Failure>,
    /// Statements that it took, one that it got twice counted twice.
    #[serde(default)]
    pub delivered: u64,
    /// How often a person set the cursor back. Who began before the last time moves the cursor no more.
    #[serde(default)]
    pub replays: u32,
}

/// A new upstream. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUpstream {
    /// What people call it.
    pub name: String,
    /// Its endpoint: what `/statements` is put behind.
    pub url: String,
    /// Basic user name.
    pub key: String,
    /// Basic password.
    pub secret: String,
    /// Which version of xAPI it speaks.
    pub version: Version,
    /// Which statements it gets.
    pub filter: Filter,
    /// Whom it sees in them.
    pub identities: Identities,
    /// Only statements stored after this; `None` for all.
    pub since: Option<Timestamp>,
    /// Whether it may be inside this network.
    pub allow_private: bool,
}

/// A change of an upstream; what is `None` stays. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UpstreamChange {
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
    /// Which statements, from now on.
    pub filter: Option<Filter>,
    /// Whom it sees in them, from now on.
    pub identities: Option<Identities>,
    /// Whether it may be inside this network.
    pub allow_private: Option<bool>,
    /// Whether it rests.
    pub paused: Option<bool>,
}

/// An upstream as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its endpoint.
    pub url: String,
    /// Basic user name.
    pub key: String,
    /// Which version of xAPI it speaks.
    pub version: &'static str,
    /// Which statements it gets.
    pub filter: Filter,
    /// Whom it sees in them.
    pub identities: Identities,
    /// Only statements stored after this.
    pub since: Option<Timestamp>,
    /// Whether it may be inside this network.
    pub allow_private: bool,
    /// Whether it rests.
    pub paused: bool,
    /// Statements in the log that it has not been offered yet.
    pub lag: u64,
    /// How long the oldest of them has waited.
    pub lag_seconds: u64,
    /// Statements that it took.
    pub delivered: u64,
    /// When it last took something.
    pub last_success: Option<Timestamp>,
    /// What went wrong since, a statement that was refused included.
    pub last_error: Option<Failure>,
    /// Statements set aside.
    pub dead: u64,
}

/// The upstreams of an LRS.
#[derive(Clone)]
pub struct Upstreams {
    pub(super) lrs: Lrs,
}

impl Lrs {
    /// The upstreams.
    pub fn upstreams(&self) -> Upstreams {
        Upstreams { lrs: self.clone() }
    }
}

impl Upstreams {
    /// Adds one; forwarding begins at once.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Sealing`], [`Error::Store`].
    pub fn add(&self, new: NewUpstream) -> Result<Uuid, Error> {
        let id = Uuid::now_v7();
        let entered = Entered {
            name: field("name", &new.name)?,
            url: endpoint(&new.url, new.allow_private)?,
            key: field("key", &new.key)?,
            sealed_secret: seal::seal(self.sealing_key().as_ref(), id, &new.secret)?,
            version: new.version.header().to_owned(),
            filter: filter(new.filter)?,
            sealed_pseudonym_key: self.pseudonym_key(id, Some(&new.identities))?,
            identities: new.identities.entered(&Identities::Keep)?,
            since: new.since,
            allow_private: new.allow_private,
            paused: false,
            created: self.lrs.now(),
            replays: 0,
        };
        let cursor = match entered.since {
            None => 1,
            Some(since) => self.lrs.view()?.up_to(since)? + 1,
        };
        self.lrs.store().write(move |tx| {
            let progress = Progress {
                cursor,
                ..Progress::default()
            };
            tx.insert(&UPSTREAMS, &id, &Json(entered.clone()))?;
            tx.insert(&PROGRESS, &id, &Json(progress))?;
            Ok::<_, Error>(())
        })?;
        self.lrs.upstreams_changed();
        Ok(id)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list(&self) -> Result<Vec<Upstream>, Error> {
        let view = self.lrs.view()?;
        let mut all = Vec::new();
        for row in view.snapshot().range(&UPSTREAMS, ..)? {
            let (id, Json(entered)) = row?;
            all.push(self.describe(&view, id, entered)?);
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn get(&self, id: Uuid) -> Result<Upstream, Error> {
        let view = self.lrs.view()?;
        let entered = view.snapshot().get(&UPSTREAMS, &id)?;
        let Json(entered) = entered.ok_or_else(|| unknown(id))?;
        self.describe(&view, id, entered)
    }

    /// Changes one; what is forwarded next goes by the change.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Sealing`], [`Error::Store`].
    pub fn update(&self, id: Uuid, change: UpstreamChange) -> Result<(), Error> {
        let new_key = self.pseudonym_key(id, change.identities.as_ref())?;
        let new_filter = change.filter.clone().map(filter).transpose()?;
        let sealed = match &change.secret {
            Some(secret) => Some(seal::seal(self.sealing_key().as_ref(), id, secret)?),
            None => None,
        };
        self.lrs.store().write(move |tx| {
            let Json(mut entered) = tx.get(&UPSTREAMS, &id)?.ok_or_else(|| unknown(id))?;
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
            if let Some(filter) = &new_filter {
                entered.filter = filter.clone();
            }
            if let Some(identities) = &change.identities {
                entered.identities = identities.clone().entered(&entered.identities)?;
            }
            if entered.sealed_pseudonym_key.is_none() {
                entered.sealed_pseudonym_key.clone_from(&new_key);
            }
            if let Some(paused) = change.paused {
                entered.paused = paused;
            }
            tx.insert(&UPSTREAMS, &id, &Json(entered))?;
            Ok::<_, Error>(())
        })?;
        self.lrs.upstreams_changed();
        Ok(())
    }

    /// Sends again what was stored after `since`, in order, and whatever follows; says how many statements of the log are
    /// looked through again. Nothing gets there twice: an upstream knows an id that it has. What it has dead letters of
    /// is tried with the rest. An upstream that began later begins at `since` now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn replay(&self, id: Uuid, since: Timestamp) -> Result<u64, Error> {
        let first = self.lrs.view()?.up_to(since)? + 1;
        let again = self.lrs.store().write(move |tx| {
            let Json(mut entered) = tx.get(&UPSTREAMS, &id)?.ok_or_else(|| unknown(id))?;
            let Json(mut progress) = tx.get(&PROGRESS, &id)?.ok_or_else(|| unknown(id))?;
            let again = progress.cursor.saturating_sub(first);
            if again > 0 {
                progress.cursor = first;
                progress.replays = progress.replays.wrapping_add(1);
                entered.replays = progress.replays;
                entered.since = entered.since.map(|began| began.min(since));
                tx.insert(&UPSTREAMS, &id, &Json(entered))?;
                tx.insert(&PROGRESS, &id, &Json(progress))?;
            }
            Ok::<_, Error>(again)
        })?;
        self.lrs.upstreams_changed();
        Ok(again)
    }

    /// Removes one with its dead letters; what it has stays there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove(&self, id: Uuid) -> Result<(), Error> {
        self.lrs.store().write_making_room(move |tx| {
            if !tx.remove(&UPSTREAMS, &id)? {
                return Err(unknown(id));
            }
            tx.remove(&PROGRESS, &id)?;
            dead::clear(tx, id)?;
            Ok(())
        })?;
        self.lrs.upstreams_changed();
        Ok(())
    }

    pub(super) fn sealing_key(&self) -> Option<[u8; 32]> {
        self.lrs.sealing_key()
    }

    /// A new key, sealed, when pseudonyms are asked for.
    fn pseudonym_key(&self, id: Uuid, of: Option<&Identities>) -> Result<Option<String>, Error> {
        let Some(Identities::Pseudonymise { .. }) = of else {
            return Ok(None);
        };
        let key = identities::new_key();
        seal::seal(self.sealing_key().as_ref(), id, &key).map(Some)
    }

    fn describe(&self, view: &View, id: Uuid, entered: Entered) -> Result<Upstream, Error> {
        let progress = view
            .snapshot()
            .get(&PROGRESS, &id)?
            .map_or_else(Progress::default, |Json(progress)| progress);
        let oldest = view.entry(progress.cursor)?;
        let waited = oldest.map_or(0, |entry| {
            self.lrs.now().duration_since(entry.stored).as_secs()
        });
        Ok(Upstream {
            id,
            version: entered.version().header(),
            name: entered.name,
            url: entered.url,
            key: entered.key,
            filter: entered.filter,
            identities: entered.identities,
            since: entered.since,
            allow_private: entered.allow_private,
            paused: entered.paused,
            lag: (view.head() + 1).saturating_sub(progress.cursor.max(1)),
            lag_seconds: u64::try_from(waited).unwrap_or(0),
            delivered: progress.delivered,
            last_success: progress.last_success,
            last_error: progress.last_error,
            dead: dead::count(view.snapshot(), id)?,
        })
    }
}

impl Entered {
    pub fn version(&self) -> Version {
        Version::from_header(&self.version).unwrap_or(Version::V1_0_3)
    }

    pub fn reach(&self) -> Reach {
        remote::reach(self.allow_private)
    }
}

impl Progress {
    /// Moves the cursor for a task that began at `replays`.
    pub fn go_on(&mut self, cursor: u64, replays: u32) {
        if self.replays == replays {
            self.cursor = cursor;
        }
    }
}

/// Changes how far an upstream is, unless it is gone.
pub(super) fn progress(
    tx: &Tx<'_>,
    id: Uuid,
    change: impl FnOnce(&mut Progress),
) -> Result<(), Error> {
    if let Some(Json(mut progress)) = tx.get(&PROGRESS, &id)? {
        change(&mut progress);
        tx.insert(&PROGRESS, &id, &Json(progress))?;
    }
    Ok(())
}

pub(super) fn unknown(id: Uuid) -> Error {
    Error::NotFound(format!("there is no upstream {id}"))
}

fn filter(filter: Filter) -> Result<Filter, Error> {
    let lengths = [
        filter.verbs.len(),
        filter.activities.len(),
        filter.people.len(),
    ];
    if lengths
        .into_iter()
        .any(|length| length > MAX_FILTER_ENTRIES)
    {
        return Err(Error::parameter(
            "filter",
            "limit",
            format!("may name {MAX_FILTER_ENTRIES} verbs, activities and people each"),
        ));
    }
    Ok(filter)
}
