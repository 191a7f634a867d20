//! A video as one caller sees it: with names in place of ids, with addresses only for those who may
//! watch.

use std::collections::HashMap;
use std::sync::Arc;

use lectern_library::{TextKind, VersionInfo, Video, VideoId};
use lectern_lms::Person;
use lectern_vod::package::Package;

use super::activity_id;
use super::mine::Mine;
use super::shapes::{NamedPerson, RenditionOut, StoryboardOut, VersionOut, VideoItem, VideoOut};
use crate::access;
use crate::api::texts;
use crate::api::time;
use crate::app::App;
use crate::problem::Problem;

/// The caller, and what one request has looked up already. Blocking.
pub(super) struct Viewer<'a> {
    app: &'a App,
    person: Option<&'a Person>,
    identity: String,
    mine: Mine<'a>,
    names: HashMap<String, String>,
}

impl<'a> Viewer<'a> {
    pub(super) fn new(app: &'a App, person: Option<&'a Person>) -> Result<Self, Problem> {
        let identity = app.lms.identity()?;
        Ok(Self {
            app,
            person,
            mine: Mine::new(app, person, &identity)?,
            identity,
            names: HashMap::new(),
        })
    }

    /// For a list.
    pub(super) fn item(&mut self, video: &Video) -> Result<VideoItem, Problem> {
        let newest = video
            .versions
            .first()
            .ok_or_else(|| Problem::internal("a video without a version"))?;
        let newest_package = self.package(video.id, newest)?;
        // While a new version is made, the picture of the one before stands for the video.
        let shown = video.newest_watchable().unwrap_or(newest);
        let shown_package = self.package(video.id, shown)?;
        let renditions = newest_package
            .as_ref()
            .map(|package| package.renditions())
            .unwrap_or_default();
        let activity_id = activity_id(&self.identity, video.id);
        let languages = self.app.library.texts(TextKind::Captions).list(video.id)?;
        Ok(VideoItem {
            id: video.id.to_string(),
            title: video.title.clone(),
            language: video.language.clone(),
            visibility: video.visibility,
            owner: video.owner.clone(),
            owner_name: self.name(&video.owner)?,
            created: time::text(video.created),
            version: newest.version,
            state: newest.state,
            progress: newest.progress,
            eta_ms: newest.eta_ms,
            duration_ms: newest.duration_ms.or(shown.duration_ms),
            error: newest.error.clone(),
            waiting_for: newest.waiting_for.clone(),
            renditions_done: renditions
                .iter()
                .filter(|rendition| rendition.complete)
                .count(),
            renditions_total: newest_package
                .as_ref()
                .map_or(0, |package| package.planned.len()),
            poster: self.poster(video, shown, shown_package.as_deref()),
            needs_review: languages.iter().any(|info| info.machine.is_some()),
            captions: languages.into_iter().map(|info| info.language).collect(),
            mine: self.mine.of(video, &activity_id)?,
            may_edit: access::may_edit(video, self.person),
            activity_id,
        })
    }

    /// For its own page.
    pub(super) fn whole(&mut self, video: &Video) -> Result<VideoOut, Problem> {
        let may_edit = access::may_edit(video, self.person);
        let versions = video
            .versions
            .iter()
            .map(|info| self.version(video, info, may_edit));
        let versions = versions.collect::<Result<_, _>>()?;
        let mut people = Vec::new();
        for id in video.people.iter().filter(|_| may_edit) {
            people.push(NamedPerson {
                id: id.clone(),
                name: self.name(id)?,
            });
        }
        let activity_id = activity_id(&self.identity, video.id);
        Ok(VideoOut {
            id: video.id.to_string(),
            title: video.title.clone(),
            language: video.language.clone(),
            visibility: video.visibility,
            owner: video.owner.clone(),
            owner_name: self.name(&video.owner)?,
            created: time::text(video.created),
            versions,
            captions: texts::of(&self.app.library, TextKind::Captions, video.id)?,
            descriptions: texts::of(&self.app.library, TextKind::Descriptions, video.id)?,
            people,
            mine: self.mine.of(video, &activity_id)?,
            may_edit,
            may_see_who: access::may_see_who(video, self.person),
            activity_id,
        })
    }

    fn version(
        &self,
        video: &Video,
        info: &VersionInfo,
        may_edit: bool,
    ) -> Result<VersionOut, Problem> {
        let package = self.package(video.id, info)?;
        let renditions = package
            .as_ref()
            .map(|package| package.renditions())
            .unwrap_or_default();
        let renditions = renditions.into_iter().map(|rendition| RenditionOut {
            width: rendition.width,
            height: rendition.height,
            language: rendition.language.map(String::from),
            label: rendition.label.map(String::from),
            bitrate_bps: rendition.bitrate_bps,
            codecs: rendition.codecs.to_string(),
            made: rendition.made,
            reason: rendition.reason.to_string(),
            complete: rendition.complete,
        });
        Ok(VersionOut {
            version: info.version,
            state: info.state,
            progress: info.progress,
            eta_ms: info.eta_ms,
            duration_ms: info.duration_ms,
            error: info.error.clone(),
            waiting_for: info.waiting_for.clone(),
            // What is past says nothing: its turn has not come yet.
            waiting_until: info
                .waiting_until
                .filter(|until| *until > self.app.now())
                .map(time::text),
            can_hurry: info.can_hurry,
            report: info.report.clone(),
            renditions: renditions.collect(),
            poster: self.poster(video, info, package.as_deref()),
            storyboard: self.storyboard(video, info, package.as_deref()),
            created: time::text(info.created),
            original_name: may_edit.then(|| info.source.original_name.clone()),
            package_hash: info.package_hash.map(|hash| hash.to_string()),
        })
    }

    fn poster(
        &self,
        video: &Video,
        info: &VersionInfo,
        package: Option<&Package>,
    ) -> Option<String> {
        package?.poster.as_ref()?;
        Some(format!(
            "{}{}",
            self.base(video, info)?,
            Package::POSTER_FILE
        ))
    }

    fn storyboard(
        &self,
        video: &Video,
        info: &VersionInfo,
        package: Option<&Package>,
    ) -> Option<StoryboardOut> {
        let storyboard = package?.storyboard.as_ref()?;
        let base = self.base(video, info)?;
        let sheets =
            (1..=storyboard.sheets).map(|n| format!("{base}{}", Package::storyboard_file(n)));
        Some(StoryboardOut {
            interval_ms: storyboard.interval_ms,
            width: storyboard.width,
            height: storyboard.height,
            columns: storyboard.columns,
            rows: storyboard.rows,
            sheets: sheets.collect(),
        })
    }

    /// Where a version's files are; it holds the key, so only for those who may watch.
    fn base(&self, video: &Video, info: &VersionInfo) -> Option<String> {
        let may = access::may_watch(video, self.person) || access::may_edit(video, self.person);
        may.then(|| format!("/media/{}/{}/{}/", video.id, info.version, info.key))
    }

    fn package(&self, video: VideoId, info: &VersionInfo) -> Result<Option<Arc<Package>>, Problem> {
        self.app.packages.get(&self.app.library, video, info)
    }

    /// A person's name; empty when they are gone.
    fn name(&mut self, id: &str) -> Result<String, Problem> {
        if let Some(name) = self.names.get(id) {
            return Ok(name.clone());
        }
        let person = self.app.person(id)?;
        let name = person.map(|person| person.display_name).unwrap_or_default();
        self.names.insert(id.to_owned(), name.clone());
        Ok(name)
    }
}
