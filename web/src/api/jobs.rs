//! What the box is encoding, will encode, and could not.

use axum::extract::State;
use lectern_library::{Error, JobInfo, Query, VersionInfo, VersionState, Video, VideoId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;
use crate::extract::{List, blocking};
use crate::problem::Problem;

/// Failed versions listed, newest videos first.
const MOST_FAILED: usize = 100;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A job, or a version whose job has failed
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
struct JobOut {
    /// The job, or video and version where it has ended
    id: String,
    /// The video
    #[schema(value_type = uuid::Uuid)]
    video: String,
    /// Its title
    title: String,
    /// The version
    version: u32,
    /// How it stands
    state: JobState,
    /// 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    progress: f32,
    /// Until it is ready, as the worker guesses
    #[serde(skip_serializing_if = "Option::is_none")]
    eta_ms: Option<u64>,
    /// Counts the packages made anew, from 1
    attempt: u32,
    /// Why it failed
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was queued, or its source attached
    #[schema(format = DateTime)]
    created: String,
    /// When it is tried again, if it waits for that
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_try: Option<String>,
}

/// How a job stands
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum JobState {
    /// A worker is at it
    Running,
    /// It waits
    Queued,
    /// It failed or was cancelled
    Failed,
}

/// Running, then queued, then failed
#[utoipa::path(get, path = "/api/v1/jobs", tag = "system", responses(
    (status = 200, description = "All that run or wait, and the newest that failed", body = List<JobOut>)))]
async fn list(State(app): State<App>) -> Result<List<JobOut>, Problem> {
    blocking(move || {
        let mut jobs = app.library.jobs()?;
        jobs.sort_by_key(|job| (!job.is_running, job.id));
        let mut items = Vec::with_capacity(jobs.len());
        for job in jobs {
            match app.library.video(job.video) {
                Ok(video) => items.extend(under_way(&job, &video, &app)),
                // Removed while we looked.
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(Problem::from(error)),
            }
        }
        for (video, version) in failed(&app, MOST_FAILED)? {
            items.push(out(
                format!("{}-{}", video.id, version.version),
                &video,
                &version,
                JobState::Failed,
            ));
        }
        Ok(List::whole(items))
    })
    .await
}

fn under_way(job: &JobInfo, video: &Video, app: &App) -> Option<JobOut> {
    let version = video.version(job.version)?;
    let state = if job.is_running {
        JobState::Running
    } else {
        JobState::Queued
    };
    let waits = !job.is_running && job.not_before > app.now();
    Some(JobOut {
        created: time::text(job.queued),
        next_try: waits.then(|| time::text(job.not_before)),
        ..out(job.id.to_string(), video, version, state)
    })
}

fn out(id: String, video: &Video, version: &VersionInfo, state: JobState) -> JobOut {
    JobOut {
        id,
        video: video.id.to_string(),
        title: video.title.clone(),
        version: version.version,
        state,
        progress: version.progress,
        eta_ms: version.eta_ms,
        attempt: version.attempt,
        error: version.error.clone(),
        created: time::text(version.created),
        next_try: None,
    }
}

/// Videos whose newest version has failed: an older failure that was replaced needs nobody.
pub(crate) fn failed(app: &App, most: usize) -> Result<Vec<(Video, VersionInfo)>, Problem> {
    let mut found = Vec::new();
    let mut after: Option<VideoId> = None;
    loop {
        let query = Query {
            text: String::new(),
            after,
            limit: 200,
        };
        let has_failed = |video: &Video| {
            video
                .versions
                .first()
                .is_some_and(|v| v.state == VersionState::Failed)
        };
        let page = app.library.videos(&query, has_failed)?;
        for video in page.videos {
            if let Some(version) = video.versions.first().cloned() {
                found.push((video, version));
            }
            if found.len() == most {
                return Ok(found);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}
