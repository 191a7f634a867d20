//! What every handler works with: the rooms, the configuration, and what lives as long as the server.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use lectern_analytics::Analytics;
use lectern_egress::Egress;
use lectern_library::Library;
use lectern_lms::{Lms, Network, Person, PersonId, PlainHttp};
use lectern_lrs::Lrs;
use lectern_lrs::evidence::Evidence;
use lectern_store::Store;
use lectern_xapi::Version;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::upstreams::Lags;
use crate::chips::Chips;
use crate::client::{Client, Scheme};
use crate::events::Events;
use crate::media::Packages;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::tls::{self, Authority};

/// The rooms, opened by the daemon.
pub struct Rooms {
    /// `records.redb`, for its figures
    pub records: Store,
    /// `library.redb`, for its figures
    pub library_store: Store,
    /// Statements, documents, credentials, upstreams
    pub lrs: Lrs,
    /// The record store's signed heads and its verification
    pub evidence: Evidence,
    /// People, roles, sessions, registrations
    pub lms: Lms,
    /// Retention and progress
    pub analytics: Analytics,
    /// Videos, versions, uploads, jobs
    pub library: Library,
    /// The one way out
    pub egress: Egress,
}

/// Writes the archive of everything; blocking.
pub type Backup = Arc<dyn Fn(&mut dyn io::Write) -> Result<(), String> + Send + Sync>;

/// The short film that an empty box offers.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The film
    pub film: PathBuf,
    /// Its captions (WebVTT)
    pub captions: Option<PathBuf>,
    /// Its title on the page
    pub title: String,
    /// BCP 47, of film and captions
    pub language: String,
}

/// What must be known before the first request.
#[derive(Clone)]
pub struct Config {
    /// The state folder; `tls/` lies in it
    pub state: PathBuf,
    /// Lectern's version
    pub version: String,
    /// Where plain HTTP listens
    pub http: SocketAddr,
    /// Where HTTPS listens, when it does
    pub https: Option<SocketAddr>,
    /// Names by which the box is reached, beside those of the machine
    pub host_names: Vec<String>,
    /// How an xAPI request without a version is labelled
    pub xapi_default: Version,
    /// The sample lecture, when this build has one
    pub sample: Option<Sample>,
    /// Makes a backup
    pub backup: Option<Backup>,
}

/// The application's state; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] points at.
pub struct Parts {
    /// The rooms
    pub rooms: Rooms,
    /// Fixed at the start
    pub config: Config,
    /// What happened, for pages that watch
    pub events: Events,
    /// Counters and histograms
    pub metrics: Metrics,
    /// Cancelled when the server stops: event streams and other long answers end
    pub shutdown: CancellationToken,
    /// Packages as parsed from the library
    pub packages: Packages,
    /// What the machine's chips can do
    pub chips: Chips,
    /// When the server started
    pub started: Timestamp,
    /// How many statements waited for each upstream in the last hour
    pub(crate) lags: Lags,
    /// One backup at a time is downloaded
    pub(crate) backup_turn: Arc<Semaphore>,
    /// And one export of the evidence
    pub(crate) evidence_turn: Arc<Semaphore>,
    authority: Option<Mutex<Authority>>,
    live: RwLock<Arc<Live>>,
}

/// Settings that every request looks at, kept parsed.
#[derive(Debug)]
struct Live {
    trusted_proxies: Vec<Network>,
    plain_http: PlainHttp,
    site_name: String,
}

impl App {
    /// The person of that id; none for what is no id, and for who is gone. Blocking.
    pub(crate) fn person(&self, id: &str) -> Result<Option<Person>, Problem> {
        match id.parse().map(PersonId) {
            Ok(id) => Ok(self.lms.person(id)?),
            Err(_) => Ok(None),
        }
    }

    /// Joins the rooms; makes the box's authority when HTTPS is on.
    ///
    /// # Errors
    /// The certificate folder or the settings cannot be read.
    pub fn new(
        rooms: Rooms,
        config: Config,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let started = Timestamp::now();
        let authority = match config.https {
            Some(_) => Some(Mutex::new(Authority::open(
                &config.state.join("tls"),
                started,
            )?)),
            None => None,
        };
        let live = RwLock::new(Arc::new(live(&rooms.lms)?));
        let metrics = Metrics::new()?;
        let events = Events::new();
        let backup_turn = Arc::new(Semaphore::new(1));
        let evidence_turn = Arc::new(Semaphore::new(1));
        Ok(Self(Arc::new(Parts {
            rooms,
            config,
            events,
            packages: Packages::default(),
            chips: Chips::default(),
            lags: Lags::default(),
            metrics,
            shutdown,
            started,
            backup_turn,
            evidence_turn,
            authority,
            live,
        })))
    }

    /// The time; nothing else here reads the clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Does something with the box's authority, when there is one.
    pub fn authority<T>(&self, work: impl FnOnce(&mut Authority) -> T) -> Option<T> {
        let authority = self.0.authority.as_ref()?;
        Some(work(
            &mut authority.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// Whether the box has a certificate, so that set-up need not go over plain HTTP.
    pub fn has_certificate(&self) -> bool {
        self.0.authority.is_some()
    }

    /// The HTTPS address of this box as this client reaches it; `None` where it does not: HTTPS is off, or listens on
    /// loopback and the client is elsewhere.
    pub fn https_url(&self, client: &Client) -> Option<String> {
        let address = self.config.https?;
        if client.scheme == Scheme::Https {
            return Some(client.origin());
        }
        if address.ip().is_loopback() && !client.is_loopback {
            return None;
        }
        let port = address.port();
        let host = match client.host_name() {
            "" => "localhost",
            name => name,
        };
        Some(if port == 443 {
            format!("https://{host}")
        } else {
            format!("https://{host}:{port}")
        })
    }

    /// Reads the settings anew, after they were changed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn refresh_settings(&self) -> Result<(), Problem> {
        let fresh = live(&self.rooms.lms).map_err(Problem::internal)?;
        *self.0.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Proxies whose forwarding headers are believed.
    pub fn trusted_proxies(&self) -> Vec<Network> {
        self.live().trusted_proxies.clone()
    }

    /// Who may sign in over plain HTTP from elsewhere.
    pub fn plain_http(&self) -> PlainHttp {
        self.live().plain_http
    }

    /// The box's name on the pages.
    pub fn site_name(&self) -> String {
        self.live().site_name.clone()
    }

    fn live(&self) -> Arc<Live> {
        self.0
            .live
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What keeps the application from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The settings
    #[error("reading the settings: {0}")]
    Settings(#[from] lectern_lms::Error),
    /// A metric is named twice
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

fn live(lms: &Lms) -> Result<Live, lectern_lms::Error> {
    let settings = lms.settings()?;
    let parsed = settings
        .trusted_proxies
        .iter()
        .filter_map(|text| text.parse().ok());
    Ok(Live {
        trusted_proxies: parsed.collect(),
        plain_http: settings.plain_http,
        site_name: settings.site_name,
    })
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Deref for Parts {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.rooms
    }
}
