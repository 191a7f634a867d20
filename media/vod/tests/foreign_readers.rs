//! Both manifests before a reader that is not ours: ffprobe must take them without a word, complete
//! and growing. The segments are made by ffmpeg, so that this test fails for the manifests alone and
//! not for our encoder. `LECTERN_KEEP=folder` keeps what was made, to be served to a browser.
#![allow(clippy::unwrap_used, clippy::panic)] // of tests: clippy.toml allows it in `#[test]` functions alone

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_vod::manifest::{TextTrack, TextTrackKind};
use lectern_vod::names::{Codecs, Language, TrackId};
use lectern_vod::package::{Made, Package, Ratio, Segment, Track, TrackKind};
use lectern_vod::{dash, hls};

const SECONDS: u64 = 18;

/// The number that follows a box's name, `skip` bytes behind it.
fn number_in(file: &[u8], box_name: &[u8; 4], skip: usize, len: usize) -> Option<u64> {
    let at = file.windows(4).position(|w| w == box_name)? + 4 + skip;
    Some(
        file.get(at..at + len)?
            .iter()
            .fold(0, |n, b| n << 8 | u64::from(*b)),
    )
}

fn make_track(folder: &Path, id: &str, kind: TrackKind, codecs: &str, encode: &[&str]) -> Track {
    let out = folder.join("k").join(id);
    std::fs::create_dir_all(&out).unwrap();
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!("testsrc2=size=426x240:rate=25:duration={SECONDS}"))
        .args(["-f", "lavfi", "-i"])
        .arg(format!(
            "sine=frequency=440:sample_rate=48000:duration={SECONDS}"
        ))
        .args(encode)
        .args([
            "-f",
            "hls",
            "-hls_time",
            "4",
            "-hls_segment_type",
            "fmp4",
            "-hls_list_size",
            "0",
        ])
        .args([
            "-start_number",
            "1",
            "-hls_fmp4_init_filename",
            "init.mp4",
            "-hls_segment_filename",
        ])
        .arg(out.join("%d.m4s"))
        .arg(out.join("ffmpeg.m3u8"))
        .status()
        .unwrap();
    assert!(status.success());

    let init = std::fs::read(out.join("init.mp4")).unwrap();
    let timescale = number_in(&init, b"mdhd", 12, 4).unwrap();
    let files: Vec<Vec<u8>> = (1..)
        .map_while(|n| std::fs::read(out.join(format!("{n}.m4s"))).ok())
        .collect();
    let starts: Vec<u64> = files
        .iter()
        .map(|f| number_in(f, b"tfdt", 4, 8).unwrap())
        .collect();
    let ends = starts.iter().skip(1).copied().chain([SECONDS * timescale]);
    let segments = starts
        .iter()
        .zip(ends)
        .zip(&files)
        .map(|((start, end), file)| Segment {
            start: *start,
            duration: end - start,
            bytes: file.len() as u64,
        })
        .collect();
    Track {
        id: TrackId::new(id).unwrap(),
        kind,
        codecs: Codecs::new(codecs).unwrap(),
        timescale: u32::try_from(timescale).unwrap(),
        presentation_offset: 0,
        made: Made::Encoded,
        reason: "a test".into(),
        segments,
        complete: true,
    }
}

fn write_manifests(folder: &Path, package: &Package) {
    let captions = [TextTrack {
        kind: TextTrackKind::Captions,
        language: Language::new("en").unwrap(),
        label: "English".into(),
        revision: 1,
        is_machine_made: false,
    }];
    let now = jiff::Timestamp::now();
    let write = |path: &str, text: String| std::fs::write(folder.join(path), text).unwrap();
    std::fs::create_dir_all(folder.join("k/captions")).unwrap();
    write("master.m3u8", hls::multivariant(package, &captions, "k/"));
    write("manifest.mpd", dash::mpd(package, &captions, "k/", now));
    write(
        "k/captions/en.1.m3u8",
        hls::captions_playlist(package, &captions[0]),
    );
    write(
        "k/captions/en.1.vtt",
        "WEBVTT\n\n00:01.000 --> 00:03.000\nOne to three\n".into(),
    );
    for track in &package.tracks {
        write(
            &format!("k/{}/index.m3u8", track.id),
            hls::media(package, &track.id).unwrap(),
        );
    }
}

/// What ffprobe has to say about a manifest, and the streams that it finds.
fn ffprobe(manifest: &str) -> (Vec<String>, String) {
    // A reader that finds nothing to read waits for ever in a growing manifest.
    let out = Command::new("timeout")
        .args(["20", "ffprobe"])
        .args([
            "-v",
            "warning",
            "-show_entries",
            "stream=codec_name,width,height",
            "-of",
            "csv=p=0",
        ])
        .arg(manifest)
        .output()
        .unwrap();
    let said: Vec<String> = String::from_utf8_lossy(&out.stderr)
        .lines()
        .filter(|line| !line.contains("Can't support the subtitle"))
        .map(str::to_owned)
        .collect();
    assert!(
        out.status.success(),
        "{}: {}, {said:?}",
        manifest,
        out.status
    );
    (said, String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Serves a folder's files on a port of its own for as long as the test lives. By HTTP, because ffmpeg
/// refuses captions that a DASH manifest names on a disk.
fn serve(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let folder = folder.clone();
            std::thread::spawn(move || answer(stream, &folder));
        }
    });
    address
}

/// Answers request after request; `None` when the other side has gone.
fn answer(mut stream: TcpStream, folder: &Path) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = request
            .split(' ')
            .nth(1)?
            .trim_start_matches('/')
            .to_owned();
        let (status, body) = match std::fs::read(folder.join(path)) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&body).ok()?;
    }
}

#[test]
fn ffprobe_reads_both_manifests_without_a_word() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("LECTERN_KEEP").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());

    let video = |width, height| TrackKind::Video {
        width,
        height,
        frame_rate: Ratio::new(25, 1).unwrap(),
    };
    let sound = TrackKind::Audio {
        channels: 2,
        sample_rate: 48_000,
        language: None,
        label: None,
    };
    let x264 = [
        "-map",
        "0:v",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-profile:v",
        "baseline",
    ];
    let pictures = |size: &'static str| {
        [
            &x264[..],
            &[
                "-pix_fmt",
                "yuv420p",
                "-s",
                size,
                "-g",
                "50",
                "-keyint_min",
                "50",
            ],
        ]
        .concat()
    };
    let tracks = [
        make_track(
            folder,
            "v240",
            video(426, 240),
            "avc1.42c015",
            &pictures("426x240"),
        ),
        make_track(
            folder,
            "v120",
            video(214, 120),
            "avc1.42c00c",
            &pictures("214x120"),
        ),
        make_track(
            folder,
            "a1",
            sound,
            "mp4a.40.2",
            &["-map", "1:a", "-ac", "2", "-c:a", "aac"],
        ),
    ];

    let planned = tracks.iter().map(|track| track.id.clone()).collect();
    let mut package = Package::planned(SECONDS * 1000, 4, vec![0], planned).unwrap();
    for track in tracks {
        package.add_track(track).unwrap();
    }
    let mut growing = package.clone();
    for track in &mut growing.tracks {
        track.segments.truncate(3);
        track.complete = false;
    }
    package.finish().unwrap();

    let address = serve(folder.to_owned());
    for (name, package) in [("growing", growing), ("complete", package)] {
        write_manifests(folder, &package);
        for manifest in ["master.m3u8", "manifest.mpd"] {
            let (said, streams) = ffprobe(&format!("http://{address}/{manifest}"));
            assert!(said.is_empty(), "{name} {manifest}: {said:?}");
            for expected in ["h264,426,240", "h264,214,120", "aac"] {
                assert!(
                    streams.contains(expected),
                    "{name} {manifest}: {expected} not in {streams}"
                );
            }
        }
    }
}
