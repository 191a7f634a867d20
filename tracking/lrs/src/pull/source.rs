//! Sources: what IT enters, and how far each was read.

use jiff::Timestamp;
use lectern_egress::Reach;
use lectern_store::{Json, Table, Tx};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::forward::{UpstreamError, endpoint, field};
use crate::lrs::Lrs;
use crate::seal;

/// What IT entered.
pub(super) const SOURCES: Table<Uuid, Json<Entered>> = Table::new("lrs.sources");
/// How far it was read; apart, because it changes with every page.
pub(super) const PROGRESS: Table<Uuid, Json<Progress>> = Table::new("lrs.sources.progress");
/// What could not be taken, by source and number.
const REFUSED: Table<(Uuid, u64), Json<Refusal>> = Table::new("lrs.sources.refused");

/// Statements that are named when they could not be taken; those beyond are counted.
const MAX_NAMED: u64 = 1_000;

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

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// When the last statement that was read was stored there.
    pub edge: Option<Timestamp>,
    /// The statements that were stored there at that very time.
    pub edge_ids: Vec<Uuid>,
    /// Statements stored here.
    pub stored: u64,
    /// Statements that were here already.
    pub known: u64,
    /// Statements that could not be taken.
    pub refused: u64,
    /// It was read to its end once.
    pub is_through: bool,
    pub last_success: Option<Timestamp>,
    pub last_error: Option<UpstreamError>,
}

/// A statement that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its number, from 1.
    pub n: u64,
    /// Its id there, when it has one.
    pub statement_id: Option<Uuid>,
    /// When it was stored there.
    pub stored: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// A new source. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSource {
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
    /// Only statements stored there after this; `None` for all.
    pub since: Option<Timestamp>,
    /// Whether it is asked again for what is new once it was read to its end.
    pub follow: bool,
    /// Whether it may be inside this network.
    pub allow_private: bool,
}

/// What a source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// It is being read.
    Reading,
    /// It failed, and is asked again later.
    Waiting,
    /// All of it was read; it is asked now and then for what is new.
    Following,
    /// All of it was read, and that was that.
    Done,
    /// A person told it to rest.
    Paused,
}

/// A source as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
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
    /// Only statements stored there after this.
    pub since: Option<Timestamp>,
    /// Whether it is asked again once it was read to its end.
    pub follow: bool,
    /// Whether it may be inside this network.
    pub allow_private: bool,
    /// What it does.
    pub state: SourceState,
    /// Up to when (its `stored`) it was read.
    pub read_to: Option<Timestamp>,
    /// Statements stored here.
    pub stored: u64,
    /// Statements that were here already.
    pub known: u64,
    /// Statements that could not be taken.
    pub refused: u64,
    /// When it last answered.
    pub last_success: Option<Timestamp>,
    /// What went wrong since.
    pub last_error: Option<UpstreamError>,
}

/// The sources of an LRS.
#[derive(Clone)]
pub struct Sources {
    lrs: Lrs,
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
        let entered = Entered {
            name: field("name", &new.name)?,
            url: endpoint(&new.url, new.allow_private)?,
            key: field("key", &new.key)?,
            sealed_secret: seal::seal(self.lrs.sealing_key().as_ref(), id, &new.secret)?,
            version: new.version.header().to_owned(),
            since: new.since,
            follow: new.follow,
            allow_private: new.allow_private,
            paused: false,
            created: self.lrs.now(),
        };
        self.lrs.store().write(move |tx| {
            tx.insert(&SOURCES, &id, &Json(entered.clone()))?;
            tx.insert(&PROGRESS, &id, &Json(Progress::default()))?;
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
            all.push(describe(id, entered, progress));
        }
        Ok(all)
    }

    /// Lets one rest, or go on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn pause(&self, id: Uuid, paused: bool) -> Result<(), Error> {
        self.lrs.store().write(move |tx| {
            let Json(mut entered) = tx.get(&SOURCES, &id)?.ok_or_else(|| unknown(id))?;
            entered.paused = paused;
            tx.insert(&SOURCES, &id, &Json(entered)).map(drop)?;
            Ok::<_, Error>(())
        })?;
        self.lrs.sources_changed();
        Ok(())
    }

    /// Removes one; what came from it stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove(&self, id: Uuid) -> Result<(), Error> {
        self.lrs.store().write_making_room(move |tx| {
            if !tx.remove(&SOURCES, &id)? {
                return Err(unknown(id));
            }
            tx.remove(&PROGRESS, &id)?;
            let rows = tx.prefix(&REFUSED, &id)?;
            let rows: Vec<(Uuid, u64)> = rows
                .map(|row| row.map(|(key, _)| key))
                .collect::<Result<_, _>>()?;
            for key in &rows {
                tx.remove(&REFUSED, key)?;
            }
            Ok(())
        })?;
        self.lrs.sources_changed();
        Ok(())
    }

    /// What could not be taken, in order, after the number `after`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn refused(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Refusal>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        snapshot.get(&SOURCES, &id)?.ok_or_else(|| unknown(id))?;
        let rows = snapshot.range(&REFUSED, (id, after.saturating_add(1))..=(id, u64::MAX))?;
        Ok(rows
            .take(limit)
            .map(|row| row.map(|(_, Json(refusal))| refusal))
            .collect::<Result<_, _>>()?)
    }
}

fn describe(id: Uuid, entered: Entered, progress: Progress) -> Source {
    let state = match (&progress.last_error, progress.is_through) {
        _ if entered.paused => SourceState::Paused,
        (_, true) if !entered.follow => SourceState::Done,
        (Some(_), _) => SourceState::Waiting,
        (None, true) => SourceState::Following,
        (None, false) => SourceState::Reading,
    };
    Source {
        id,
        version: entered.version().header(),
        name: entered.name,
        url: entered.url,
        key: entered.key,
        since: entered.since,
        follow: entered.follow,
        allow_private: entered.allow_private,
        state,
        read_to: progress.edge,
        stored: progress.stored,
        known: progress.known,
        refused: progress.refused,
        last_success: progress.last_success,
        last_error: progress.last_error,
    }
}

impl Entered {
    pub fn version(&self) -> Version {
        Version::from_header(&self.version).unwrap_or(Version::V1_0_3)
    }

    pub fn reach(&self) -> Reach {
        if self.allow_private {
            Reach::Private
        } else {
            Reach::Public
        }
    }
}

/// Writes down how far a source was read, unless it is gone, and what could not be taken.
pub(super) fn note(
    tx: &Tx<'_>,
    id: Uuid,
    refused: &[(Option<Uuid>, Option<Timestamp>, String)],
    change: impl FnOnce(&mut Progress),
) -> Result<(), Error> {
    let Some(Json(mut progress)) = tx.get(&PROGRESS, &id)? else {
        return Ok(());
    };
    for (statement_id, stored, reason) in refused {
        progress.refused += 1;
        if progress.refused <= MAX_NAMED {
            let refusal = Refusal {
                n: progress.refused,
                statement_id: *statement_id,
                stored: *stored,
                reason: reason.clone(),
            };
            tx.insert(&REFUSED, &(id, progress.refused), &Json(refusal))?;
        }
    }
    change(&mut progress);
    tx.insert(&PROGRESS, &id, &Json(progress))?;
    Ok(())
}

fn unknown(id: Uuid) -> Error {
    Error::NotFound(format!("there is no source {id}"))
}
