//! What a `play` gives out: a viewing token, with which a learner's own device may write what that learner watched there
//! and nothing else, and a media token, with which a manifest can be fetched where no cookie goes.
//!
//! Both are random and kept as hashes. A viewing token outlives the session (a phone may have been without network for
//! weeks); it dies when the person is erased. A media token names who asked, so that the web asks anew whether they may
//! watch.

use crate::Error;
use crate::lms::Lms;
use crate::people::found;
use crate::person::PersonId;
use crate::registration::{Registration, Viewer, register};
use crate::secret::{self, Hash};
use crate::session::end_session;
use crate::tables::{
    ACTORS, ENDINGS, ENDS_MEDIA, ENDS_READING, ENDS_SESSION, ENDS_VIEWING, MEDIA, PEOPLE, READINGS,
    VIEWINGS,
};
use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::PoisonError;
use uuid::Uuid;

/// So many ended sessions and tokens are cleared away each time one is made: more than are made.
const SWEPT_AT_ONCE: usize = 8;
const SEEN_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What a viewing token may write: statements and state of this actor, registration and activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewingGrant {
    /// Account name of the actor.
    pub actor: String,
    /// The registration.
    pub registration: Uuid,
    /// The activity's IRI.
    pub activity_id: String,
    /// The video's id.
    pub video: String,
    /// The version that is being watched.
    pub version: u32,
    /// When the token ends.
    pub expires: Timestamp,
}

/// What a media token opens: one version's manifests, for one viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaGrant {
    /// Who asked; `None` for a device that nobody signed in on.
    pub person: Option<PersonId>,
    /// The video's id.
    pub video: String,
    /// The version.
    pub version: u32,
    /// When the token ends.
    pub expires: Timestamp,
}

/// What a viewing is asked with.
#[derive(Clone, Debug)]
pub struct NewViewing {
    /// Who watches.
    pub viewer: Viewer,
    /// The video's id.
    pub video: String,
    /// The activity's IRI.
    pub activity_id: String,
    /// The version to watch.
    pub version: u32,
    /// Whether the learner stays on that version from now on.
    pub pins: bool,
    /// When the viewing token ends.
    pub viewing_expires: Timestamp,
    /// When the media token ends.
    pub media_expires: Timestamp,
}

/// A viewing that has begun.
#[derive(Clone, Debug)]
pub struct Viewing {
    /// Under which registration and actor.
    pub registration: Registration,
    /// For `/xapi`.
    pub viewing_token: String,
    /// For manifests.
    pub media_token: String,
}

impl Lms {
    /// Whether this viewer may begin a viewing now; a device that nobody signed in on counts against its address too
    /// while it has no registration.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn may_begin(
        &self,
        viewer: &Viewer,
        is_new: bool,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), u64> {
        let lock = PoisonError::into_inner;
        if is_new && matches!(viewer, Viewer::Device(_)) {
            let mut devices = self.memory.new_devices.lock().unwrap_or_else(lock);
            devices.take(network(address), now)?;
        }
        let lock = PoisonError::into_inner;
        let mut viewings = self.memory.viewings.lock().unwrap_or_else(lock);
        viewings.take(viewer.key(), now)
    }

    /// Begins a viewing: registration, pinned version and both tokens in one commit.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person is gone; when the store fails.
    pub fn start_viewing(&self, new: NewViewing, now: Timestamp) -> Result<Viewing, Error> {
        let (viewing_token, media_token) = (secret::random(), secret::random());
        let hashes = (
            secret::hash(&viewing_token).unwrap_or_default(),
            secret::hash(&media_token).unwrap_or_default(),
        );
        let registration = self.store.write(move |tx| {
            sweep(tx, now)?;
            see(tx, &new.viewer, now)?;
            let pin = new.pins.then_some(new.version);
            let registration = register(tx, &new.viewer, &new.video, pin, now)?;
            let viewing = ViewingGrant {
                actor: registration.actor.clone(),
                registration: registration.registration,
                activity_id: new.activity_id.clone(),
                video: new.video.clone(),
                version: new.version,
                expires: new.viewing_expires,
            };
            keep_viewing(tx, hashes.0, &viewing)?;
            let media = MediaGrant {
                person: new.viewer.person(),
                video: new.video.clone(),
                version: new.version,
                expires: new.media_expires,
            };
            keep_media(tx, hashes.1, &media)?;
            Ok::<_, Error>(registration)
        })?;
        Ok(Viewing {
            registration,
            viewing_token,
            media_token,
        })
    }

    /// A viewing token alone.
    ///
    /// # Errors
    /// When the store fails.
    pub fn mint_viewing(&self, grant: ViewingGrant, now: Timestamp) -> Result<String, Error> {
        let token = secret::random();
        let hash = secret::hash(&token).unwrap_or_default();
        self.store.write(move |tx| {
            sweep(tx, now)?;
            keep_viewing(tx, hash, &grant)
        })?;
        Ok(token)
    }

    /// A media token alone.
    ///
    /// # Errors
    /// When the store fails.
    pub fn mint_media(&self, grant: MediaGrant, now: Timestamp) -> Result<String, Error> {
        let token = secret::random();
        let hash = secret::hash(&token).unwrap_or_default();
        self.store.write(move |tx| {
            sweep(tx, now)?;
            keep_media(tx, hash, &grant)
        })?;
        Ok(token)
    }

    /// What a viewing token may write, while it lasts and its learner is not erased.
    ///
    /// # Errors
    /// When the store fails.
    pub fn viewing(&self, token: &str, now: Timestamp) -> Result<Option<ViewingGrant>, Error> {
        let Some(hash) = secret::hash(token) else {
            return Ok(None);
        };
        let snapshot = self.store.snapshot()?;
        let Some(grant) = snapshot.get(&VIEWINGS, &hash)? else {
            return Ok(None);
        };
        let is_good = now < grant.expires && snapshot.contains(&ACTORS, &grant.actor)?;
        Ok(is_good.then_some(grant))
    }

    /// What a media token opens, while it lasts.
    ///
    /// # Errors
    /// When the store fails.
    pub fn media(&self, token: &str, now: Timestamp) -> Result<Option<MediaGrant>, Error> {
        let Some(hash) = secret::hash(token) else {
            return Ok(None);
        };
        let grant = self.store.snapshot()?.get(&MEDIA, &hash)?;
        Ok(grant.filter(|grant| now < grant.expires))
    }
}

/// One machine has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        four => four,
    }
}

/// Notes that a person was here, once an hour at most.
fn see(tx: &Tx<'_>, viewer: &Viewer, now: Timestamp) -> Result<(), Error> {
    let Some(id) = viewer.person() else {
        return Ok(());
    };
    let mut person = found(tx, id)?;
    let before = person.last_seen.unwrap_or(Timestamp::MIN);
    if now.duration_since(before) > SEEN_EVERY {
        person.last_seen = Some(now);
        tx.insert(&PEOPLE, &id, &person)?;
    }
    Ok(())
}

fn keep_viewing(tx: &Tx<'_>, hash: Hash, grant: &ViewingGrant) -> Result<(), Error> {
    tx.insert(&VIEWINGS, &hash, grant)?;
    tx.insert(
        &ENDINGS,
        &(grant.expires.as_second(), ENDS_VIEWING, hash),
        &(),
    )?;
    Ok(())
}

fn keep_media(tx: &Tx<'_>, hash: Hash, grant: &MediaGrant) -> Result<(), Error> {
    tx.insert(&MEDIA, &hash, grant)?;
    tx.insert(
        &ENDINGS,
        &(grant.expires.as_second(), ENDS_MEDIA, hash),
        &(),
    )?;
    Ok(())
}

/// Clears away some of what has ended, oldest first.
pub(crate) fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<(), lectern_store::Error> {
    let end = (now.as_second(), 0, [0; 32]);
    let ended: Vec<_> = tx
        .range(&ENDINGS, ..end)?
        .take(SWEPT_AT_ONCE)
        .collect::<Result<_, _>>()?;
    for (key, ()) in ended {
        let (_, kind, hash) = key;
        match kind {
            ENDS_SESSION => end_session(tx, hash)?,
            ENDS_VIEWING => drop(tx.remove(&VIEWINGS, &hash)?),
            ENDS_READING => drop(tx.remove(&READINGS, &hash)?),
            _ => drop(tx.remove(&MEDIA, &hash)?),
        }
        tx.remove(&ENDINGS, &key)?;
    }
    Ok(())
}
