//! The two manifests: the only place under `/media` that asks who is there.

use std::sync::Arc;

use axum::response::Response;
use http::header;
use lectern_library::{Library, TextInfo, TextKind, VersionInfo, Video, VideoId};
use lectern_lms::Person;
use lectern_vod::manifest::{TextTrack, TextTrackKind};
use lectern_vod::names::Language;
use lectern_vod::package::Package;
use lectern_vod::{dash, hls};

use super::file::{self, Kind};
use super::{Asked, CHECKED};
use crate::access;
use crate::api::texts::label;
use crate::app::App;
use crate::auth;
use crate::client::Client;
use crate::extract::blocking;
use crate::problem::Problem;

/// Which manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Hls,
    Dash,
}

pub(super) async fn answer(
    app: App,
    client: Client,
    video: VideoId,
    version: u32,
    form: Form,
    asked: Asked,
) -> Result<Response, Problem> {
    let (text, asked) = blocking(move || {
        let info = admit(&app, &client, video, version, &asked)?;
        let package = package(&app, video, &info)?;
        let texts = tracks(&app.library, video)?;
        let base = format!("{}/", info.key);
        let text = match form {
            Form::Hls => hls::multivariant(&package, &texts, &base),
            Form::Dash => dash::mpd(&package, &texts, &base, app.now()),
        };
        Ok::<_, Problem>((text, asked))
    })
    .await?;
    let content_type = match form {
        Form::Hls => "application/vnd.apple.mpegurl",
        Form::Dash => "application/dash+xml",
    };
    let kind = Kind {
        content_type,
        cache: CHECKED,
    };
    Ok(file::text(text, kind, &asked))
}

/// The version, when whoever asks may watch it: by cookie, Bearer, or `?token=` of `play`.
fn admit(
    app: &App,
    client: &Client,
    video: VideoId,
    version: u32,
    asked: &Asked,
) -> Result<VersionInfo, Problem> {
    let found = app.library.video(video)?;
    let person = match token(&asked.query) {
        Some(token) => by_token(app, &token, video, version)?,
        None => by_headers(app, client, asked)?,
    };
    may_watch(&found, person.as_ref())?;
    let info = found.version(version).cloned();
    info.ok_or_else(|| Problem::not_found("version"))
}

fn may_watch(video: &Video, person: Option<&Person>) -> Result<(), Problem> {
    if access::may_watch(video, person) || access::may_edit(video, person) {
        return Ok(());
    }
    Err(match person {
        None => Problem::unauthorized(),
        Some(_) => Problem::forbidden("You may not watch this video. Its owner can name you."),
    })
}

fn by_token(
    app: &App,
    token: &str,
    video: VideoId,
    version: u32,
) -> Result<Option<Person>, Problem> {
    let grant = app.lms.media(token, app.now())?;
    let grant = grant.ok_or_else(Problem::unauthorized)?;
    if grant.video != video.to_string() || grant.version != version {
        return Err(Problem::forbidden("This token is for another video."));
    }
    match grant.person {
        None => Ok(None),
        Some(id) => {
            let person = app.lms.person(id)?.filter(|person| !person.disabled);
            person.map(Some).ok_or_else(Problem::unauthorized)
        }
    }
}

fn by_headers(app: &App, client: &Client, asked: &Asked) -> Result<Option<Person>, Problem> {
    let Some(caller) = auth::authenticate(app, client, &asked.headers)? else {
        return Ok(None);
    };
    if !asked.headers.contains_key(header::AUTHORIZATION) {
        auth::check_exposure(app, client, &caller.person.roles)?;
    }
    Ok(Some(caller.person))
}

/// The value of `token` in a query; it holds no escapes.
fn token(query: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(name, _)| *name == "token")
        .map(|(_, value)| value.to_owned())
}

/// The package, when a player can begin. What failed or was cancelled may have segments, but its list
/// would be waited at for ever.
pub(super) fn package(
    app: &App,
    video: VideoId,
    info: &VersionInfo,
) -> Result<Arc<Package>, Problem> {
    let package = match info.is_watchable() {
        true => app.packages.get(&app.library, video, info)?,
        false => None,
    };
    package
        .filter(|package| package.is_playable())
        .ok_or_else(|| Problem::not_found("playable version"))
}

/// A video's texts as manifests name them.
fn tracks(library: &Library, video: VideoId) -> Result<Vec<TextTrack>, Problem> {
    let mut tracks = Vec::new();
    for kind in TextKind::ALL {
        let infos = library.texts(kind).list(video)?;
        tracks.extend(infos.iter().filter_map(|info| track(kind, info)));
    }
    Ok(tracks)
}

/// `None` for a tag that no manifest can carry.
pub(super) fn track(kind: TextKind, info: &TextInfo) -> Option<TextTrack> {
    let (kind, label) = match kind {
        TextKind::Captions => (TextTrackKind::Captions, label(info)),
        // Menus of other players show all texts in one list.
        TextKind::Descriptions => (
            TextTrackKind::Descriptions,
            format!("{} (descriptions)", label(info)),
        ),
    };
    Some(TextTrack {
        kind,
        language: Language::new(info.language.as_str()).ok()?,
        label,
        revision: info.revision.into(),
        is_machine_made: info.machine.is_some(),
    })
}
