//! Everything that a command or the server works with, opened in one order.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use lectern_analytics::Analytics;
use lectern_egress::Egress;
use lectern_library::Library;
use lectern_lms::{IdentityFold, Lms};
use lectern_lrs::Lrs;
use lectern_lrs::evidence::{Evidence, SigningKey, known_key};
use lectern_store::Store;
use tokio_util::sync::CancellationToken;

use crate::backup;

/// The two stores of a state folder.
pub const RECORDS: &str = "records.redb";
/// See [`RECORDS`].
pub const LIBRARY: &str = "library.redb";

/// redb's default is 1 GiB for each file; these keep the daemon small.
const RECORDS_CACHE_BYTES: usize = 32 << 20;
const LIBRARY_CACHE_BYTES: usize = 16 << 20;
/// Writes stop while no more than this is free, before redb meets a full disk.
const RESERVE_BYTES: u64 = 64 << 20;

/// How long to wait for a state folder that another process has, and how often to look.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
const LOCK_LOOK: Duration = Duration::from_millis(100);

/// The rooms, joined.
#[derive(Clone)]
pub struct Services {
    /// The state folder
    pub state: PathBuf,
    /// What learners did, people, settings, audit
    pub records: Store,
    /// What the box holds: videos, jobs
    pub library_store: Store,
    /// Statements, documents, credentials, upstreams
    pub lrs: Lrs,
    /// Its heads, its key, its verification
    pub evidence: Evidence,
    /// People, roles, sessions, registrations
    pub lms: Lms,
    /// Retention and progress
    pub analytics: Analytics,
    /// Videos, versions, uploads, jobs
    pub library: Library,
    /// The one way out
    pub egress: Egress,
    /// Whether a daemon serves people with it, who must not wait for a command
    pub serves: bool,
}

impl Services {
    /// Opens the state folder, making what is missing. Blocking, but quick: stores open without a scan.
    ///
    /// # Errors
    /// The folder cannot be written, another process has the stores, a store is damaged or newer than this program.
    pub fn open(state: &Path) -> anyhow::Result<Self> {
        make_private(state)?;
        let state = fs::canonicalize(state)?;
        // The stores are also the lock of the folder: nothing else is touched before they are ours.
        let records = open_store(&state, RECORDS)?;
        backup::remove_leftovers(&state);
        let keys = state.join("keys");
        let sealing_key = secret_file(&keys, "sealing.key", || {
            Ok(rand::random::<[u8; 32]>().into())
        })?
        .try_into()
        .map_err(|_| {
            anyhow::anyhow!(
                "{}/sealing.key is damaged: it must hold 32 bytes",
                keys.display()
            )
        })?;
        let library_store = open_store(&state, LIBRARY)?;
        let lms = Lms::open(records.clone())?;
        let options = lectern_lrs::Options {
            sealing_key: Some(sealing_key),
            ..lectern_lrs::Options::default()
        };
        let lrs = Lrs::open_with(
            records.clone(),
            vec![Analytics::fold(), Arc::new(IdentityFold)],
            options,
        )?;
        let evidence = open_evidence(&keys, &lrs)?;
        let analytics = Analytics::new(lrs.clone());
        let library = Library::open(
            library_store.clone(),
            &state,
            lectern_library::Options::default(),
        )?;
        Ok(Self {
            state,
            records,
            library_store,
            lrs,
            evidence,
            lms,
            analytics,
            library,
            egress: Egress::new(&lectern_egress::Options::default())?,
            serves: false,
        })
    }

    /// [`Services::open`], off the runtime's threads; waits a while for another process that has the folder: a
    /// command that is about to end, a daemon on its way down.
    ///
    /// # Errors
    /// As [`Services::open`].
    pub async fn open_when_free(state: &Path) -> anyhow::Result<Self> {
        let end = Instant::now() + LOCK_PATIENCE;
        loop {
            let folder = state.to_owned();
            match tokio::task::spawn_blocking(move || Self::open(&folder)).await? {
                Err(error) if is_in_use(&error) && Instant::now() < end => {
                    tokio::time::sleep(LOCK_LOOK).await;
                }
                other => return other,
            }
        }
    }

    /// The rooms as the web takes them.
    pub fn rooms(&self) -> lectern_web::app::Rooms {
        lectern_web::app::Rooms {
            records: self.records.clone(),
            library_store: self.library_store.clone(),
            lrs: self.lrs.clone(),
            evidence: self.evidence.clone(),
            lms: self.lms.clone(),
            analytics: self.analytics.clone(),
            library: self.library.clone(),
            egress: self.egress.clone(),
        }
    }

    /// Forwards statements upstream until cancelled.
    pub async fn forward(&self, stop: CancellationToken) {
        lectern_lrs::forward::run(self.lrs.clone(), self.egress.clone(), stop).await;
    }

    /// Pulls statements from other record stores until cancelled.
    pub async fn pull(&self, stop: CancellationToken) {
        let lms = self.lms.clone();
        let identity = Arc::new(move || lms.identity().unwrap_or_default());
        lectern_lrs::pull::run(self.lrs.clone(), self.egress.clone(), identity, stop).await;
    }

    /// Signs the log once a day and verifies it when asked, until cancelled.
    pub async fn keep_evidence(&self, stop: CancellationToken) {
        lectern_lrs::evidence::run(self.evidence.clone(), stop).await;
    }

    /// Closes the stores: what was answered is on disk, and the files are whole without repair.
    pub fn close(&self) {
        self.lrs.close();
        self.lms.close();
        self.library_store.close();
        self.records.close();
    }
}

/// Whether an error says that another process has the state folder.
pub fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<lectern_store::Error>(),
        Some(lectern_store::Error::InUse(_))
    )
}

/// How a store of this name is opened.
pub fn store_options(name: &str) -> lectern_store::Options {
    let (cache_bytes, migrations) = match name {
        LIBRARY => (LIBRARY_CACHE_BYTES, lectern_library::MIGRATIONS),
        _ => (RECORDS_CACHE_BYTES, &[][..]),
    };
    lectern_store::Options {
        cache_bytes,
        reserve_bytes: RESERVE_BYTES,
        migrations,
        ..lectern_store::Options::default()
    }
}

fn open_store(state: &Path, name: &str) -> anyhow::Result<Store> {
    let opened = Store::open(&state.join(name), store_options(name));
    let is_taken = matches!(opened, Err(lectern_store::Error::InUse(_)));
    let opened = opened.with_context(|| format!("opening {name} in {}", state.display()));
    match is_taken {
        true => opened
            .context("another lecternd uses this state folder. Ask that daemon, or stop it first"),
        false => opened,
    }
}

/// Makes a folder, and those above it, for the daemon's own user alone.
pub fn make_private(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {}", folder.display()))
}

/// The evidence with its key, which is made when nothing was ever signed. A box that has lost its key says so and signs
/// nothing: a new key would make all earlier heads those of somebody else.
fn open_evidence(keys: &Path, lrs: &Lrs) -> anyhow::Result<Evidence> {
    const KEY: &str = "evidence.key";
    let known = known_key(lrs)?;
    let is_lost = known.is_some() && !keys.join(KEY).exists();
    let key = if is_lost {
        None
    } else {
        let document = secret_file(keys, KEY, || Ok(SigningKey::make()?))?;
        SigningKey::from_pkcs8(&document).ok()
    };
    let evidence = Evidence::open(lrs.clone(), key)?;
    if !evidence.can_sign() {
        let expected = known.map(|key| key.fingerprint().to_string());
        tracing::error!(
            event = "evidence.key",
            expected,
            "the box's evidence key is missing, damaged or another one: nothing is signed"
        );
    }
    Ok(evidence)
}

/// A secret of the box, made once, readable by the daemon alone.
fn secret_file(
    folder: &Path,
    name: &str,
    make: impl FnOnce() -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Vec<u8>> {
    make_private(folder)?;
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = make()?;
            let scratch = folder.join(format!(".{name}.new"));
            let mut file = fs::File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&scratch)?;
            file.write_all(&secret)?;
            file.sync_all()?;
            fs::rename(&scratch, &path)?;
            fs::File::open(folder)?.sync_all()?;
            Ok(secret)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
