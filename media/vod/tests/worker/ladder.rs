//! What is encoded: sizes, boundaries, key frames, one timeline, sound, pictures.

use std::process::Command;

use lectern_vod::package::Made as How;
use lectern_vod::protocol::Message;
use tempfile::TempDir;

use super::run::{Made, events, make, packets, said_by_ffmpeg, stream};
use super::source;

/// 24 frames a second, in microseconds, less one: rounding is no misalignment.
const ROUNDING: f64 = 0.000_1;

fn assert_aligned(made: &Made) {
    let tracks = made.video_tracks();
    let starts = made.segment_starts(&tracks[0]);
    let keys = made.key_frames(&tracks[0]);
    assert!(starts[0].abs() < ROUNDING, "{starts:?}");
    for track in &tracks[1..] {
        for (ours, first) in [
            (made.segment_starts(track), &starts),
            (made.key_frames(track), &keys),
        ] {
            assert_eq!(ours.len(), first.len(), "{track}");
            assert!(
                ours.iter()
                    .zip(first)
                    .all(|(a, b)| (a - b).abs() < ROUNDING),
                "{track}: {ours:?} {first:?}"
            );
        }
    }
}

#[test]
fn the_sample_is_encoded_at_its_size_and_below_and_all_rungs_are_cut_alike() {
    let made = make(&source::sample());
    assert_eq!(made.video_tracks(), ["v480", "v360", "v240"]);
    assert_aligned(&made);
    assert_eq!(
        made.segment_starts("v480")
            .iter()
            .map(|s| s.round())
            .collect::<Vec<_>>(),
        [0., 4., 8., 12., 16., 20., 24., 28.]
    );
    let keys = made.key_frames("v480");
    assert_eq!(keys.len(), 15, "closed groups of 2 s: {keys:?}");

    for (track, width, height) in [("v480", 854, 480), ("v360", 640, 360), ("v240", 428, 240)] {
        let stream = stream(&made.track_file(track));
        assert_eq!(
            (&stream["width"], &stream["height"]),
            (&width.into(), &height.into())
        );
        assert_eq!(
            (&stream["codec_name"], &stream["profile"]),
            (&"h264".into(), &"High".into())
        );
        assert_eq!(
            packets(&made.track_file(track)).len(),
            720,
            "no frame is lost"
        );
    }
    let sound = stream(&made.track_file("a1"));
    assert_eq!(
        (&sound["codec_name"], &sound["profile"]),
        (&"aac".into(), &"LC".into())
    );
    assert_eq!(
        (&sound["channels"], &sound["sample_rate"]),
        (&2.into(), &"48000".into())
    );

    let top = &made.report.ladder[0];
    assert_eq!(top.made, How::Encoded);
    assert!(
        top.reason
            .as_str()
            .contains("key frames are up to 10.4 s apart"),
        "{}",
        top.reason
    );
    assert_eq!(made.package.target_duration_s, 4);
    assert_eq!(made.package.duration_ms, 30_000);

    let board = made.package.storyboard.as_ref().expect("a storyboard");
    assert_eq!(
        (board.interval_ms, board.width, board.sheets),
        (2000, 160, 1)
    );
    let sheet = stream(&made.folder.path().join("storyboard/1.jpg"));
    assert_eq!(
        (&sheet["width"], &sheet["height"]),
        (&1600.into(), &(board.height * 10).into())
    );
    let poster = stream(&made.folder.path().join("poster.jpg"));
    assert_eq!(
        (&poster["width"], &poster["height"]),
        (&854.into(), &480.into())
    );
}

#[test]
fn the_first_segments_of_all_rungs_come_before_the_second_of_any_but_the_sound() {
    let made = make(&source::sample());
    let segments: Vec<&str> = made
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Segment { track, .. } if track.as_str().starts_with('v') => {
                Some(track.as_str())
            }
            _ => None,
        })
        .collect();
    let mut first: Vec<&str> = segments[..3].to_vec();
    first.sort_unstable();
    assert_eq!(first, ["v240", "v360", "v480"]);
    let ratios: Vec<f64> = made
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Progress { ratio, .. } => Some(*ratio),
            _ => None,
        })
        .collect();
    assert!(
        ratios.len() > 3 && ratios.windows(2).all(|pair| pair[0] <= pair[1]),
        "{ratios:?}"
    );
}

#[test]
fn sound_and_picture_stay_together() {
    // A white flash and a beep in the same instant, each second.
    let folder = TempDir::new().unwrap();
    let source = source::make(
        folder.path(),
        "flash.mp4",
        "-f lavfi -i color=black:s=320x240:r=25:d=8,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.2)*gt(t,0.5)' -f lavfi -i aevalsrc='if(lt(mod(t,1),0.2)*gt(t,0.5),sin(2*PI*880*t),0)':d=8:s=48000 -c:v libx264 -g 250 -c:a pcm_s16le -f mov",
    );
    let made = make(&source);
    let flashes = events(
        &made,
        "v240",
        "-vf blackdetect=d=0.1:pix_th=0.5 -an",
        "black_end:",
    );
    // (The last "end" is that of the file.)
    let flashes = &flashes[..7];
    let beeps = events(
        &made,
        "a1",
        "-af silencedetect=n=-30dB:d=0.2 -vn",
        "silence_end: ",
    );
    assert!(beeps.len() >= 7, "{beeps:?}");
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((flash - beep).abs() < 0.015, "{flashes:?} {beeps:?}");
    }
}

#[test]
fn sound_alone_becomes_a_package_of_sound() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "talk.mp3",
        "-f lavfi -i sine=d=9 -c:a libmp3lame",
    ));
    assert_eq!(
        made.package
            .planned
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["a1"]
    );
    assert!(made.package.poster.is_none() && made.package.storyboard.is_none());
    assert_eq!(made.segment_starts("a1").len(), 3);
}

#[test]
fn a_picture_without_sound_becomes_a_package_without_sound() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "mute.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=30:d=5 -c:v libx264 -preset ultrafast -g 300",
    ));
    assert_eq!(made.video_tracks(), ["v360", "v240"]);
    assert!(made.report.audio.is_empty());
    assert_aligned(&made);
}

#[test]
fn odd_sizes_become_even_and_pixels_square() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "odd.mkv",
        "-f lavfi -i testsrc2=s=351x287:r=25:d=4 -vf setsar=12/11 -c:v ffv1",
    ));
    let stream = stream(&made.track_file(&made.video_tracks()[0]));
    let side = |name: &str| stream[name].as_u64().unwrap();
    assert_eq!((side("width") % 2, side("height") % 2), (0, 0));
    assert!(
        (side("width") as f64 / side("height") as f64 - 351.0 * 12.0 / 11.0 / 287.0).abs() < 0.02
    );
    assert!(stream["sample_aspect_ratio"].is_null() || stream["sample_aspect_ratio"] == "1:1");
}

#[test]
fn a_film_held_upright_is_shown_upright() {
    let folder = TempDir::new().unwrap();
    let lying = source::make(
        folder.path(),
        "lying.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=30:d=4 -c:v libx264 -preset ultrafast -g 60",
    );
    let upright = source::make(
        folder.path(),
        "upright.mp4",
        &format!("-i {} -c copy -metadata:s:v rotate=90", lying.display()),
    );
    let made = make(&upright);
    let stream = stream(&made.track_file("v360"));
    assert_eq!(
        (&stream["width"], &stream["height"]),
        (&360.into(), &640.into())
    );
    assert!(made.report.ladder[0].reason.as_str().contains("turned"));
}

#[test]
fn frames_at_uneven_times_are_cut_alike_on_all_rungs() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "screen.mkv",
        "-f lavfi -i testsrc2=s=640x360:r=30:d=20 -vf select='lt(mod(n,97),5)+not(mod(n,31))' -vsync vfr -c:v libx264 -preset ultrafast -g 999",
    ));
    assert_aligned(&made);
    let times: Vec<f64> = packets(&made.track_file("v360"))
        .iter()
        .map(|packet| packet.at)
        .collect();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] < 0.6),
        "something to cut at each half second"
    );
}

#[test]
fn a_film_of_high_dynamic_range_is_mapped_to_the_range_that_its_renditions_name() {
    // Grey at half of the signal's range: dark in PQ (92 cd/m²), and as it is in HLG.
    for (transfer, brightness) in [("smpte2084", 145.0..160.0), ("arib-std-b67", 122.0..130.0)] {
        let folder = TempDir::new().unwrap();
        let made = make(&source::make(
            folder.path(),
            "bright.mp4",
            &format!(
                "-f lavfi -i color=c=0x808080:s=320x240:r=25:d=2 -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
            ),
        ));
        let reason = made.report.ladder[0].reason.as_str();
        assert!(reason.contains("HEVC"), "{reason}");
        assert!(made.report.notes[0].as_str().contains("dynamic range"));
        let file = made.track_file("v240");
        let stream = stream(&file);
        for field in ["color_transfer", "color_primaries", "color_space"] {
            assert_eq!(stream[field], "bt709", "{transfer}: {field}");
        }
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&file)
            .args(["-vf", "signalstats,metadata=print:file=-", "-frames:v", "1"])
            .args(["-f", "null", "-"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mean = |name: &str| -> f64 {
            let rest = text.split(&format!("signalstats.{name}=")).nth(1).unwrap();
            rest.lines().next().unwrap().parse().unwrap()
        };
        assert!(brightness.contains(&mean("YAVG")), "{transfer}: {text}");
        for colour in ["UAVG", "VAVG"] {
            assert!((mean(colour) - 128.0).abs() < 2.0, "{transfer}: {text}");
        }
    }
}

#[test]
fn frames_that_show_nothing_new_are_left_out_and_what_is_new_is_shown_to_the_frame() {
    let folder = TempDir::new().unwrap();
    let source = source::make(
        folder.path(),
        "slides.mp4",
        "-f lavfi -i color=white:s=640x360:r=25:d=20,drawbox=x=40:y=40:w=8:h=8:c=black:t=fill:enable='gte(t,3.2)',drawbox=x=300:y=200:w=200:h=60:c=blue:t=fill:enable='gte(t,7.48)' -c:v libx264 -preset veryfast -g 250",
    );
    let made = make(&source);
    let said: Vec<&str> = made.report.notes.iter().map(|n| n.as_str()).collect();
    assert!(
        said.iter().any(|note| note.contains("mostly stands still")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|note| note.ends_with("showed nothing new and were left out.")),
        "{said:?}"
    );
    assert_aligned(&made);
    for track in made.video_tracks() {
        let packets = packets(&made.track_file(&track));
        // Of 500: one each half second, those that are new, and where the source sharpened what stood still.
        assert!(
            (40..100).contains(&packets.len()),
            "{track}: {} frames",
            packets.len()
        );
        for new in [3.2, 7.48] {
            let is_there = packets
                .iter()
                .any(|packet| (packet.at - new).abs() < ROUNDING);
            assert!(is_there, "{track}: nothing at {new} s");
        }
        let keys: Vec<f64> = packets.iter().filter(|p| p.key).map(|p| p.at).collect();
        assert_eq!(keys.len(), 10, "{track}: {keys:?}");
    }
    assert!(made.package.duration_ms.abs_diff(20_000) <= 40);
}

#[test]
fn the_picture_is_the_one_that_others_show_whole_and_not_stretched() {
    const TURNED: &str = "-f lavfi -i testsrc2=s=640x360:r=25:d=2 -c:v libx264 -pix_fmt yuv420p";
    const AGAIN: &str = "-c copy -metadata:s:v rotate=";
    for (name, made, rotate) in [
        ("a-quarter.mp4", TURNED, Some("90")),
        ("a-half.mp4", TURNED, Some("180")),
        ("three-quarters.mp4", TURNED, Some("270")),
        (
            "lying.mkv",
            "-f lavfi -i testsrc2=s=640x360:r=25:d=2 -c:v ffv1",
            None,
        ),
        (
            "wide.mkv",
            "-f lavfi -i testsrc2=s=640x360:r=25:d=2 -vf setsar=4/3 -c:v ffv1",
            None,
        ),
        (
            "odd.mkv",
            "-f lavfi -i testsrc2=s=351x287:r=25:d=2 -c:v ffv1",
            None,
        ),
        (
            "drawn.mov",
            "-f lavfi -i testsrc2=s=640x360:r=25:d=2 -vf format=argb -c:v png",
            None,
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let mut source = source::make(folder.path(), name, made);
        if let Some(rotate) = rotate {
            let again = format!("-i {} {AGAIN}{rotate}", source.display());
            source = source::make(folder.path(), &format!("again-{name}"), &again);
        }
        let made = make(&source);
        for rung in made.video_tracks() {
            let likeness = likeness(&source, &made.track_file(&rung));
            assert!(
                likeness > 0.85,
                "{name}: {rung} is like the source by {likeness}"
            );
        }
    }
}

/// A decoder that takes a key frame for a change of the one before shows the first frame right, and no other.
#[test]
fn each_codec_shows_what_others_show_of_it() {
    let folder = TempDir::new().unwrap();
    let mut unlike = Vec::new();
    for (name, codec) in [
        ("h264-444.mp4", "libx264 -pix_fmt yuv444p"),
        ("h264-422-10.mkv", "libx264 -pix_fmt yuv422p10le"),
        ("hevc.mp4", "libx265 -x265-params log-level=none"),
        ("vp8.webm", "libvpx -b:v 1M"),
        ("vp9.webm", "libvpx-vp9 -b:v 1M -cpu-used 8"),
        ("av1.mp4", "libaom-av1 -cpu-used 8 -b:v 1M"),
        ("mpeg2.mpg", "mpeg2video -q:v 3"),
        ("mpeg1.mpg", "mpeg1video -q:v 3"),
        ("mpeg4.avi", "mpeg4 -q:v 3"),
        ("msmpeg4.avi", "msmpeg4 -q:v 3"),
        ("msmpeg4v2.avi", "msmpeg4v2 -q:v 3"),
        ("wmv1.wmv", "wmv1 -q:v 3"),
        ("wmv2.wmv", "wmv2 -q:v 3"),
        ("flv1.flv", "flv1 -q:v 3"),
        ("h263p.avi", "h263p -q:v 3"),
        ("mjpeg.avi", "mjpeg -q:v 3 -pix_fmt yuvj422p"),
        (
            "prores.mov",
            "prores_ks -profile:v 4444 -pix_fmt yuva444p10le",
        ),
        ("dv.dv", "dvvideo -s 720x576 -pix_fmt yuv420p"),
        ("dv.avi", "dvvideo -s 720x576 -pix_fmt yuv420p"),
        ("cinepak.avi", "cinepak"),
        ("svq1.mov", "svq1 -q:v 3"),
        ("qtrle.mov", "qtrle -pix_fmt rgb24"),
        ("ffv1.mkv", "ffv1 -level 3"),
        ("huffyuv.avi", "huffyuv"),
        ("cfhd.mov", "cfhd"),
        ("png.mov", "png -pix_fmt rgba"),
        ("png-grey.avi", "png -pix_fmt gray"),
        ("theora.ogv", "libtheora -q:v 8"),
        ("raw.avi", "rawvideo -pix_fmt yuv420p"),
    ] {
        let how = format!("-f lavfi -i testsrc2=s=320x240:r=25:d=1 -c:v {codec}");
        let source = source::make(folder.path(), name, &how);
        let made = make(&source);
        let best = made.video_tracks().into_iter().next().unwrap();
        let likeness = likeness(&source, &made.track_file(&best));
        if likeness < 0.85 {
            unlike.push((name, likeness));
        }
    }
    assert_eq!(unlike, []);
}

/// How much a rung is like its source as ffmpeg shows it (SSIM, 1 for the same).
fn likeness(source: &std::path::Path, rung: &std::path::Path) -> f64 {
    const GRAPH: &str =
        "[1:v][0:v]scale2ref[b][a];[a]setsar=1[a1];[b]setsar=1,format=yuv420p[b1];[a1][b1]ssim";
    let text = said_by_ffmpeg(&[rung, source], &["-lavfi", GRAPH]);
    let all = text
        .split(" Y:")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    all.and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no SSIM in {text}"))
}
