//! What lies below a version's key: the files that its package lists, its media playlists, its
//! texts. A name is parsed into one of these or is not found, so no path ever comes from outside.

use std::path::PathBuf;

use axum::response::Response;
use lectern_library::{MediaKey, TextKind, VersionInfo, VideoId};
use lectern_vod::hls;
use lectern_vod::names::TrackId;
use lectern_vod::package::{Package, TrackKind};

use super::file::{self, Kind};
use super::packages::Listed;
use super::{Asked, GROWING, IMMUTABLE, manifest, number};
use crate::app::App;
use crate::auth;
use crate::extract::blocking;
use crate::problem::Problem;

/// A name below the key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Playlist(TrackId),
    Init(TrackId),
    Segment(TrackId, u32),
    Poster,
    Sheet(u32),
    Text {
        kind: TextKind,
        language: String,
        revision: u32,
        is_playlist: bool,
    },
}

/// A file of a package.
struct Lying {
    path: PathBuf,
    etag: String,
    kind: Kind,
}

pub(super) async fn answer(
    app: App,
    video: VideoId,
    version: u32,
    key: String,
    name: String,
    asked: Asked,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("file");
    let name = parse(&name).ok_or_else(missing)?;
    let key: MediaKey = key.parse().map_err(|_| missing())?;
    let listed = match app.packages.listed(&app.library_store, video, version) {
        Some(listed) => listed,
        None => {
            let app = app.clone();
            let read = move || {
                app.packages
                    .list(&app.library, &app.library_store, video, version)
            };
            blocking(read).await?.ok_or_else(missing)?
        }
    };
    if !auth::same(&listed.info.key.0, &key.0) {
        return Err(missing());
    }
    let Some(lying) = file_of(&listed, &name) else {
        return blocking(move || {
            let (text, kind) = text_of(&app, video, &listed, name)?.ok_or_else(missing)?;
            Ok::<_, Problem>(file::text(text, kind, &asked))
        })
        .await;
    };
    if file::is_known(&lying.etag, &asked) {
        return Ok(file::not_modified(&lying.etag, lying.kind));
    }
    let file = file::open(lying.path).await?;
    file::bytes(
        file,
        &lying.etag,
        lying.kind,
        &asked,
        &app.metrics.media_bytes,
    )
}

/// The file that a name stands for; none for texts and for what the package does not list.
fn file_of(Listed { info, package }: &Listed, name: &Name) -> Option<Lying> {
    // Its name and the package's attempt stand for the bytes, for good.
    let lies = |path: String, content_type| lying(info, path, "", content_type, IMMUTABLE);
    match name {
        Name::Init(track) => {
            media_type(package, track).map(|kind| lies(Package::init_file(track), kind))
        }
        Name::Segment(track, n) => {
            let listed = package.track(track).map_or(0, |track| track.segments.len());
            let n = usize::try_from(*n).unwrap_or(usize::MAX);
            let kind = media_type(package, track).filter(|_| (1..=listed).contains(&n));
            kind.map(|kind| lies(Package::segment_file(track, n), kind))
        }
        Name::Poster => {
            let path = Package::POSTER_FILE.to_owned();
            package.poster.map(|_| picture(package, info, path))
        }
        Name::Sheet(n) => {
            let board = package.storyboard.as_ref();
            let listed = board.map_or(0, |storyboard| storyboard.sheets);
            let path = Package::storyboard_file(*n);
            (1..=listed)
                .contains(n)
                .then(|| picture(package, info, path))
        }
        Name::Playlist(_) | Name::Text { .. } => None,
    }
}

/// What is printed for each request. Blocking.
fn text_of(
    app: &App,
    video: VideoId,
    Listed { info, package }: &Listed,
    name: Name,
) -> Result<Option<(String, Kind)>, Problem> {
    let playlist = |text: String| {
        let kind = Kind {
            content_type: "application/vnd.apple.mpegurl",
            cache: GROWING,
        };
        (text, kind)
    };
    Ok(match name {
        // As for the manifests: nobody should wait for what will not come.
        Name::Playlist(_) if !info.is_watchable() => None,
        Name::Playlist(track) => hls::media(package, &track).map(playlist),
        Name::Text {
            kind,
            language,
            revision,
            is_playlist,
        } => {
            let text = app
                .library
                .texts(kind)
                .get(video, &language, Some(revision))?;
            // One spelling, so that a cache keeps one copy.
            if text.info.language != language {
                return Ok(None);
            }
            match is_playlist {
                true => manifest::track(kind, &text.info)
                    .map(|track| playlist(hls::captions_playlist(package, &track))),
                false => {
                    let kind = Kind {
                        content_type: "text/vtt; charset=utf-8",
                        cache: IMMUTABLE,
                    };
                    Some((text.vtt, kind))
                }
            }
        }
        Name::Init(_) | Name::Segment(..) | Name::Poster | Name::Sheet(_) => None,
    })
}

/// Unlike segments, pictures may still be made better while the package grows.
fn picture(package: &Package, info: &VersionInfo, path: String) -> Lying {
    let (cache, revision) = match package.complete {
        true => (IMMUTABLE, 0),
        false => (GROWING, info.revision),
    };
    lying(info, path, &format!(".{revision}"), "image/jpeg", cache)
}

fn lying(
    info: &VersionInfo,
    path: String,
    revision: &str,
    content_type: &'static str,
    cache: &'static str,
) -> Lying {
    let name = path.replace('/', ".");
    Lying {
        etag: format!("\"{}.{}.{name}{revision}\"", info.version, info.attempt),
        path: info.package_dir.join(path),
        kind: Kind {
            content_type,
            cache,
        },
    }
}

fn media_type(package: &Package, track: &TrackId) -> Option<&'static str> {
    package.track(track).map(|track| match track.kind {
        TrackKind::Video { .. } => "video/mp4",
        TrackKind::Audio { .. } => "audio/mp4",
    })
}

fn parse(name: &str) -> Option<Name> {
    if name == Package::POSTER_FILE {
        return Some(Name::Poster);
    }
    let (folder, file) = name.split_once('/')?;
    match folder {
        "storyboard" => Some(Name::Sheet(number(file.strip_suffix(".jpg")?)?)),
        folder => match TextKind::named(folder) {
            Some(kind) => text(kind, file),
            None => track(folder, file),
        },
    }
}

fn text(kind: TextKind, file: &str) -> Option<Name> {
    let (stem, is_playlist) = match file.strip_suffix(".vtt") {
        Some(stem) => (stem, false),
        None => (file.strip_suffix(".m3u8")?, true),
    };
    // HLS names no descriptions.
    if is_playlist && kind == TextKind::Descriptions {
        return None;
    }
    let (language, revision) = stem.rsplit_once('.')?;
    Some(Name::Text {
        kind,
        language: language.to_owned(),
        revision: number(revision)?,
        is_playlist,
    })
}

fn track(folder: &str, file: &str) -> Option<Name> {
    let track = TrackId::new(folder).ok()?;
    match file {
        "index.m3u8" => Some(Name::Playlist(track)),
        "init.mp4" => Some(Name::Init(track)),
        _ => Some(Name::Segment(track, number(file.strip_suffix(".m4s")?)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_a_package_or_nothing() {
        let track = || TrackId::new("v480").unwrap();
        assert_eq!(parse("v480/index.m3u8"), Some(Name::Playlist(track())));
        assert_eq!(parse("v480/init.mp4"), Some(Name::Init(track())));
        assert_eq!(parse("v480/12.m4s"), Some(Name::Segment(track(), 12)));
        assert_eq!(parse("poster.jpg"), Some(Name::Poster));
        assert_eq!(parse("storyboard/3.jpg"), Some(Name::Sheet(3)));
        let captions = Name::Text {
            kind: TextKind::Captions,
            language: "pt-BR".to_owned(),
            revision: 2,
            is_playlist: false,
        };
        assert_eq!(parse("captions/pt-BR.2.vtt"), Some(captions));
        for name in [
            "",
            "/",
            "..",
            "../poster.jpg",
            "v480/../poster.jpg",
            "v480/012.m4s",
            "v480/+1.m4s",
            "v480/1.m4s/",
            "v480//1.m4s",
            "v480/-1.m4s",
            "v480/1.mp4",
            "v480/init.mp4.bak",
            "V480/1.m4s",
            "storyboard/..jpg",
            "captions/en.vtt",
            "captions/en.01.vtt",
            "./poster.jpg",
            "poster.jpg/",
            "v480/99999999999.m4s",
            "%2e%2e/poster.jpg",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
