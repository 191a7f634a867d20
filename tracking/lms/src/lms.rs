//! The door of this room: what it stands on. The operations are in the files of what they are about.

use crate::Error;
use crate::identity;
use crate::notes::Notes;
use crate::pace::Pace;
use crate::secret;
use crate::throttle::Throttle;
use lectern_store::Store;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// A lecture hall behind one address opens its phones within a minute; a script that makes devices is slowed to one a
/// second, each of which costs the store a kilobyte or two.
const NEW_DEVICES: u32 = 600;
const NEW_DEVICES_PER_SECOND: f64 = 1.0;
/// A learner who leafs through videos, and no more.
const VIEWINGS: u32 = 120;
const VIEWINGS_PER_SECOND: f64 = 0.5;

/// People, sign-in, registrations, settings, audit. Clones are the same one.
#[derive(Clone)]
pub struct Lms {
    pub(crate) store: Store,
    pub(crate) memory: Arc<Memory>,
}

/// What is not on disk.
pub(crate) struct Memory {
    pub(crate) throttle: Mutex<Throttle>,
    /// New devices, by the network they come from.
    pub(crate) new_devices: Mutex<Pace<IpAddr>>,
    /// Viewings, by viewer.
    pub(crate) viewings: Mutex<Pace<Vec<u8>>>,
    /// Printed while there is no admin; another one each time the box starts.
    pub(crate) setup_token: String,
    /// Readings on their way into the audit log.
    pub(crate) notes: Notes,
}

impl Lms {
    /// Stands on the records store; gives the box its id the first time.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open(store: Store) -> Result<Self, Error> {
        let notes = Notes::open(store.clone())?;
        let lms = Self {
            store,
            memory: Arc::new(Memory {
                throttle: Mutex::default(),
                new_devices: Mutex::new(Pace::new(NEW_DEVICES, NEW_DEVICES_PER_SECOND)),
                viewings: Mutex::new(Pace::new(VIEWINGS, VIEWINGS_PER_SECOND)),
                setup_token: secret::random(),
                notes,
            }),
        };
        identity::make_box_id(&lms)?;
        Ok(lms)
    }

    /// Brings what was noted into the tables: before the store is closed. Blocks.
    pub fn close(&self) {
        self.memory.notes.close();
    }
}
