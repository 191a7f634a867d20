//! The first look at a source: one pass that demultiplexes and parses but decodes nothing.
//!
//! It ends as soon as nothing more can be learned. A source that might be kept as it is, and one that
//! does not know its own length, is read to the end; that is bound by the disk, not by the processor.

mod found;
mod stream;

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::boxes;
use super::chapters;
use super::elements::make;
use super::failure::Failure;
use super::riff;
use super::source::{
    Kind, Source, add_source, container_words, failure_of, kind_of, make_plain, stream_of,
    with_pipeline,
};
use super::texts::Form;
use super::tone::Hdr;
use crate::chapters::Chapters;
use crate::ladder::SourceFacts;
use crate::names::{Language, Sentence};
use crate::package::Ratio;
use found::Found;
use stream::{Named, Stream};

/// Buffers of a stream that tell its frame rate.
const ENOUGH_BUFFERS: u64 = 240;
/// How far one stream may run ahead while another has not begun.
const LATEST_START_NS: u64 = 10_000_000_000;
/// After the verdict is known to be "encode", how long to go on looking for the longest GOP.
const EXTRA_LOOK: Duration = Duration::from_millis(400);
/// A file as small as this is always looked at to its end: that takes no time.
const SMALL_BYTES: u64 = 64 << 20;
/// Nothing read for so long ends the probe: a disk that hangs, a machine that has no time.
const STALL: Duration = Duration::from_secs(30);
/// All is read, and still there is no end for so long: then it is the file's fault.
const LATEST_END: Duration = Duration::from_secs(12);
/// The most that is read, as a multiple of the file and beyond: a demuxer may look for its index first,
/// but one that reads in circles must end.
const MOST_READ: (u64, u64) = (8, 1 << 30);
/// The longest time in which a transport stream may hold nothing.
const LONGEST_HOLE_NS: u64 = 60_000_000_000;
/// Most streams that are looked at.
const MOST_STREAMS: usize = 64;

/// A source that can be worked on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Container in words.
    pub container: String,
    /// Size of the file.
    pub bytes: u64,
    /// Source time that becomes 0.
    pub start_ns: u64,
    /// What the ladder is chosen by.
    pub ladder: SourceFacts,
    /// The picture that is used.
    pub picture: Option<Picture>,
    /// The sound tracks that are used, the main one first.
    pub sounds: Vec<Sound>,
    /// The subtitles that can be read.
    pub texts: Vec<Text>,
    /// The chapters that the file names.
    pub chapters: Option<Chapters>,
    /// The picture on the cover of a recording that has no other.
    pub cover: Option<gst::Sample>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Of a hundred frames, how many show nothing new, where that was looked at ([`super::glance`]).
    pub still_percent: Option<u8>,
}

/// How to decode the picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Which of the source's streams; `None` when there is no other of its kind.
    pub stream: Option<String>,
    /// Decoder; none for raw pictures.
    pub decoder: Option<String>,
    /// How to turn it upright, as `videoflip` names it.
    pub flip: Option<&'static str>,
    /// How it codes brightness, where that is of a high dynamic range.
    pub hdr: Option<Hdr>,
    /// Frames a second, nominal.
    pub frame_rate: Ratio,
    /// Whether frames come at that rate.
    pub is_steady: bool,
    /// Whether every frame that was looked at did.
    pub is_even: bool,
    /// The container stores no decode times.
    pub without_dts: bool,
    /// The most by which a key frame is decoded before it is shown.
    pub delay_ns: u64,
    /// Size of the median coded frame of those that were looked at.
    pub median_bytes: u64,
}

impl Picture {
    /// The even grid to which times belong that the container rounds.
    pub fn grid(&self) -> Option<Ratio> {
        (self.without_dts && self.is_steady).then_some(self.frame_rate)
    }
}

/// How to decode the sound.
#[derive(Debug, Clone)]
pub struct Sound {
    /// Which of the source's streams; `None` when there is no other of its kind.
    pub stream: Option<String>,
    /// Decoder; none for raw samples.
    pub decoder: Option<String>,
    /// Codec in words.
    pub codec: String,
    /// Channels.
    pub channels: u32,
    /// Samples a second.
    pub sample_rate: u32,
    /// Mean bit rate, where the source says it.
    pub bitrate_bps: Option<u64>,
    /// Language, where the source says it.
    pub language: Option<Language>,
    /// What the source calls it: `Commentary`.
    pub label: Option<Sentence>,
}

/// Subtitles of the source.
#[derive(Debug, Clone)]
pub struct Text {
    /// Which of the source's streams.
    pub stream: String,
    /// How it is written.
    pub form: Form,
    /// Language, where the source says it.
    pub language: Option<Language>,
    /// What the source calls it: `English (SDH)`.
    pub label: Option<Sentence>,
}

/// Looks at the source behind [`super::source::INPUT`]; calls `beat` again and again as long as it reads.
pub fn probe(beat: &mut dyn FnMut() -> Result<(), Failure>) -> Result<Facts, Failure> {
    let mut file = File::open(super::source::INPUT)?;
    let bytes = file.metadata()?.len();
    if bytes == 0 {
        return Err(Failure::Empty);
    }
    let boxes = boxes::top_level_end(&mut file)?;
    // Sizes of AVI files are now and then off by a little.
    let avi_end = riff::claimed_end(&mut file)?.filter(|end| end - end / 20 > bytes);
    let chapters = chapters::of_mp4(&mut file);
    drop(file);
    if let Some(end) = boxes.map(|(end, _)| end).or(avi_end)
        && end > bytes
    {
        let percent = u128::from(bytes) * 100 / u128::from(end);
        return Err(Failure::Truncated(format!(
            "only {percent} % of it arrived"
        )));
    }

    let scan = Arc::new(Scan::default());
    scan.lock().bytes = bytes;
    scan.lock().chapters = chapters;
    let outcome = with_pipeline(|pipeline| {
        let read = build(pipeline, &scan)?;
        Ok(run(pipeline, &scan, &read, beat))
    })?;
    let scanned = std::mem::take(&mut *scan.lock());

    if let Some(caps) = &scanned.container
        && let Some(structure) = caps.structure(0)
    {
        container_words(structure)?;
    }
    if let Some((_, false)) = boxes
        && outcome.is_err()
    {
        return Err(Failure::Truncated(
            "its table of contents is missing".into(),
        ));
    }
    outcome?;
    scanned.facts()
}

/// Reads the source and watches each of its streams; answers the count of bytes read.
fn build(pipeline: &gst::Pipeline, scan: &Arc<Scan>) -> Result<Arc<AtomicU64>, Failure> {
    let Source {
        parse,
        typefind,
        read,
    } = add_source(pipeline)?;
    let found = Arc::clone(scan);
    typefind.connect("have-type", false, move |args| {
        let caps = args.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        found.lock().container = caps;
        None
    });
    let weak = pipeline.downgrade();
    let found = Arc::clone(scan);
    parse.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else {
            return;
        };
        if let Err(failure) = watch(&pipeline, pad, &found) {
            found.fail(failure);
        }
    });
    let found = Arc::clone(scan);
    parse.connect_no_more_pads(move |_| {
        found.lock().all_pads = true;
        found.changed.notify_all();
    });
    Ok(read)
}

/// What is collected while the pipeline runs.
#[derive(Default)]
struct Scan {
    found: Mutex<Found>,
    changed: Condvar,
}

impl Scan {
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
        self.changed.notify_all();
    }
}

fn run(
    pipeline: &gst::Pipeline,
    scan: &Scan,
    read: &AtomicU64,
    beat: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bus = pipeline
        .bus()
        .ok_or_else(|| Failure::Machine("a pipeline without a bus".into()))?;
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|_| Failure::Machine("the probe does not start".into()))?;
    let endless = || Failure::Damaged(": reading it does not come to an end".into());
    let mut moved = (Instant::now(), 0);
    loop {
        while let Some(message) = bus.pop() {
            match message.view() {
                gst::MessageView::Error(error) => {
                    let mut found = scan.lock();
                    // Most of a damaged file may be fine; but what is not whole is not taken.
                    return Err(found.failure.take().unwrap_or_else(|| failure_of(error)));
                }
                gst::MessageView::Toc(toc) => {
                    let named = chapters::of_toc(&toc.toc().0);
                    scan.lock().chapters = named;
                }
                gst::MessageView::Eos(_) => {
                    scan.lock().at_end = true;
                    return Ok(());
                }
                _ => {}
            }
        }
        let mut found = scan.lock();
        if let Some(failure) = found.failure.take() {
            return Err(failure);
        }
        if found.duration.is_none() && found.streams.values().any(|s| s.buffers > 0) {
            // Asked outside the lock: the answer may come from a thread that waits for it.
            drop(found);
            let duration = pipeline
                .query_duration::<gst::ClockTime>()
                .map(|d| d.nseconds());
            found = scan.lock();
            found.duration = Some(duration.unwrap_or(0));
        }
        if found.is_enough() {
            return Ok(());
        }
        let bytes = found.bytes;
        let (found, _) = scan
            .changed
            .wait_timeout(found, Duration::from_millis(10))
            .unwrap_or_else(PoisonError::into_inner);
        drop(found);
        let read = read.load(Ordering::Relaxed);
        if read
            > bytes
                .saturating_mul(MOST_READ.0)
                .saturating_add(MOST_READ.1)
        {
            return Err(endless());
        }
        if read != moved.1 {
            moved = (Instant::now(), read);
            beat()?;
        } else if read >= bytes && moved.0.elapsed() > LATEST_END {
            return Err(endless());
        } else if moved.0.elapsed() > STALL {
            return Err(Failure::Stalled(String::new()));
        }
    }
}

/// Hangs a counting sink behind a pad of `parsebin`.
fn watch(pipeline: &gst::Pipeline, pad: &gst::Pad, scan: &Arc<Scan>) -> Result<(), Failure> {
    let sink = make("fakesink")?;
    sink.set_property("sync", false);
    sink.set_property("async", false);
    pipeline
        .add(&sink)
        .map_err(|e| Failure::Machine(e.to_string()))?;
    let kind = kind_of(pad);
    let is_h264 = pad
        .current_caps()
        .unwrap_or_else(|| pad.query_caps(None))
        .structure(0)
        .is_some_and(|s| s.name() == "video/x-h264");
    if let Some(Ok(container)) = scan
        .lock()
        .container
        .as_ref()
        .and_then(|caps| caps.structure(0))
        .map(container_words)
    {
        make_plain(pad, &container);
    }
    let entry = super::encode::pad(&sink, "sink")?;
    if is_h264 {
        let parser = make("h264parse")?;
        let filter = make("capsfilter")?;
        filter.set_property("caps", avc_caps());
        pipeline
            .add_many([&parser, &filter])
            .map_err(|e| Failure::Machine(e.to_string()))?;
        gst::Element::link_many([&parser, &filter, &sink])
            .map_err(|e| Failure::Machine(e.to_string()))?;
        let input = super::encode::pad(&parser, "sink")?;
        pad.link(&input)
            .map_err(|e| Failure::Machine(e.to_string()))?;
        for element in [&parser, &filter] {
            element
                .sync_state_with_parent()
                .map_err(|e| Failure::Machine(e.to_string()))?;
        }
    } else {
        pad.link(&entry)
            .map_err(|e| Failure::Machine(e.to_string()))?;
    }
    if kind == Kind::Text {
        return watch_text(&entry, pad, &sink, scan);
    }
    if kind != Kind::Other {
        let number = {
            let mut found = scan.lock();
            let number = found.streams.len();
            if number < MOST_STREAMS {
                let stream = Stream {
                    name: Named {
                        stream: stream_of(pad),
                        ..Named::default()
                    },
                    is_video: kind == Kind::Video,
                    ..Stream::default()
                };
                found.streams.insert(number, stream);
            }
            number
        };
        let scan = Arc::clone(scan);
        entry.add_probe(
            gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM,
            move |pad, info| {
                let mut found = scan.lock();
                let is_buffer = matches!(info.data, Some(gst::PadProbeData::Buffer(_)));
                if is_buffer && found.lacks_length(number) {
                    // At the end some demultiplexers say what they have found instead, and a file may be read to its end
                    // before `run` asks. Outside the lock, as there.
                    drop(found);
                    let said = pad.peer_query_duration::<gst::ClockTime>();
                    found = scan.lock();
                    found.duration = said.map(gst::ClockTime::nseconds).filter(|said| *said > 0);
                }
                let believed = found.believed_until();
                if let Some(stream) = found.streams.get_mut(&number) {
                    match &info.data {
                        Some(gst::PadProbeData::Buffer(buffer)) => {
                            stream.take(pad, buffer, believed);
                        }
                        Some(gst::PadProbeData::Event(event)) => stream.hear(event),
                        _ => {}
                    }
                    if found.is_enough() {
                        scan.changed.notify_all();
                    }
                }
                gst::PadProbeReturn::Ok
            },
        );
    }
    sink.sync_state_with_parent()
        .map_err(|e| Failure::Machine(e.to_string()))
}

/// Listens to what is said of subtitles; their words are of no use to the probe.
fn watch_text(
    entry: &gst::Pad,
    pad: &gst::Pad,
    sink: &gst::Element,
    scan: &Arc<Scan>,
) -> Result<(), Failure> {
    let number = {
        let mut found = scan.lock();
        let number = found.texts.len();
        if number < MOST_STREAMS {
            found.texts.push(Named {
                stream: stream_of(pad),
                ..Named::default()
            });
        }
        number
    };
    let scan = Arc::clone(scan);
    entry.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &info.data
            && let Some(text) = scan.lock().texts.get_mut(number)
        {
            text.hear(event);
        }
        gst::PadProbeReturn::Ok
    });
    sink.sync_state_with_parent()
        .map_err(|e| Failure::Machine(e.to_string()))
}

/// H.264 as MP4 holds it: one access unit a buffer, parameter sets beside them.
pub fn avc_caps() -> gst::Caps {
    gst::Caps::builder("video/x-h264")
        .field("stream-format", "avc")
        .field("alignment", "au")
        .build()
}
