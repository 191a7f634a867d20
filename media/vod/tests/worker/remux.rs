//! What is kept: the source's own coded pictures as a rung, to the bit, and the other rungs beside it.

use std::path::Path;
use std::process::Command;

use lectern_vod::package::Made as How;
use tempfile::TempDir;

use super::run::{make, packets};
use super::source;

/// The coded pictures of a file, whatever holds them.
fn pictures(file: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args([
            "-map",
            "0:v",
            "-c",
            "copy",
            "-bsf:v",
            "h264_mp4toannexb,filter_units=pass_types=1|5",
        ])
        .args(["-f", "md5", "-"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn assert_kept(source: &Path) {
    let made = make(source);
    let tracks = made.video_tracks();
    assert_eq!(
        made.report.ladder[0].made,
        How::Remuxed,
        "{}",
        made.report.ladder[0].reason
    );
    assert!(
        made.report.ladder[1..]
            .iter()
            .all(|line| line.made == How::Encoded)
    );
    assert_eq!(
        pictures(source),
        pictures(&made.track_file(&tracks[0])),
        "to the bit"
    );

    let first = packets(&made.track_file(&tracks[0]));
    assert!(
        first[0].at.abs() < 0.000_1,
        "starts at 0, not at {}",
        first[0].at
    );
    let keys = made.key_frames(&tracks[0]);
    let starts = made.segment_starts(&tracks[0]);
    for track in &tracks[1..] {
        let ours = packets(&made.track_file(track));
        assert_eq!(ours.len(), first.len(), "{track}: as many frames");
        let same = |a: &[f64], b: &[f64]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.000_1)
        };
        let times =
            |packets: &[super::run::Packet]| packets.iter().map(|p| p.at).collect::<Vec<_>>();
        assert!(
            same(&times(&ours), &times(&first)),
            "{track}: frames at the same times"
        );
        assert!(same(&made.key_frames(track), &keys), "{track}: {keys:?}");
        assert!(
            same(&made.segment_starts(track), &starts),
            "{track}: {starts:?}"
        );
    }
}

#[test]
fn the_sample_with_groups_of_two_seconds_is_kept_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let input = source::sample();
    assert_kept(&source::make(
        folder.path(),
        "closed.mp4",
        &format!(
            "-i {} -c:v libx264 -preset veryfast -bf 3 -g 48 -keyint_min 48 -sc_threshold 0 -c:a copy",
            input.display()
        ),
    ));
}

#[test]
fn key_frames_at_odd_places_are_followed() {
    let folder = TempDir::new().unwrap();
    assert_kept(&source::make(
        folder.path(),
        "odd.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=30000/1001:d=20 -c:v libx264 -preset veryfast -bf 2 -force_key_frames 0,1.3,5.9,7,12.5,16 -g 999 -sc_threshold 0",
    ));
}

#[test]
fn a_source_without_reordering_has_the_same_timeline_as_encoded_rungs_with_it() {
    let folder = TempDir::new().unwrap();
    assert_kept(&source::make(
        folder.path(),
        "plain.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=25:d=10 -f lavfi -i sine=d=10 -c:v libx264 -preset ultrafast -bf 0 -g 50 -c:a aac",
    ));
}

#[test]
fn matroska_stores_no_decode_times_and_is_kept_all_the_same() {
    let folder = TempDir::new().unwrap();
    assert_kept(&source::make(
        folder.path(),
        "screen.mkv",
        "-f lavfi -i testsrc2=s=640x360:r=25:d=10 -f lavfi -i sine=d=10 -c:v libx264 -preset veryfast -bf 2 -g 50 -sc_threshold 0 -c:a aac",
    ));
}

#[test]
fn open_groups_are_encoded_and_the_report_says_so() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "open.mp4",
        "-f lavfi -i testsrc2=s=320x240:r=25:d=10 -c:v libx264 -preset veryfast -bf 3 -g 50 -sc_threshold 0 -x264-params open-gop=1",
    ));
    let top = &made.report.ladder[0];
    assert_eq!(top.made, How::Encoded);
    assert!(top.reason.as_str().contains("open GOPs"), "{}", top.reason);
}

#[test]
fn fields_are_encoded_also_where_only_the_parameter_set_tells_of_them() {
    let folder = TempDir::new().unwrap();
    let made = make(&source::make(
        folder.path(),
        "fields.mp4",
        "-f lavfi -i testsrc2=s=320x240:r=50:d=4 -vf interlace -c:v libx264 -preset ultrafast -x264-params tff=1 -g 50",
    ));
    let top = &made.report.ladder[0];
    assert_eq!(top.made, How::Encoded);
    assert!(top.reason.as_str().contains("interlaced"), "{}", top.reason);
}
