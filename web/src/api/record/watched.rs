//! What somebody watched: a line for each version of each video in which anything is kept of them.

use lectern_library::{Video, VideoId};
use lectern_lms::{Person, Registration, Viewer};
use lectern_xapi::Ifi;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access;
use crate::api::insight::rule_of;
use crate::api::statements::Sight;
use crate::api::time;
use crate::api::videos::activity_id;
use crate::problem::Problem;

/// What somebody watched of a version of a video
#[derive(Serialize, ToSchema)]
#[schema(as = Watched)]
pub(super) struct WatchedOut {
    /// Which video
    #[schema(value_type = Uuid)]
    video: String,
    /// Its title; not there when the video is not, or is not for whoever reads this
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Which version
    version: u32,
    /// Under which registration
    registration: Uuid,
    /// How long the version is
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// Seen at least once: seconds of media time, from and to
    #[schema(value_type = Vec<Vec<f64>>)]
    segments: Vec<[f64; 2]>,
    /// Seen at least twice
    #[schema(value_type = Vec<Vec<f64>>)]
    replayed: Vec<[f64; 2]>,
    /// Share of the runtime seen at least once, 0 to 1
    watched: f64,
    /// Whether that is completed by the box's rule
    completed: bool,
    /// Time on the video
    time_ms: u64,
    /// When a statement last came
    #[schema(format = DateTime)]
    last_seen: String,
    /// Segments that were implausible and are not counted
    implausible: usize,
}

/// Some lines, and after which video the next begin.
pub(super) struct Page {
    pub items: Vec<WatchedOut>,
    pub next: Option<String>,
}

/// The lines of `limit` videos, those added last first (ids of videos rise with time). Blocking.
pub(super) fn page(
    sight: &mut Sight<'_>,
    person: &Person,
    after: Option<String>,
    limit: usize,
) -> Result<Page, Problem> {
    let registrations = sight.app().lms.registrations(&Viewer::Person(person.id))?;
    let mut rest = registrations
        .into_iter()
        .rev()
        .filter(|one| after.as_ref().is_none_or(|after| one.video < *after));
    let (mut items, mut last) = (Vec::new(), None);
    for registration in rest.by_ref().take(limit) {
        lines(sight, &registration, &mut items)?;
        last = Some(registration.video);
    }
    let next = last.filter(|_| rest.next().is_some());
    Ok(Page { items, next })
}

fn lines(
    sight: &mut Sight<'_>,
    registration: &Registration,
    lines: &mut Vec<WatchedOut>,
) -> Result<(), Problem> {
    let Ok(id) = registration.video.parse::<VideoId>() else {
        return Ok(());
    };
    if !sight.may_see_who(id)? {
        return Ok(());
    }
    let app = sight.app();
    let rule = rule_of(app.lms.settings()?.completion_rule);
    let activity = activity_id(sight.identity(), id);
    let actor = Ifi::account(sight.identity(), &registration.actor);
    let reader = sight.reader();
    let video = sight.video(id)?;
    let title = video
        .filter(|video| access::may_see(video, Some(reader)))
        .map(|video| video.title.clone());
    // Of a video that is gone, only the version last watched is known.
    for (version, duration_ms) in video.map_or_else(|| vec![(None, None)], versions) {
        let progress = app.analytics.progress(
            &activity,
            version,
            registration.registration,
            &actor,
            duration_ms,
            rule,
        )?;
        lines.extend(progress.map(|progress| WatchedOut {
            video: registration.video.clone(),
            title: title.clone(),
            version: progress.version,
            registration: registration.registration,
            duration_ms,
            segments: progress.segments,
            replayed: progress.replayed,
            watched: progress.watched,
            completed: progress.completed,
            time_ms: progress.time_ms,
            last_seen: time::text(progress.last_seen),
            implausible: progress.implausible,
        }));
    }
    Ok(())
}

fn versions(video: &Video) -> Vec<(Option<u32>, Option<u64>)> {
    let versions = video.versions.iter();
    versions
        .map(|version| (Some(version.version), version.duration_ms))
        .collect()
}
