//! What the box is encoding, will encode, and could not.

use axum::extract::State;
use lectern_library::{Error, JobId, JobInfo, Query, VersionInfo, VersionState, Video, VideoId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;
use crate::extract::{self, List, Page, Params, blocking};
use crate::problem::Problem;

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
    /// Why it waits, when it does not only wait for its turn
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    /// When it was queued, or its source attached
    #[schema(format = DateTime)]
    created: String,
    /// When it is tried again or may begin, if it waits for that
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

/// Where a page ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Place {
    /// At a job
    UnderWay(Rank),
    /// At a video whose newest version has failed
    Failed(VideoId),
}

/// Whether it waits, and its place in the queue.
type Rank = (bool, JobId);

fn rank(job: &JobInfo) -> Rank {
    (!job.is_running, job.id)
}

/// Running, then queued, then failed (the newest first)
#[utoipa::path(get, path = "/api/v1/jobs", tag = "system", params(Page), responses(
    (status = 200, description = "A page of those that run, wait or failed", body = List<JobOut>)))]
async fn list(State(app): State<App>, Params(page): Params<Page>) -> Result<List<JobOut>, Problem> {
    let limit = page.limit();
    let after: Option<Place> = page.after()?;
    blocking(move || {
        let (mut items, mut last) = (Vec::new(), after);
        if !matches!(after, Some(Place::Failed(_))) {
            for job in jobs_behind(&app, after)? {
                if items.len() == limit {
                    return list_until(items, last);
                }
                last = Some(Place::UnderWay(rank(&job)));
                match app.library.video(job.video) {
                    Ok(video) => items.extend(under_way(&job, &video, &app)),
                    // Removed while we looked.
                    Err(Error::NotFound(_)) => {}
                    Err(error) => return Err(Problem::from(error)),
                }
            }
        }
        let after = match after {
            Some(Place::Failed(video)) => Some(video),
            _ => None,
        };
        let room = limit - items.len();
        let failed = failed_page(&app, after, room.max(1))?;
        if room == 0 {
            return list_until(items, last.filter(|_| !failed.videos.is_empty()));
        }
        for video in &failed.videos {
            if let Some(version) = video.versions.first() {
                let id = format!("{}-{}", video.id, version.version);
                items.push(out(id, video, version, JobState::Failed));
            }
        }
        list_until(items, failed.next.map(Place::Failed))
    })
    .await
}

fn list_until(items: Vec<JobOut>, last: Option<Place>) -> Result<List<JobOut>, Problem> {
    let next = last.as_ref().map(extract::cursor).transpose()?;
    Ok(List { items, next })
}

fn jobs_behind(app: &App, after: Option<Place>) -> Result<Vec<JobInfo>, Problem> {
    let mut jobs = app.library.jobs()?;
    jobs.sort_by_key(rank);
    if let Some(Place::UnderWay(after)) = after {
        jobs.retain(|job| rank(job) > after);
    }
    Ok(jobs)
}

fn under_way(job: &JobInfo, video: &Video, app: &App) -> Option<JobOut> {
    let version = video.version(job.version)?;
    let state = if job.is_running {
        JobState::Running
    } else {
        JobState::Queued
    };
    let next_try = job.waiting_until.unwrap_or(job.not_before);
    let waits = !job.is_running && next_try > app.now();
    Some(JobOut {
        created: time::text(job.queued),
        next_try: waits.then(|| time::text(next_try)),
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
        waiting_for: version.waiting_for.clone(),
        created: time::text(version.created),
        next_try: None,
    }
}

/// Videos whose newest version has failed: an older failure that was replaced needs nobody.
pub(crate) fn failed(app: &App, most: usize) -> Result<Vec<Video>, Problem> {
    let mut found = Vec::new();
    let mut after: Option<VideoId> = None;
    loop {
        let page = failed_page(app, after, most - found.len())?;
        found.extend(page.videos);
        match page.next {
            Some(next) if found.len() < most => after = Some(next),
            _ => return Ok(found),
        }
    }
}

/// So many of them, behind that video.
fn failed_page(
    app: &App,
    after: Option<VideoId>,
    limit: usize,
) -> Result<lectern_library::Page, Problem> {
    let query = Query {
        text: String::new(),
        after,
        limit,
    };
    let has_failed = |video: &Video| {
        let newest = video.versions.first();
        newest.is_some_and(|version| version.state == VersionState::Failed)
    };
    Ok(app.library.videos(&query, has_failed)?)
}
