//! Many kinds of files, each made by ffmpeg on the spot: all of them end as what they are, to the frame, and two
//! strangers read what was made, by HLS and by DASH. Long, so only `make test-media` runs it. `LECTERN_KEEP=folder`
//! keeps the packages, for `web/ui/e2e/kinds.mjs` to play them in Chromium.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_vod::captions;
use lectern_vod::manifest::{TextTrack, TextTrackKind};
use lectern_vod::names::Language;
use lectern_vod::package::{Made as How, Track, TrackKind};
use lectern_vod::protocol::{Message, SourceText};
use lectern_vod::{dash, hls};
use tempfile::TempDir;

use self::table::{KINDS, Kind, Then};
use super::run::{Made, events, make, packets, stream};
use super::source;

/// What the table refers to.
const FILES: &[(&str, &str)] = &[
    (
        "en.srt",
        "1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i> & you\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo\nlines\n",
    ),
    (
        "fr.ass",
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour\nStyle: Default,Arial,20,&H00FFFFFF\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Bonjour {\\i1}vous{\\i0}\n",
    ),
    (
        "chapters.txt",
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=Intro\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=6000\ntitle=Übung\n",
    ),
];

/// Sound and picture may be apart by so much, at the end.
const SYNC_S: f64 = 0.020;

#[test]
#[ignore = "minutes; `make test-media`"]
fn each_kind_of_file_becomes_ready_to_the_frame_and_strangers_read_it() {
    let only = std::env::var("LECTERN_KIND").ok();
    let keep = std::env::var_os("LECTERN_KEEP").map(PathBuf::from);
    let mut wrong = Vec::new();
    for kind in KINDS {
        if only.as_ref().is_some_and(|only| !kind.name.contains(only)) {
            continue;
        }
        let folder = TempDir::new().unwrap();
        let path = source_of(kind, folder.path());
        // All of them are tried, so that one run tells of all that fail.
        let tried = std::panic::catch_unwind(|| {
            let made = make(&path);
            write_manifests(&made);
            if let Some(keep) = &keep {
                let to = keep.join(kind.name);
                let _ = fs::remove_dir_all(&to);
                fs::create_dir_all(keep).unwrap();
                let copied = Command::new("cp")
                    .arg("-r")
                    .arg(made.folder.path())
                    .arg(&to)
                    .status();
                assert!(copied.unwrap().success());
            }
            check(kind, &made);
            read_by_ffprobe(kind, &made);
        });
        if tried.is_err() {
            wrong.push(kind.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} (see above)");
    assert!(KINDS.len() >= 40);
}

fn source_of(kind: &Kind, folder: &Path) -> PathBuf {
    for (name, text) in FILES {
        fs::write(folder.join(name), text).unwrap();
    }
    source::make(
        folder,
        "cover.png",
        "-f lavfi -i testsrc2=s=500x500:d=1 -frames:v 1",
    );
    source::make(
        folder,
        "slide.png",
        "-f lavfi -i testsrc2=s=640x360:d=1 -frames:v 1",
    );
    let made = kind.made.replace("{dir}", &folder.display().to_string());
    let path = source::make(folder, kind.name, &made);
    match kind.then {
        Then::Keep => path,
        Then::Again(then) => {
            let again = format!("-i {} {then}", path.display());
            // Where a part is cut out, the option stands before the input.
            let again = match then
                .strip_prefix("-ss ")
                .and_then(|rest| rest.split_once(' '))
            {
                Some((at, rest)) => format!("-ss {at} -i {} {rest}", path.display()),
                None => again,
            };
            source::make(folder, &format!("again-{}", kind.name), &again)
        }
        Then::Twice => {
            let once = fs::read(&path).unwrap();
            fs::write(&path, [once.as_slice(), &once].concat()).unwrap();
            path
        }
        Then::Mirror => {
            let mut bytes = fs::read(&path).unwrap();
            let tkhd = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
            // The first number of the matrix (ISO/IEC 14496-12, 8.3.2): x is counted from the right.
            let matrix = tkhd + 4 + 40;
            bytes[matrix..matrix + 4].copy_from_slice(&(-65_536_i32).to_be_bytes());
            fs::write(&path, bytes).unwrap();
            path
        }
    }
}

fn check(kind: &Kind, made: &Made) {
    let name = kind.name;
    // Half a millisecond for what is rounded to whole ones.
    let near = |seconds: f64| (seconds - kind.seconds).abs() <= kind.frame_s + 0.0005;
    let whole = made.package.duration_ms as f64 / 1000.0;
    assert!(near(whole), "{name} lasts {whole} s");

    let mut rungs: Vec<(&str, u32, u32)> = Vec::new();
    let mut sounds: Vec<(&str, &str)> = Vec::new();
    for track in &made.package.tracks {
        match &track.kind {
            TrackKind::Video { width, height, .. } => {
                let codecs = track.codecs.to_string();
                // Level 1b of High, which Chromium refuses.
                assert!(!codecs.ends_with("09"), "{name}: {codecs}");
                rungs.push((track.id.as_str(), *width, *height));
            }
            TrackKind::Audio { language, .. } => {
                let language = language.as_ref().map_or("", Language::as_str);
                sounds.push((track.id.as_str(), language));
            }
        }
    }
    let mut expected = kind.rungs.to_vec();
    expected.sort_unstable();
    rungs.sort_unstable();
    assert_eq!(rungs, expected, "{name}");
    sounds.sort_unstable();
    let sounds: Vec<&str> = sounds.into_iter().map(|(_, language)| language).collect();
    assert_eq!(sounds, kind.sounds, "{name}");
    let is_remuxed = made
        .package
        .tracks
        .iter()
        .any(|track| track.made == How::Remuxed);
    assert!(
        kind.is_remuxed.is_none_or(|wanted| wanted == is_remuxed),
        "{name}: {:?}",
        made.report.ladder
    );
    assert_eq!(made.package.poster.is_some(), kind.has_poster, "{name}");

    let texts = texts(made);
    let languages: Vec<&str> = texts
        .iter()
        .map(|text| text.language.as_ref().map_or("", Language::as_str))
        .collect();
    assert_eq!(languages, kind.texts, "{name}");
    for text in &texts {
        let first = captions::parse(text.vtt.as_bytes(), None).unwrap().cues()[0].clone();
        assert!(first.start_ms.abs_diff(1000) <= 40, "{name}: {first:?}");
        assert!(first.end_ms.abs_diff(2500) <= 40, "{name}: {first:?}");
        assert!(first.text.starts_with("Hello") || first.text.starts_with("Bonjour"));
    }
    let chapters: Vec<String> = made
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Chapters(chapters) => Some(chapters.list()),
            _ => None,
        })
        .flatten()
        .map(|chapter| chapter.title.to_string())
        .collect();
    assert_eq!(chapters, kind.chapters, "{name}");

    for track in &made.package.tracks {
        check_track(kind, made, track);
    }
    if let Some(flash_s) = kind.flash_s {
        check_sync(kind, made, flash_s);
    }
}

fn check_track(kind: &Kind, made: &Made, track: &Track) {
    let name = kind.name;
    // A sound is cut at its own frames, and follows the picture to its end.
    let tolerance = kind.frame_s.max(0.024) + 0.0005;
    let near = |seconds: f64| (seconds - kind.seconds).abs() <= tolerance;
    let listed = track.duration() as f64 / f64::from(track.timescale);
    assert!(near(listed), "{name}: {} lists {listed} s", track.id);
    let file = made.track_file(track.id.as_str());
    let packets = packets(&file);
    assert!(
        packets[0].at.abs() < 0.001,
        "{name}: {} begins at {}",
        track.id,
        packets[0].at
    );
    // The last frame may last as long as one is ever shown again.
    let last = packets[packets.len() - 1].at;
    let earliest = kind.seconds - kind.frame_s.max(1.0) - 0.04;
    assert!(
        (earliest..kind.seconds + kind.frame_s).contains(&last),
        "{name}: {}'s last begins at {last} s",
        track.id
    );
    let stream = stream(&file);
    if let TrackKind::Video { width, height, .. } = track.kind {
        let size = (stream["width"].as_u64(), stream["height"].as_u64());
        assert_eq!(size, (Some(width.into()), Some(height.into())), "{name}");
        // Motion JPEG uses all values of a byte, and says so.
        let format = stream["pix_fmt"].as_str().unwrap();
        assert!(
            ["yuv420p", "yuvj420p"].contains(&format),
            "{name}: {format}"
        );
        assert_eq!(stream["field_order"], "progressive", "{name}");
        assert!(stream["side_data_list"].is_null(), "{name}: still turned");
        let range = stream["color_transfer"].as_str().unwrap_or("unknown");
        assert!(
            !["smpte2084", "arib-std-b67"].contains(&range),
            "{name}: {range}"
        );
    } else {
        assert_eq!(stream["channels"], 2, "{name}");
    }
}

/// A flash and a beep in one instant of the source are so in each rung, also at the end.
fn check_sync(kind: &Kind, made: &Made, flash_s: f64) {
    let name = kind.name;
    let nearest = |times: &[f64]| {
        let distance = |at: &f64| (at - flash_s).abs();
        times
            .iter()
            .copied()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .unwrap_or(f64::MAX)
    };
    let beeps = events(
        made,
        "a1",
        "-af silencedetect=n=-30dB:d=0.2 -vn",
        "silence_end: ",
    );
    let beep = nearest(&beeps);
    for rung in made.video_tracks() {
        let flashes = events(
            made,
            &rung,
            "-vf blackdetect=d=0.1:pix_th=0.5 -an",
            "black_end:",
        );
        let flash = nearest(&flashes);
        assert!(
            (flash - flash_s).abs() <= 0.04,
            "{name}: {rung}: {flashes:?}"
        );
        assert!(
            (flash - beep).abs() <= SYNC_S,
            "{name}: {rung}: flash {flash}, beep {beep}"
        );
    }
}

fn texts(made: &Made) -> Vec<SourceText> {
    let texts = made.messages.iter().filter_map(|message| match message {
        Message::Text(text) => Some(text.clone()),
        _ => None,
    });
    let mut texts: Vec<SourceText> = texts.collect();
    texts.sort_by_key(|text| text.language.as_ref().map(ToString::to_string));
    texts
}

/// As the daemon would serve them, with the package itself in the folder.
fn write_manifests(made: &Made) {
    let folder = made.folder.path();
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let tracks: Vec<TextTrack> = texts(made)
        .into_iter()
        .map(|text| {
            let track = TextTrack {
                kind: TextTrackKind::Captions,
                language: text.language.unwrap(),
                label: "words".into(),
                revision: 1,
                is_machine_made: false,
            };
            write(&track.vtt_file(), &text.vtt);
            write(
                &track.playlist_file(),
                &hls::captions_playlist(&made.package, &track),
            );
            track
        })
        .collect();
    let package = &made.package;
    write("master.m3u8", &hls::multivariant(package, &tracks, ""));
    write(
        "manifest.mpd",
        &dash::mpd(package, &tracks, "", jiff::Timestamp::now()),
    );
    for track in &package.tracks {
        let list = hls::media(package, &track.id).unwrap();
        write(&format!("{}/index.m3u8", track.id), &list);
    }
}

/// ffprobe reads both manifests, finds every rung and sound, and has nothing to complain of.
fn read_by_ffprobe(kind: &Kind, made: &Made) {
    for manifest in ["master.m3u8", "manifest.mpd"] {
        let output = Command::new("ffprobe")
            .args(["-v", "warning", "-of", "json"])
            .args(["-show_streams", "-show_format"])
            .args(["-allowed_extensions", "ALL"])
            .arg(made.folder.path().join(manifest))
            .output()
            .expect("ffprobe is installed");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // What ffprobe 5.1 says of every HLS presentation with subtitles.
        let said: Vec<&str> = said
            .lines()
            .filter(|line| !line.contains("Can't support the subtitle"))
            .collect();
        assert!(said.is_empty(), "{}: {manifest}: {said:?}", kind.name);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let streams = found["streams"].as_array().unwrap();
        let count = |what: &str| streams.iter().filter(|s| s["codec_type"] == what).count();
        assert_eq!(
            count("video"),
            kind.rungs.len(),
            "{}: {manifest}",
            kind.name
        );
        assert!(
            count("audio") >= kind.sounds.len(),
            "{}: {manifest}",
            kind.name
        );
        let seconds: f64 = found["format"]["duration"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            // ffmpeg takes the whole seconds of an MPD's duration.
            (seconds - kind.seconds).abs()
                <= match manifest {
                    "manifest.mpd" => 1.0,
                    _ => kind.frame_s.max(0.024) + 0.002,
                },
            "{}: {manifest} lasts {seconds} s",
            kind.name
        );
    }
}
