//! The system page in one answer: what is bad first, then what soon will be, then what is well.

mod checks;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs;
use crate::app::App;
use crate::client::Client;
use crate::extract::blocking;
use crate::problem::Problem;

pub(crate) use checks::{Facts, UpstreamFacts};

/// Failed versions counted; more are as bad as so many.
const MOST_FAILED: usize = 1000;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(system))
}

/// How the box does
#[derive(Serialize, ToSchema)]
#[schema(as = System)]
struct SystemOut {
    /// Lectern's version
    version: String,
    /// Since the server started
    uptime_s: u64,
    /// The disk that holds films and records
    disk: DiskOut,
    /// Bad first, then soon, then ok
    checks: Vec<Check>,
    /// Encoding
    jobs: JobCounts,
    /// How devices reach the box in private
    https: HttpsOut,
    /// Memory that the daemon holds
    memory_bytes: u64,
    /// Statements ever stored
    statements: u64,
    /// Statements that charts do not show yet
    fold_lag: u64,
    /// When the last backup was made
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_backup: Option<String>,
}

/// Space, in bytes
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Disk)]
struct DiskOut {
    /// Free
    free: u64,
    /// In all
    total: u64,
    /// Uploads and jobs stop when no more than this is free
    floor: u64,
}

/// Jobs by state
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct JobCounts {
    /// Waiting
    queued: usize,
    /// Running
    running: usize,
    /// Videos whose newest version failed
    failed: usize,
}

/// HTTPS
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Https)]
struct HttpsOut {
    /// Whether it is switched on
    enabled: bool,
    /// Where, as this client reaches the box
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The fingerprint of the box's authority, as devices show it
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_sha256: Option<String>,
}

/// How something does
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CheckState)]
pub(crate) enum Health {
    /// Something does not work
    Bad,
    /// Something will not work soon unless somebody acts
    Soon,
    /// All is well
    Ok,
}

/// One thing that was looked at
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Its stable name, unlike all others
    pub(crate) id: String,
    /// How it does
    pub(crate) state: Health,
    /// For a person
    pub(crate) title: String,
    /// What was found
    pub(crate) detail: String,
    /// What to do
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<String>,
}

/// How the box does
#[utoipa::path(get, path = "/api/v1/system", tag = "system", responses(
    (status = 200, description = "Health, disk, jobs", body = SystemOut)))]
async fn system(State(app): State<App>, client: Client) -> Result<Json<SystemOut>, Problem> {
    blocking(move || {
        let now = app.now();
        let facts = Facts::gather(&app, now)?;
        let jobs = app.library.jobs()?;
        let running = jobs.iter().filter(|job| job.is_running).count();
        let failed = jobs::failed(&app, MOST_FAILED)?.len();
        let counts = JobCounts {
            queued: jobs.len() - running,
            running,
            failed,
        };
        let uptime_s = u64::try_from(now.as_second() - app.started.as_second()).unwrap_or_default();
        Ok::<_, Problem>(Json(SystemOut {
            version: app.config.version.clone(),
            uptime_s,
            disk: DiskOut {
                free: facts.disk.free_bytes,
                total: facts.disk.total_bytes,
                floor: facts.disk.floor_bytes,
            },
            checks: facts.checks(failed),
            jobs: counts,
            https: HttpsOut {
                enabled: app.has_certificate(),
                url: app.https_url(&client),
                ca_sha256: app.authority(|authority| authority.ca_sha256()),
            },
            memory_bytes: memory_bytes(),
            statements: facts.statements,
            fold_lag: facts.fold_lag,
            last_backup: facts.last_backup.map(super::time::text),
        }))
    })
    .await
}

/// Resident memory, from the kernel; 0 where it does not tell.
pub(crate) fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
