//! Speech becomes words with a real model: Whisper base, made by `.ci/speech-model` of what PyPI carries. What is said
//! is known, because espeak-ng says it.

use std::io::{BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lectern_vod::names::Language;
use lectern_vod::protocol::read_frame;
use lectern_vod::spawn::{SpeechArgs, Worker};
use lectern_vod::speech::{Line, SpeechJob, SpeechMessage, captions_of, sound_of};
use tempfile::TempDir;

use super::run::{Made, make, program};

const SAID: &str = "Welcome to the second lecture on mechanics. Today we look at Newton's laws of motion. \
    The first law says that a body stays at rest, or moves in a straight line at constant speed, unless a force acts \
    on it. The second law says that force equals mass times acceleration. If you push a heavy cart and a light cart \
    with the same force, the light cart will speed up more quickly.";
const SAID_LATER: &str = "The third law says that for every action there is an equal and opposite reaction. Please \
    read the next chapter before Friday, and bring your questions about friction.";

fn model() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models/ggml-base.bin");
    assert!(
        path.exists(),
        "the model is missing: `.ci/speech-model target/models`"
    );
    path
}

/// So many seconds of silence, then the words.
fn narrated(folder: &Path, silence: u32, words: &str) -> PathBuf {
    let (spoken, film) = (folder.join("spoken.wav"), folder.join("film.mp4"));
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    };
    run(
        "espeak-ng",
        &[
            "-v",
            "en-us",
            "-s",
            "150",
            "-w",
            spoken.to_str().unwrap(),
            words,
        ],
    );
    let delay = format!("adelay={}:all=1", silence * 1000);
    run(
        "ffmpeg",
        &[
            "-nostdin",
            "-nostats",
            "-loglevel",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=320x240:rate=5",
            "-i",
            spoken.to_str().unwrap(),
            "-af",
            &delay,
            "-shortest",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-c:a",
            "aac",
            film.to_str().unwrap(),
        ],
    );
    film
}

/// Everything that the worker says.
fn listen(made: &Made, model: &Path, language: Option<&str>, from_ms: u64) -> Vec<SpeechMessage> {
    let sound = sound_of(&made.package, language, from_ms).expect("a sound");
    let mut joined = tempfile::tempfile().unwrap();
    for file in sound.files {
        let bytes = std::fs::read(made.folder.path().join(file)).unwrap();
        joined.write_all(&bytes).unwrap();
    }
    joined.rewind().unwrap();
    let folder = TempDir::new().unwrap();
    let args = SpeechArgs {
        sound: joined,
        model,
        folder: folder.path(),
    };
    let job = SpeechJob {
        language: language.map(|tag| Language::new(tag).unwrap()),
        threads: 0,
        offset_ms: sound.offset_ms,
        from_ms,
    };
    let (_worker, output) =
        Worker::start_speech_program(&program(), &["speech-worker"], args, &job).unwrap();
    let mut output = BufReader::new(output);
    std::iter::from_fn(|| read_frame(&mut output).expect("frames that can be read")).collect()
}

fn lines(messages: &[SpeechMessage]) -> Vec<Line> {
    let heard = messages.iter().filter_map(|message| match message {
        SpeechMessage::Heard { lines, .. } => Some(lines.clone()),
        _ => None,
    });
    heard.flatten().collect()
}

/// Words as they are compared: case and marks do not count.
fn words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().map(|word| {
        let letters = word.chars().filter(|c| c.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    });
    words.filter(|word| !word.is_empty()).collect()
}

/// Word error rate: words to be put in, taken out or changed, by the words that were said.
fn word_error_rate(said: &str, heard: &[Line]) -> f64 {
    let said = words(said);
    let heard = words(
        &heard
            .iter()
            .map(|line| line.text.clone())
            .collect::<Vec<_>>()
            .join(" "),
    );
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (n, word) in said.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = n + 1;
        for (m, other) in heard.iter().enumerate() {
            let change = diagonal + usize::from(word != other);
            diagonal = row[m + 1];
            row[m + 1] = change.min(row[m] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()] as f64 / said.len() as f64
}

#[test]
fn what_is_said_is_written_down_at_its_time_and_goes_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    let made = make(&narrated(folder.path(), 3, &format!("{SAID} {SAID_LATER}")));
    let messages = listen(&made, &model(), None, 0);
    let language = Language::new("en").unwrap();
    let first = messages
        .iter()
        .find(|message| **message != SpeechMessage::Progress);
    assert_eq!(first, Some(&SpeechMessage::Began { language }));
    assert_eq!(messages.last(), Some(&SpeechMessage::Done));
    let heard = lines(&messages);
    let rate = word_error_rate(&format!("{SAID} {SAID_LATER}"), &heard);
    assert!(rate < 0.12, "{rate}: {heard:#?}");
    assert!(heard.iter().all(Line::is_sound), "{heard:#?}");
    let first = heard[0].start_ms;
    assert!((2_500..3_500).contains(&first), "{first}");
    let sure = heard
        .iter()
        .map(|line| u32::from(line.confidence))
        .sum::<u32>()
        / heard.len() as u32;
    assert!((50..=100).contains(&sure), "{sure}");
    let (vtt, marks) = captions_of(&heard).unwrap();
    assert!(
        vtt.to_lowercase().contains("lecture on mechanics") && marks.starts_with("[["),
        "{vtt} {marks}"
    );

    // The sound begins within its segment then; what was heard is not heard again.
    let later = heard
        .iter()
        .find(|line| line.text.starts_with("The third"))
        .expect("its sentence");
    let again = lines(&listen(&made, &model(), Some("en"), later.start_ms));
    let rate = word_error_rate(SAID_LATER, &again);
    assert!(rate < 0.2, "{rate}: {again:#?}");
    assert!(
        again[0].start_ms.abs_diff(later.start_ms) < 1_000,
        "{again:#?}"
    );
}

#[test]
fn a_model_that_is_none_and_a_language_that_it_does_not_know_are_told_in_a_sentence() {
    let folder = TempDir::new().unwrap();
    let made = make(&narrated(folder.path(), 0, "Good morning."));
    let other = folder.path().join("other.bin");
    std::fs::write(&other, b"lmgg, and then nothing that makes sense").unwrap();
    for (model, language, wanted) in [
        (other, "en", "The model cannot be used."),
        (model(), "tlh", "does not know this language (tlh)"),
    ] {
        let messages = listen(&made, &model, Some(language), 0);
        let [SpeechMessage::Failed { sentence, may_pass }] = messages.as_slice() else {
            panic!("{messages:?}");
        };
        assert!(sentence.as_str().contains(wanted), "{sentence}");
        assert!(!may_pass);
    }
}

#[test]
fn silence_has_no_words() {
    let folder = TempDir::new().unwrap();
    let how = "-f lavfi -i anullsrc=r=48000 -t 8";
    let made = make(&super::source::make(folder.path(), "silence.wav", how));
    assert_eq!(lines(&listen(&made, &model(), Some("en"), 0)), []);
}

/// `cargo test --release --workspace --test worker how_well -- --ignored --nocapture`: figures, no verdict.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn how_well_and_how_fast_speech_is_recognised() {
    let folder = TempDir::new().unwrap();
    let text = format!("{SAID} {SAID_LATER} ").repeat(8);
    let made = make(&narrated(folder.path(), 0, &text));
    let duration = Duration::from_millis(made.package.duration_ms);
    let began = Instant::now();
    let heard = lines(&listen(&made, &model(), Some("en"), 0));
    let took = began.elapsed();
    println!(
        "speech: {:.0} s, word error rate {:.3}, real-time factor {:.2}",
        duration.as_secs_f64(),
        word_error_rate(&text, &heard),
        took.as_secs_f64() / duration.as_secs_f64()
    );
    assert!(!heard.is_empty());
}
