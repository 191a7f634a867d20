//! One loudness for all lectures, measured by ffmpeg's meter (EBU R 128) in what the worker has made.

use std::path::Path;

use lectern_vod::protocol::Job;
use tempfile::TempDir;

use super::run::{job, make, make_as, said_by_ffmpeg};
use super::source;

/// What ffmpeg measures: integrated loudness in LUFS, true peak in dBTP.
fn meter(file: &Path) -> (f64, f64) {
    let text = said_by_ffmpeg(&[file], &["-map", "0:a:0", "-af", "ebur128=peak=true"]);
    let summary = text.rsplit("Summary:").next().unwrap();
    let number = |name: &str| -> f64 {
        let rest = summary
            .split(name)
            .nth(1)
            .unwrap_or_else(|| panic!("{text}"));
        let word = rest.split_whitespace().next().unwrap();
        word.parse().unwrap_or(f64::NEG_INFINITY)
    };
    (number("I:"), number("Peak:"))
}

#[test]
fn every_sound_becomes_as_loud_as_the_others_and_none_is_cut_off_at_the_top() {
    let film = source::sample().display().to_string();
    let folder = TempDir::new().unwrap();
    let tone = "sin(1000*2*PI*t)";
    for (name, how) in [
        ("quiet.mp4", format!("-i {film} -map 0:a -c:a aac -af volume=-3dB")),
        ("loud.mp4", format!("-i {film} -map 0:a -c:a aac -b:a 192k -af volume=28dB,alimiter")),
        ("mono.wav", format!("-f lavfi -i aevalsrc=0.03*{tone}:d=8:s=16000")),
        // A lecture as somebody who coughs each five seconds gives it.
        (
            "coughs.flac",
            format!("-f lavfi -i aevalsrc=0.06*{tone}+0.9*sin(3000*t)*exp(-pow((mod(t\\,5)-1)*100\\,2)):d=20:s=48000"),
        ),
        (
            "surround.mkv",
            "-f lavfi -i anoisesrc=d=8:a=0.2:r=48000:c=brown:seed=1 -af pan=5.1|c0=c0|c1=c0|c2=c0|c3=0*c0|c4=c0|c5=c0 -c:a flac".to_owned(),
        ),
    ] {
        let source = source::make(folder.path(), name, &how);
        let made = make(&source);
        let (lufs, peak) = meter(&made.track_file("a1"));
        assert!((lufs + 16.0).abs() <= 0.5, "{name}: {lufs} LUFS");
        assert!(peak <= -1.0, "{name}: {peak} dBTP");
        let notes = made.report.notes.iter().map(|note| note.as_str());
        let notes: Vec<&str> = notes.filter(|note| note.contains("LUFS")).collect();
        assert_eq!(notes.len(), 1, "{name}: {notes:?}");
        let is_held = notes[0].contains("held down");
        assert!(is_held || name != "coughs.flac", "{notes:?}");
    }
}

#[test]
fn a_box_may_want_its_sounds_quieter() {
    let folder = TempDir::new().unwrap();
    let how = "-f lavfi -i aevalsrc=0.3*sin(1000*2*PI*t):d=8:s=48000";
    let source = source::make(folder.path(), "tone.wav", how);
    let order = Job {
        loudness_lufs: -23,
        ..job(&source)
    };
    let (lufs, _) = meter(&make_as(&order, &source).track_file("a1"));
    assert!((lufs + 23.0).abs() <= 0.5, "{lufs} LUFS");
}

#[test]
fn silence_stays_silence() {
    let folder = TempDir::new().unwrap();
    let source = source::make(folder.path(), "silence.wav", "-f lavfi -i anullsrc -t 3");
    let made = make(&source);
    let (_, peak) = meter(&made.track_file("a1"));
    assert!(peak < -80.0, "{peak}");
}
