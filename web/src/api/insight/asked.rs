//! Of which video and version figures are asked, and whether this caller may have them.

use lectern_analytics::{Analytics, Viewers};
use lectern_library::{VersionInfo, Video, VideoId};
use lectern_lms::CompletionRule;
use uuid::Uuid;

use super::rule_of;
use crate::access;
use crate::api::videos::activity_id;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;

/// What figures are asked of, by somebody who may.
pub(super) struct Asked {
    /// Of this version
    pub version: VersionInfo,
    /// The box's identity
    pub identity: String,
    /// The video's activity
    pub activity: String,
    /// The box's rule
    pub rule: CompletionRule,
}

impl Asked {
    /// Figures that point at nobody. Blocking.
    pub fn figures(
        app: &App,
        caller: &Caller,
        id: VideoId,
        version: Option<u32>,
    ) -> Result<Self, Problem> {
        let video = app.library.video(id)?;
        if !access::may_see_figures(&video, Some(&caller.person)) {
            return Err(Problem::not_found("video"));
        }
        Self::new(app, &video, version)
    }

    /// Individuals' records. Blocking.
    pub fn individuals(
        app: &App,
        caller: &Caller,
        id: VideoId,
        version: Option<u32>,
    ) -> Result<Self, Problem> {
        let video = app.library.video(id)?;
        if !access::may_see_who(&video, Some(&caller.person)) {
            return Err(Problem::forbidden(
                "Individuals' records of this video are not for you. Its owner can name you.",
            ));
        }
        Self::new(app, &video, version)
    }

    fn new(app: &App, video: &Video, version: Option<u32>) -> Result<Self, Problem> {
        let version = match version {
            Some(number) => video.version(number),
            // The newest, also while nothing of it plays yet: its figures are empty then.
            None => video.versions.first(),
        };
        let identity = app.lms.identity()?;
        Ok(Self {
            version: version
                .ok_or_else(|| Problem::not_found("version"))?
                .clone(),
            activity: activity_id(&identity, video.id),
            identity,
            rule: app.lms.settings()?.completion_rule,
        })
    }

    /// Some of the viewers. Blocking.
    pub fn page(
        &self,
        analytics: &Analytics,
        after: Option<(Uuid, String)>,
        limit: usize,
    ) -> Result<Viewers, Problem> {
        Ok(analytics.viewers(
            &self.activity,
            self.version.version,
            self.version.duration_ms,
            rule_of(self.rule),
            after,
            limit,
        )?)
    }
}
