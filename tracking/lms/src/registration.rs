//! Registrations: one UUID for each learner and video, the same on every device, and the version the learner began with.
//!
//! A learner is a person who signed in, or a device that nobody signed in on (videos that are `open`); both appear in
//! statements as a random account name.

use crate::Error;
use crate::lms::Lms;
use crate::people::found;
use crate::person::{Person, PersonId};
use crate::secret::{self, DeviceId, Hash};
use crate::tables::{ACTORS, DEVICES, PEOPLE, REGISTERED, REGISTRATIONS, WhoRecord};
use jiff::Timestamp;
use lectern_store::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest id of a video that is looked at.
const MAX_VIDEO_BYTES: usize = 100;

/// Who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody who signed in.
    Person(PersonId),
    /// A device without anybody signed in, by the id it keeps.
    Device(DeviceId),
}

impl Viewer {
    /// The person, when it is one.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(*id),
            Self::Device(_) => None,
        }
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        match self {
            Self::Person(id) => person_key(*id),
            Self::Device(id) => [b"d".as_slice(), &id.hash()].concat(),
        }
    }
}

/// A learner's watching of a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `context.registration`.
    pub registration: Uuid,
    /// Account name of the actor.
    pub actor: String,
    /// The version the learner stays on.
    pub version_pinned: Option<u32>,
    /// The video's id.
    pub video: String,
}

/// To whom an actor points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// To a person.
    Person(Box<Person>),
    /// To a device that nobody signed in on.
    Device,
}

/// As stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegistrationRecord {
    pub registration: Uuid,
    pub actor: String,
    pub video: String,
    pub version_pinned: Option<u32>,
    pub created: Timestamp,
}

/// A device, as stored under the hash of its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeviceRecord {
    pub actor: String,
    pub first_seen: Timestamp,
}

impl Lms {
    /// The learner's registration of that video, made when there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person is gone, [`Error::Invalid`]; when the store fails.
    pub fn registration(
        &self,
        viewer: &Viewer,
        video: &str,
        now: Timestamp,
    ) -> Result<Registration, Error> {
        if let Some(known) = self.find_registration(viewer, video)? {
            return Ok(known);
        }
        let (viewer, video) = (viewer.clone(), video.to_owned());
        self.store
            .write(move |tx| register(tx, &viewer, &video, None, now))
    }

    /// The learner's registration of that video, when there is one. Writes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find_registration(
        &self,
        viewer: &Viewer,
        video: &str,
    ) -> Result<Option<Registration>, Error> {
        let key = (viewer.key(), video.to_owned());
        let record = self.store.snapshot()?.get(&REGISTRATIONS, &key)?;
        Ok(record.map(Registration::from))
    }

    /// All of a learner's registrations.
    ///
    /// # Errors
    /// When the store fails.
    pub fn registrations(&self, viewer: &Viewer) -> Result<Vec<Registration>, Error> {
        let snapshot = self.store.snapshot()?;
        let entries = snapshot.prefix(&REGISTRATIONS, &viewer.key())?;
        entries
            .map(|entry| Ok(Registration::from(entry?.1)))
            .collect()
    }

    /// Whose registration it is (actor and video), whoever that be.
    ///
    /// # Errors
    /// When the store fails.
    pub fn registered(&self, registration: Uuid) -> Result<Option<Registration>, Error> {
        let record = self.store.snapshot()?.get(&REGISTERED, &registration)?;
        Ok(record.map(Registration::from))
    }

    /// The learner stays on that version from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person is gone; when the store fails.
    pub fn pin_version(
        &self,
        viewer: &Viewer,
        video: &str,
        version: u32,
        now: Timestamp,
    ) -> Result<Registration, Error> {
        let (viewer, video) = (viewer.clone(), video.to_owned());
        self.store
            .write(move |tx| register(tx, &viewer, &video, Some(version), now))
    }

    /// To whom the account name of an actor points; `None` when to no one (erased, or never ours).
    ///
    /// # Errors
    /// When the store fails.
    pub fn who_is(&self, actor: &str) -> Result<Option<Who>, Error> {
        let snapshot = self.store.snapshot()?;
        match snapshot.get(&ACTORS, &actor.to_owned())? {
            None => Ok(None),
            Some(WhoRecord::Device) => Ok(Some(Who::Device)),
            Some(WhoRecord::Person(id)) => Ok(snapshot
                .get(&PEOPLE, &id)?
                .map(|person| Who::Person(Box::new(person)))),
        }
    }
}

impl From<RegistrationRecord> for Registration {
    fn from(record: RegistrationRecord) -> Self {
        Self {
            registration: record.registration,
            actor: record.actor,
            version_pinned: record.version_pinned,
            video: record.video,
        }
    }
}

/// Finds or makes a registration, and pins it to `version` when one is given.
pub(crate) fn register(
    tx: &Tx<'_>,
    viewer: &Viewer,
    video: &str,
    version: Option<u32>,
    now: Timestamp,
) -> Result<Registration, Error> {
    if video.is_empty() || video.len() > MAX_VIDEO_BYTES {
        return Err(Error::Invalid {
            field: "video",
            message: "no such video".to_owned(),
        });
    }
    let key = (viewer.key(), video.to_owned());
    let known = tx.get(&REGISTRATIONS, &key)?;
    let is_known = known.is_some();
    let mut record = match known {
        Some(record) => record,
        None => RegistrationRecord {
            registration: Uuid::new_v4(),
            actor: actor_of(tx, viewer, now)?,
            video: video.to_owned(),
            version_pinned: None,
            created: now,
        },
    };
    if !is_known || (version.is_some() && record.version_pinned != version) {
        record.version_pinned = version.or(record.version_pinned);
        tx.insert(&REGISTRATIONS, &key, &record)?;
        tx.insert(&REGISTERED, &record.registration, &record)?;
    }
    Ok(record.into())
}

/// Removes what ties a person to their registrations.
pub(crate) fn forget_viewer(tx: &Tx<'_>, id: PersonId) -> Result<(), Error> {
    let records: Vec<_> = tx
        .prefix(&REGISTRATIONS, &person_key(id))?
        .collect::<Result<_, _>>()?;
    for (key, record) in records {
        tx.remove(&REGISTRATIONS, &key)?;
        tx.remove(&REGISTERED, &record.registration)?;
    }
    Ok(())
}

fn person_key(id: PersonId) -> Vec<u8> {
    [b"p".as_slice(), id.0.as_bytes()].concat()
}

fn actor_of(tx: &Tx<'_>, viewer: &Viewer, now: Timestamp) -> Result<String, Error> {
    match viewer {
        Viewer::Person(id) => Ok(found(tx, *id)?.actor),
        Viewer::Device(id) => {
            let hash: Hash = id.hash();
            if let Some(device) = tx.get(&DEVICES, &hash)? {
                return Ok(device.actor);
            }
            // The device's id is its secret; its actor is seen by others and must not tell it.
            let device = DeviceRecord {
                actor: secret::random_id(),
                first_seen: now,
            };
            tx.insert(&DEVICES, &hash, &device)?;
            tx.insert(&ACTORS, &device.actor, &WhoRecord::Device)?;
            Ok(device.actor)
        }
    }
}
