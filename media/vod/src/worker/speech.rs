//! `lecternd speech-worker`: takes one [`SpeechJob`] from standard input, the sound of a package from descriptor 3 and
//! a model from descriptor 4, and says on standard output what was said when. The same sandbox as the media worker's:
//! neither the sound nor the model can do more than make it fail.
//!
//! The sound is heard in pieces of about a minute and a half, cut where it is quietest, so that memory does not grow
//! with a lecture and what is heard need not be heard again.

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    get_lang_id, get_lang_str, install_logging_hooks,
};

use super::decode::{add, add_decoder};
use super::elements::{decoder_for, make};
use super::encode::{link, pad};
use super::failure::Failure;
use super::sandbox::Terms;
use super::source::{INPUT, Kind, add_source, kind_of, with_pipeline};
use super::{end_with_input, prepare, say};
use crate::names::{Language, Sentence};
use crate::protocol::read_frame;
use crate::speech::lines::{Word, of_words};
use crate::speech::{Line, MAX_LINES, SpeechJob, SpeechMessage, model};

/// The model, opened through the descriptor that the daemon passed.
const MODEL: &str = "/proc/self/fd/4";
/// Nobody waits for it.
const TERMS: Terms<'static> = Terms {
    inputs: &[INPUT, MODEL],
    niceness: 15,
};
/// Samples a second, as Whisper wants them.
const RATE: usize = 16_000;
/// A piece has so many samples, less what lies behind the quietest place near its end.
const PIECE: usize = 90 * RATE;
const NEAR_ITS_END: usize = 15 * RATE;
/// What is compared to find that place, and to find whether there is any sound.
const MOMENT: usize = RATE / 5;
/// Below -60 dBFS nobody speaks; a model that hears words there has made them up.
const SILENCE: f32 = 0.001;
/// Sound comes from a file: none for so long means that there will be none.
const PATIENCE: Duration = Duration::from_secs(30);
const OFTEN: Duration = Duration::from_secs(5);
const BEAM: i32 = 5;

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    #[error(
        "This box's processor is too old to recognise speech: it lacks {0}. Captions can be uploaded or written by hand."
    )]
    Processor(&'static str),
    #[error(
        "The model that is installed does not know this language ({0}). Another model may; an administrator can install it."
    )]
    Language(String),
    #[error(
        "The model cannot be used. An administrator can install it again, or another, under System, Speech."
    )]
    Model,
    #[error("The sound of this video cannot be read.")]
    Sound,
    #[error("Recognising speech failed: {0}.")]
    Machine(String),
}

impl Deaf {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Machine(_))
    }
}

impl From<Failure> for Deaf {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Machine(what) => Self::Machine(what),
            other => {
                eprintln!("worker: {other}");
                Self::Sound
            }
        }
    }
}

/// The worker's whole life.
pub fn run() -> ExitCode {
    let job: SpeechJob = match read_frame(&mut io::stdin().lock()) {
        Ok(Some(job)) => job,
        Ok(None) => return ExitCode::FAILURE,
        Err(e) => {
            eprintln!("worker: the job is not understood: {e}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = prepare(TERMS)
        .and_then(|()| end_with_input())
        .map_err(Deaf::from)
        .and_then(|()| work(&job));
    let last = match outcome {
        Ok(()) => SpeechMessage::Done,
        Err(deaf) => SpeechMessage::Failed {
            sentence: Sentence::new(deaf.to_string()),
            may_pass: deaf.may_pass(),
        },
    };
    match say(&last) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn work(job: &SpeechJob) -> Result<(), Deaf> {
    look_at_processor()?;
    install_logging_hooks();
    let mut ear = Ear::open(job)?;
    if let Some(language) = &ear.language {
        say(&began(language)?)?;
    }
    with_pipeline(|pipeline| Ok(hear_all(job, &mut ear, pipeline)))?
}

fn hear_all(job: &SpeechJob, ear: &mut Ear, pipeline: &gst::Pipeline) -> Result<(), Deaf> {
    let mut sound = Sound::open(pipeline, job)?;
    let was_known = ear.language.is_some();
    let mut is_told = was_known;
    while let Some(piece) = sound.next_piece()? {
        let through_ms = piece.start_ms + ms(piece.samples.len());
        let lines = match piece.without_silence() {
            Some(piece) => ear.hear(&piece)?,
            None => Vec::new(),
        };
        if let Some(language) = ear.language.as_ref().filter(|_| !is_told) {
            say(&began(language)?)?;
            is_told = true;
        }
        for part in lines.chunks(MAX_LINES) {
            let lines = part.to_vec();
            say(&SpeechMessage::Heard { through_ms, lines })?;
        }
        if lines.is_empty() {
            say(&SpeechMessage::Heard { through_ms, lines })?;
        }
    }
    if !is_told {
        // There was nothing but silence; any language is as good.
        say(&began("en")?)?;
    }
    Ok(())
}

fn began(language: &str) -> Result<SpeechMessage, Deaf> {
    let language = Language::new(language).map_err(|e| Deaf::Machine(e.to_string()))?;
    Ok(SpeechMessage::Began { language })
}

/// What whisper.cpp is built for, since it is built for no one machine.
fn look_at_processor() -> Result<(), Deaf> {
    #[cfg(target_arch = "x86_64")]
    for (name, is_there) in [
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("FMA", std::arch::is_x86_feature_detected!("fma")),
        ("F16C", std::arch::is_x86_feature_detected!("f16c")),
        ("BMI2", std::arch::is_x86_feature_detected!("bmi2")),
    ] {
        if !is_there {
            return Err(Deaf::Processor(name));
        }
    }
    Ok(())
}

/// A model that listens.
struct Ear {
    state: WhisperState,
    /// The first of its tokens that is no word.
    end_of_text: i32,
    threads: i32,
    /// As the model writes it; none until it has guessed.
    language: Option<String>,
}

impl Ear {
    fn open(job: &SpeechJob) -> Result<Self, Deaf> {
        // What reads it next believes every number in it.
        let whole = std::fs::File::open(MODEL).map_err(model::Refused::from);
        whole.and_then(model::read).map_err(|error| {
            eprintln!("worker: {error}");
            Deaf::Model
        })?;
        let context = WhisperContext::new_with_params(MODEL, WhisperContextParameters::default())
            .map_err(|error| {
            eprintln!("worker: {error}");
            Deaf::Model
        })?;
        let wanted = job.language.as_ref().map(Language::as_str);
        let language = match (wanted, context.is_multilingual()) {
            (Some(tag), is_multilingual) => Some(known(tag, is_multilingual)?),
            (None, true) => None,
            (None, false) => Some("en".to_owned()),
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = match job.threads {
            0 => i32::try_from(cores).unwrap_or(1),
            threads => i32::try_from(threads).unwrap_or(1),
        };
        let state = context.create_state().map_err(|error| {
            eprintln!("worker: {error}");
            Deaf::Model
        })?;
        Ok(Self {
            state,
            end_of_text: context.token_eot(),
            threads,
            language,
        })
    }

    fn hear(&mut self, piece: &Piece) -> Result<Vec<Line>, Deaf> {
        let mut params = FullParams::new(SamplingStrategy::BeamSearch {
            beam_size: BEAM,
            patience: -1.0,
        });
        params.set_n_threads(self.threads);
        let language = self.language.clone();
        params.set_language(Some(language.as_deref().unwrap_or("auto")));
        params.set_translate(false);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        params.set_print_special(false);
        params.set_token_timestamps(true);
        let mut told = Instant::now();
        params.set_progress_callback_safe(move |_| {
            if told.elapsed() > OFTEN {
                told = Instant::now();
                // Whoever does not listen any more is seen by the next word.
                let _ = say(&SpeechMessage::Progress);
            }
        });
        self.state
            .full(params, &piece.samples)
            .map_err(|e| Deaf::Machine(e.to_string()))?;
        if self.language.is_none() {
            let guessed = get_lang_str(self.state.full_lang_id_from_state());
            self.language = Some(guessed.unwrap_or("en").to_owned());
        }
        let mut lines = of_words(&self.words(piece.start_ms));
        lines.retain(|line| loudest(piece.around(line)) > SILENCE);
        Ok(lines)
    }

    fn words(&self, from_ms: u64) -> Vec<Word> {
        let mut words = Vec::new();
        for segment in self.state.as_iter() {
            let mut tokens = Tokens::default();
            for token in (0..segment.n_tokens()).filter_map(|n| segment.get_token(n)) {
                let data = token.token_data();
                if data.id >= self.end_of_text {
                    continue;
                }
                let at = |centiseconds: i64| {
                    from_ms + u64::try_from(centiseconds).unwrap_or(0).saturating_mul(10)
                };
                let bytes = token.to_bytes().unwrap_or_default();
                tokens.add(bytes, at(data.t0), at(data.t1), data.p);
            }
            words.extend(tokens.finish());
        }
        words
    }
}

/// How the model writes a language; it has one name for each, whatever the region.
fn known(tag: &str, is_multilingual: bool) -> Result<String, Deaf> {
    let primary = tag.split('-').next().unwrap_or_default().to_lowercase();
    let name = match primary.as_str() {
        "nb" => "no",
        "fil" => "tl",
        other => other,
    };
    let is_known = match is_multilingual {
        true => get_lang_id(name).is_some(),
        false => name == "en",
    };
    match is_known {
        true => Ok(name.to_owned()),
        false => Err(Deaf::Language(tag.to_owned())),
    }
}

/// Tokens, which are parts of words and may be parts of letters, become words.
#[derive(Default)]
struct Tokens {
    words: Vec<Word>,
    /// Of a letter that is not whole yet.
    rest: Vec<u8>,
    rest_ms: Option<u64>,
    /// How many tokens the last word has.
    parts: f32,
}

impl Tokens {
    fn add(&mut self, bytes: &[u8], start_ms: u64, end_ms: u64, probability: f32) {
        self.rest.extend_from_slice(bytes);
        let start_ms = *self.rest_ms.get_or_insert(start_ms);
        let Ok(text) = std::str::from_utf8(&self.rest).map(str::to_owned) else {
            return;
        };
        self.rest.clear();
        self.rest_ms = None;
        let bare = text.trim();
        if bare.is_empty() {
            return;
        }
        let has_space = text.starts_with(char::is_whitespace);
        let is_of_last =
            !has_space && !bare.starts_with(is_written_without_spaces) && !self.words.is_empty();
        match self.words.last_mut().filter(|_| is_of_last) {
            Some(word) => {
                word.text.push_str(bare);
                word.end_ms = word.end_ms.max(end_ms);
                self.parts += 1.0;
                word.probability += (probability - word.probability) / self.parts;
            }
            None => {
                self.parts = 1.0;
                self.words.push(Word {
                    start_ms,
                    end_ms,
                    text: bare.to_owned(),
                    probability,
                    is_glued: !has_space,
                });
            }
        }
    }

    fn finish(self) -> Vec<Word> {
        self.words
    }
}

/// Chinese, Japanese and their marks: there a caption may end after every sign.
fn is_written_without_spaces(letter: char) -> bool {
    ('\u{3040}'..='\u{9fff}').contains(&letter)
}

/// Samples that are heard at once.
struct Piece {
    /// On the film's time.
    start_ms: u64,
    samples: Vec<f32>,
}

impl Piece {
    /// From the moment before the first sound on: behind a silence the model loses the first words. None of nothing.
    fn without_silence(mut self) -> Option<Self> {
        let mut moments = self.samples.chunks(MOMENT);
        let quiet = moments.position(|moment| loudness(moment) > SILENCE)?;
        let silence = quiet.saturating_sub(1) * MOMENT;
        self.samples.drain(..silence);
        self.start_ms += ms(silence);
        Some(self)
    }

    fn around(&self, line: &Line) -> &[f32] {
        let at = |ms: u64| {
            let samples = ms.saturating_sub(self.start_ms) as usize * RATE / 1000;
            samples.min(self.samples.len())
        };
        let (from, to) = (at(line.start_ms), at(line.end_ms));
        let from = from.saturating_sub(MOMENT);
        let to = (to + MOMENT).min(self.samples.len());
        self.samples.get(from..to.max(from)).unwrap_or_default()
    }
}

/// The package's sound as single samples, a piece at a time.
struct Sound {
    sink: AppSink,
    bus: gst::Bus,
    offset_ms: u64,
    from_ms: u64,
    /// When the first of `waiting` is heard.
    start_ms: u64,
    waiting: Vec<f32>,
    is_over: bool,
}

impl Sound {
    fn open(pipeline: &gst::Pipeline, job: &SpeechJob) -> Result<Self, Failure> {
        let parse = add_source(pipeline)?.parse;
        let (convert, resample) = (make("audioconvert")?, make("audioresample")?);
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "F32LE")
            .field("layout", "interleaved")
            .field("rate", RATE as i32)
            .field("channels", 1_i32)
            .build();
        let sink = AppSink::builder()
            .caps(&caps)
            .sync(false)
            .max_buffers(64)
            .build();
        for element in [&convert, &resample, sink.upcast_ref()] {
            add(pipeline, element)?;
        }
        link(&convert, &resample)?;
        link(&resample, sink.upcast_ref())?;
        let weak = pipeline.downgrade();
        parse.connect_pad_added(move |_, from| {
            let led = weak
                .upgrade()
                .map(|pipeline| lead(&pipeline, from, &convert));
            if let Some(Err(failure)) = led {
                eprintln!("worker: {failure}");
            }
        });
        let stopped = || Failure::Machine("the sound does not start".into());
        let bus = pipeline.bus().ok_or_else(stopped)?;
        pipeline
            .set_state(gst::State::Playing)
            .map_err(|_| stopped())?;
        Ok(Self {
            sink,
            bus,
            offset_ms: job.offset_ms,
            from_ms: job.from_ms,
            start_ms: job.from_ms,
            waiting: Vec::with_capacity(PIECE + RATE),
            is_over: false,
        })
    }

    fn next_piece(&mut self) -> Result<Option<Piece>, Failure> {
        while !self.is_over && self.waiting.len() < PIECE {
            self.take()?;
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let length = match self.waiting.len() < PIECE {
            true => self.waiting.len(),
            false => quietest(&self.waiting),
        };
        let rest = self.waiting.split_off(length);
        let samples = std::mem::replace(&mut self.waiting, rest);
        let start_ms = self.start_ms;
        self.start_ms += ms(samples.len());
        Ok(Some(Piece { start_ms, samples }))
    }

    fn take(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let sample = loop {
            let moment = gst::ClockTime::from_mseconds(200);
            if let Some(sample) = self.sink.try_pull_sample(moment) {
                break sample;
            }
            let error = self.bus.pop_filtered(&[gst::MessageType::Error]);
            if let Some(gst::MessageView::Error(error)) = error.as_ref().map(|m| m.view()) {
                return Err(Failure::Damaged(format!(": {}", error.error())));
            }
            if self.sink.is_eos() {
                self.is_over = true;
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(Failure::Stalled(String::new()));
            }
        };
        let Some(buffer) = sample.buffer() else {
            return Ok(());
        };
        let at_ms = buffer.pts().map_or(0, gst::ClockTime::mseconds);
        let at_ms = at_ms.saturating_sub(self.offset_ms);
        let map = buffer
            .map_readable()
            .map_err(|e| Failure::Machine(e.to_string()))?;
        let (values, _) = map.as_chunks::<4>();
        let samples = values.iter().map(|value| f32::from_le_bytes(*value));
        let samples = samples.map(|value| if value.is_finite() { value } else { 0.0 });
        // The segment in which the work goes on began before.
        let skip = match self.waiting.is_empty() {
            true => self.start_ms.saturating_sub(at_ms) as usize * RATE / 1000,
            false => 0,
        };
        if self.waiting.is_empty() && skip == 0 {
            self.start_ms = at_ms.max(self.from_ms);
        }
        self.waiting.extend(samples.skip(skip));
        Ok(())
    }
}

/// The package's only stream on its way.
fn lead(pipeline: &gst::Pipeline, from: &gst::Pad, to: &gst::Element) -> Result<(), Failure> {
    let unknown = || Failure::Damaged(": it is no sound".into());
    if kind_of(from) != Kind::Audio {
        return Err(unknown());
    }
    let caps = from.current_caps().unwrap_or_else(|| from.query_caps(None));
    let factory = decoder_for(&caps).ok_or_else(unknown)?;
    let entry = make("queue")?;
    add(pipeline, &entry)?;
    let decoder = add_decoder(pipeline, &entry, Some(&factory.name()), 1)?;
    link(&decoder, to)?;
    for element in [&decoder, &entry] {
        element
            .sync_state_with_parent()
            .map_err(|e| Failure::Machine(e.to_string()))?;
    }
    from.link(&pad(&entry, "sink")?)
        .map(drop)
        .map_err(|e| Failure::Machine(e.to_string()))
}

/// How loud the loudest moment is: the root of the mean square, 1 at full scale.
fn loudest(samples: &[f32]) -> f32 {
    samples.chunks(MOMENT).map(loudness).fold(0.0, f32::max)
}

fn loudness(samples: &[f32]) -> f32 {
    let sum: f32 = samples.iter().map(|value| value * value).sum();
    (sum / samples.len().max(1) as f32).sqrt()
}

/// The middle of the quietest moment near the end.
fn quietest(samples: &[f32]) -> usize {
    let from = samples.len().saturating_sub(NEAR_ITS_END);
    let near = samples.get(from..).unwrap_or_default();
    let moments = near.chunks(MOMENT).enumerate();
    let quiet = moments.min_by(|(_, a), (_, b)| loudness(a).total_cmp(&loudness(b)));
    let n = quiet.map_or(0, |(n, _)| n);
    (from + n * MOMENT + MOMENT / 2).clamp(1, samples.len())
}

fn ms(samples: usize) -> u64 {
    samples as u64 * 1000 / RATE as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tokens: &[&[u8]]) -> Vec<(String, bool)> {
        let mut all = Tokens::default();
        for (n, bytes) in tokens.iter().enumerate() {
            let at = n as u64 * 100;
            all.add(bytes, at, at + 100, 0.5);
        }
        let words = all.finish().into_iter();
        words.map(|word| (word.text, word.is_glued)).collect()
    }

    #[test]
    fn tokens_become_words_also_where_a_letter_is_two_of_them() {
        let own = |text: &str, glued| (text.to_owned(), glued);
        assert_eq!(
            words(&[b" New", b"ton", b"'s", b" caf", b"\xc3", b"\xa9", b"."]),
            [own("Newton's", false), own("café.", false)]
        );
        assert_eq!(
            words(&["力".as_bytes(), "学。".as_bytes()]),
            [own("力", true), own("学。", true)]
        );
    }

    #[test]
    fn a_piece_ends_where_it_is_quietest() {
        let mut samples = vec![0.5; PIECE];
        let at = PIECE - 4 * RATE;
        samples[at..at + 2 * MOMENT].fill(0.0);
        let cut = quietest(&samples);
        assert!((at..at + 2 * MOMENT).contains(&cut), "{cut}");
    }

    #[test]
    fn a_language_is_asked_for_by_the_models_own_name() {
        assert_eq!(known("de-CH", true).ok().as_deref(), Some("de"));
        assert_eq!(known("nb", true).ok().as_deref(), Some("no"));
        assert!(matches!(known("tlh", true), Err(Deaf::Language(_))));
        assert!(matches!(known("de", false), Err(Deaf::Language(_))));
    }
}
