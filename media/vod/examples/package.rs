//! Makes the package of a file and keeps its manifests current in a folder, as the daemon would serve
//! them: for trying players and validators without a daemon.
//!
//! `cargo run -p lectern-vod --example package -- WORKER SOURCE FOLDER [CAPTIONS.vtt]`, where WORKER is
//! the example `worker` or `lecternd`; then serve FOLDER by any HTTP server.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use lectern_vod::manifest::{TextTrack, TextTrackKind};
use lectern_vod::names::Language;
use lectern_vod::package::Package;
use lectern_vod::protocol::{Job, LOUDNESS_LUFS, Message, OriginalName, read_frame};
use lectern_vod::spawn::{Worker, WorkerArgs};
use lectern_vod::{captions, dash, hls};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (exe, source, folder) = match arguments.as_slice() {
        [exe, source, folder, ..] => (exe, source, Path::new(folder)),
        _ => return Err("WORKER SOURCE FOLDER [CAPTIONS.vtt]".into()),
    };
    fs::create_dir_all(folder.join("k/captions"))?;

    let mut tracks = Vec::new();
    if let Some(file) = arguments.get(3) {
        let caption = TextTrack {
            kind: TextTrackKind::Captions,
            language: Language::new("en")?,
            label: "English".into(),
            revision: 1,
            is_machine_made: false,
        };
        let text = captions::parse(&fs::read(file)?, None)?.to_vtt();
        fs::write(folder.join("k").join(caption.vtt_file()), text)?;
        tracks.push(caption);
    }

    let job = Job {
        original_name: OriginalName::new(source),
        language: Some(Language::new("en")?),
        threads: 0,
        short_sides: Vec::new(),
        loudness_lufs: LOUDNESS_LUFS,
        resume: None,
    };
    let exe = fs::canonicalize(exe)?;
    let args = WorkerArgs {
        source: Path::new(source),
        package_dir: &folder.join("k"),
        cache_dir: folder,
    };
    let began = Instant::now();
    let (worker, mut messages) = Worker::start_program(&exe, &["worker"], &args, &job)?;
    let mut package = Package::default();
    let (mut first, mut most) = (None, String::new());
    while let Some(message) = read_frame::<Message>(&mut messages)? {
        match message {
            Message::Segment { .. } => first = first.or(Some(began.elapsed())),
            Message::Probed { .. } => {}
            _ => eprintln!("{message:?}"),
        }
        most = most_memory(worker.id()).unwrap_or(most);
        package.apply(&message)?;
        if package.is_playable() {
            write(
                folder,
                "master.m3u8",
                &hls::multivariant(&package, &tracks, "k/"),
            )?;
            write(
                folder,
                "manifest.mpd",
                &dash::mpd(&package, &tracks, "k/", jiff::Timestamp::now()),
            )?;
            for caption in &tracks {
                let text = hls::captions_playlist(&package, caption);
                write(folder, &format!("k/{}", caption.playlist_file()), &text)?;
            }
            for track in &package.tracks {
                if let Some(text) = hls::media(&package, &track.id) {
                    write(folder, &format!("k/{}/index.m3u8", track.id), &text)?;
                }
            }
        }
    }
    write(
        folder,
        "package.json",
        &serde_json::to_string_pretty(&package)?,
    )?;
    let (first, whole) = (first.unwrap_or_default(), began.elapsed());
    eprintln!("first segment after {first:.1?}, whole after {whole:.1?}, most memory {most}");
    Ok(())
}

/// The most memory that a process has had at a time (proc(5), `VmHWM`).
fn most_memory(process: u32) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}

/// Replaces a file at once, so that a reader finds the old one or the new one.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let new = folder.join("new");
    fs::write(&new, text)?;
    fs::rename(new, folder.join(name))
}
