//! What the caller themselves has watched of a video, for lists and pages.

use std::collections::HashMap;

use lectern_analytics::Rule;
use lectern_library::Video;
use lectern_lms::{CompletionRule, Person, Registration, Viewer};
use lectern_xapi::Ifi;

use super::shapes::MineOut;
use crate::app::App;
use crate::problem::Problem;

/// The caller's registrations, by video.
pub(super) struct Mine<'a> {
    app: &'a App,
    registrations: HashMap<String, Registration>,
    rule: Rule,
    identity: String,
}

impl<'a> Mine<'a> {
    /// Looks them up once for a whole list. Blocking.
    pub(super) fn new(
        app: &'a App,
        person: Option<&Person>,
        identity: &str,
    ) -> Result<Self, Problem> {
        let registrations = match person {
            Some(person) => app.lms.registrations(&Viewer::Person(person.id))?,
            None => Vec::new(),
        };
        let registrations = registrations
            .into_iter()
            .map(|registration| (registration.video.clone(), registration));
        let rule = match app.lms.settings()?.completion_rule {
            CompletionRule::Watched { percent } => Rule::Watched { percent },
            CompletionRule::End => Rule::End,
        };
        Ok(Self {
            app,
            registrations: registrations.collect(),
            rule,
            identity: identity.to_owned(),
        })
    }

    /// `None` when nothing was watched.
    pub(super) fn of(&self, video: &Video, activity_id: &str) -> Result<Option<MineOut>, Problem> {
        let Some(registration) = self.registrations.get(&video.id.to_string()) else {
            return Ok(None);
        };
        let duration_ms = registration
            .version_pinned
            .and_then(|version| video.version(version))
            .or_else(|| video.newest_watchable())
            .and_then(|info| info.duration_ms);
        let progress = self.app.analytics.progress(
            activity_id,
            registration.version_pinned,
            registration.registration,
            &Ifi::account(&self.identity, &registration.actor),
            duration_ms,
            self.rule,
        )?;
        Ok(progress
            .filter(|progress| progress.started)
            .map(|progress| MineOut {
                watched: progress.watched,
                segments: progress.segments,
                replayed: progress.replayed,
                completed: progress.completed,
                resume_ms: progress.resume_ms,
            }))
    }
}
