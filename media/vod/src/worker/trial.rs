//! `lecternd trial-worker`: answers one question about the chips of this machine ([`crate::hardware::ask`]). It runs
//! drivers, which may crash and hang, so it is a process of its own; it reads nothing that came from outside, so it
//! needs no sandbox.

mod clip;

use std::collections::VecDeque;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::DownstreamForceKeyUnitEvent;

use self::clip::Frames;
use super::coders::{Wish, encoder};
use super::elements::{self, make};
use super::encode::{ROOM_NS, frames_caps, link, pad, timed_frames_caps};
use super::failure::Failure;
use super::h264::{self, Entry, Framing};
use crate::hardware::ask::{Answer, Ask, Clip, Coded, Offer};
use crate::hardware::refusal::Refusal;
use crate::hardware::{Codec, Family, Work};
use crate::package::Ratio;
use crate::protocol::{read_frame, write_frame};

/// What comes back is not the clip any more: x264 at its worst quality is above.
const LEAST_PSNR_DB: f64 = 24.0;
/// Bits that a clip's pixel and second may take, at most.
const MOST_BITS_PER_PIXEL: f64 = 0.25;
/// How often a pipeline that brings nothing is looked at.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// The child's whole life.
#[must_use]
pub fn run() -> ExitCode {
    let mut input = io::stdin().lock();
    let Ok(Some(ask)) = read_frame::<Ask>(&mut input) else {
        eprintln!("trial-worker: the question is not understood");
        return ExitCode::FAILURE;
    };
    drop(input);
    let machine = |failure: Failure| Refusal::Failed {
        said: failure.to_string(),
    };
    let answer = elements::load()
        .and_then(|()| super::end_with_input())
        .map_err(machine)
        .and_then(|()| answer(ask))
        .unwrap_or_else(Answer::Refused);
    match write_frame(&mut io::stdout(), &answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(ask: Ask) -> Result<Answer, Refusal> {
    match ask {
        Ask::Offers { family } => {
            let complaint = listen();
            elements::load_more(family.plugin());
            let said = complaint
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            Ok(Answer::Offers {
                offers: offers(family),
                said,
            })
        }
        Ask::Code {
            family,
            offer,
            clip,
            film,
            streams,
            quality,
        } => {
            if let Some(family) = family {
                elements::load_more(family.plugin());
            }
            let frames = match film {
                Some(film) => Frames::of_film(&film, clip),
                None => Frames::drawn(clip),
            };
            let trial = Trial {
                frames: frames.map_err(failed)?,
                clip,
                wish: Wish {
                    quality,
                    most_kbps: most_kbps(clip),
                },
            };
            let coded = match offer.work {
                Work::Encode => trial.encode(family, &offer, streams),
                Work::Decode => trial.decode(&offer, streams),
            };
            coded.map(Answer::Coded)
        }
    }
}

fn most_kbps(clip: Clip) -> u32 {
    let pixels = f64::from(clip.width) * f64::from(clip.height) * f64::from(clip.frames_per_second);
    (pixels * MOST_BITS_PER_PIXEL / 1000.0) as u32
}

fn failed(failure: Failure) -> Refusal {
    Refusal::Failed {
        said: failure.to_string(),
    }
}

/// Keeps what GStreamer complains of last.
fn listen() -> Arc<Mutex<Option<String>>> {
    let last = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&last);
    gst::log::remove_default_log_function();
    gst::log::set_active(true);
    gst::log::set_default_threshold(gst::DebugLevel::Warning);
    gst::log::add_log_function(move |_, _, _, _, _, _, message| {
        let said = message.get().map(|message| message.to_string());
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = said;
    });
    last
}

/// What a loaded plugin can code.
fn offers(family: Family) -> Vec<Offer> {
    let registry = gst::Registry::get();
    let features = registry.features_by_plugin(family.plugin());
    let factories = features.iter().filter_map(|feature| feature.downcast_ref());
    let mut offers: Vec<Offer> = factories.filter_map(offer).collect();
    offers.sort_by(|a, b| (a.codec, &a.element).cmp(&(b.codec, &b.element)));
    offers
}

fn offer(factory: &gst::ElementFactory) -> Option<Offer> {
    let class = factory.metadata("klass")?;
    let is = |word: &str| class.split('/').any(|part| part == word);
    let work = match (is("Encoder"), is("Decoder")) {
        (true, false) if is("Video") => Work::Encode,
        (false, true) if is("Video") => Work::Decode,
        _ => return None,
    };
    let coded = match work {
        Work::Encode => gst::PadDirection::Src,
        Work::Decode => gst::PadDirection::Sink,
    };
    let templates = factory.static_pad_templates();
    let caps = templates
        .iter()
        .find(|pad| pad.direction() == coded)?
        .caps();
    let codec = caps.iter().find_map(|caps| match caps.name().as_str() {
        "video/x-h264" => Some(Codec::H264),
        "video/x-h265" => Some(Codec::H265),
        "video/x-av1" => Some(Codec::Av1),
        "video/x-vp8" => Some(Codec::Vp8),
        "video/x-vp9" => Some(Codec::Vp9),
        _ => None,
    })?;
    Some(Offer {
        element: factory.name().into(),
        codec,
        work,
    })
}

/// A clip, and how it is to be encoded.
struct Trial {
    frames: Frames,
    clip: Clip,
    wish: Wish,
}

/// What came out of encoders.
struct Encoded {
    seconds: f64,
    /// The first one's.
    units: Vec<gst::Sample>,
}

impl Trial {
    fn encode(
        &self,
        family: Option<Family>,
        offer: &Offer,
        streams: u32,
    ) -> Result<Coded, Refusal> {
        let encoded = self.encoded(family, offer, streams)?;
        if !self.has_its_keys(&encoded.units, offer.codec) {
            return Err(Refusal::KeyFrames);
        }
        let decoder = software(offer.codec, Work::Decode);
        let decoded = self.decoded(&decoder, &encoded.units, 1)?;
        self.compared(streams, encoded.seconds, &encoded.units, decoded.psnr_db)
    }

    fn decode(&self, offer: &Offer, streams: u32) -> Result<Coded, Refusal> {
        elements::load_more("x265");
        let encoder = software(offer.codec, Work::Encode);
        if gst::ElementFactory::find(&encoder.element).is_none() {
            return Err(Refusal::NoClip);
        }
        let encoded = self.encoded(None, &encoder, 1)?;
        let decoded = self.decoded(offer, &encoded.units, streams)?;
        self.compared(streams, decoded.seconds, &encoded.units, decoded.psnr_db)
    }

    fn compared(
        &self,
        streams: u32,
        seconds: f64,
        units: &[gst::Sample],
        psnr_db: f64,
    ) -> Result<Coded, Refusal> {
        if psnr_db < LEAST_PSNR_DB {
            return Err(Refusal::Unlike { psnr_db });
        }
        let bytes = units.iter().filter_map(|unit| unit.buffer());
        Ok(Coded {
            frames: u64::from(self.clip.frames) * u64::from(streams),
            seconds,
            bytes: bytes.map(|unit| unit.size() as u64).sum(),
            psnr_db,
        })
    }

    fn encoded(
        &self,
        family: Option<Family>,
        offer: &Offer,
        streams: u32,
    ) -> Result<Encoded, Refusal> {
        let keys = self.keys();
        let rate = self.clip.rate().ok_or_else(|| Refusal::Failed {
            said: "a clip without a rate".into(),
        })?;
        let mut lines = Vec::new();
        for _ in 0..streams.max(1) {
            let encoder = encoder(family, offer, self.wish).map_err(failed)?;
            ask_for_keys(&encoder, keys.map(|number| ROOM + self.clip.at(number)))
                .map_err(failed)?;
            let mut elements = vec![make("videoconvert").map_err(failed)?, encoder];
            if let Some(parser) = parser(offer.codec) {
                elements.push(make(parser).map_err(failed)?);
            }
            let form = (self.clip.width, self.clip.height);
            let caps = timed_frames_caps(form, rate);
            lines.push(Line::new(
                &elements,
                &caps,
                self.frames.timed(self.clip, ROOM),
            )?);
        }
        let (seconds, mut outputs) = go(&lines)?;
        let units = outputs.swap_remove(0);
        let sent = u64::from(self.clip.frames);
        if units.len() as u64 != sent {
            return Err(Refusal::Frames {
                sent,
                came: units.len() as u64,
            });
        }
        Ok(Encoded { seconds, units })
    }

    /// Whether key frames are where they were asked for. Some encoders count in a clock of their own, from their first.
    fn has_its_keys(&self, units: &[gst::Sample], codec: Codec) -> bool {
        let found = units.iter().filter(|unit| is_key(unit, codec));
        let found: Vec<_> = found.filter_map(|unit| unit.buffer()?.pts()).collect();
        let first = found.first().copied().unwrap_or_default();
        self.keys().iter().all(|key| {
            let at = first + self.clip.at(*key);
            found.iter().any(|pts| pts.absdiff(at) < SLACK)
        })
    }

    /// Numbers of the frames that are to be key frames.
    fn keys(&self) -> [u32; 2] {
        [0, self.clip.frames / 2]
    }

    fn decoded(
        &self,
        offer: &Offer,
        units: &[gst::Sample],
        streams: u32,
    ) -> Result<Decoded, Refusal> {
        let caps = units.first().and_then(|unit| unit.caps_owned());
        let caps = caps.ok_or_else(|| Refusal::Failed {
            said: "a stream without a form".into(),
        })?;
        let buffers = || {
            units
                .iter()
                .filter_map(|unit| unit.buffer_owned())
                .collect()
        };
        let mut lines = Vec::new();
        for _ in 0..streams.max(1) {
            let convert = make("videoconvert").map_err(failed)?;
            let form = make("capsfilter").map_err(failed)?;
            form.set_property("caps", frames_caps(self.clip.width, self.clip.height));
            let mut elements = Vec::new();
            if let Some(parser) = parser(offer.codec) {
                elements.push(make(parser).map_err(failed)?);
            }
            elements.extend([make(&offer.element).map_err(failed)?, convert, form]);
            lines.push(Line::new(&elements, &caps, buffers())?);
        }
        let (seconds, outputs) = go(&lines)?;
        let came = outputs.first().map_or(&[][..], Vec::as_slice);
        if came.len() != self.frames.len() {
            return Err(Refusal::Frames {
                sent: self.frames.len() as u64,
                came: came.len() as u64,
            });
        }
        Ok(Decoded {
            seconds,
            psnr_db: self.frames.psnr_db(came).map_err(failed)?,
        })
    }
}

struct Decoded {
    seconds: f64,
    psnr_db: f64,
}

/// As a rung's frames are moved.
const ROOM: gst::ClockTime = gst::ClockTime::from_nseconds(ROOM_NS);
/// Half a frame of 50 a second.
const SLACK: gst::ClockTime = gst::ClockTime::from_mseconds(10);

impl Clip {
    fn at(self, number: u32) -> gst::ClockTime {
        let ns = u64::from(number) * 1_000_000_000 / u64::from(self.frames_per_second.max(1));
        gst::ClockTime::from_nseconds(ns)
    }

    fn rate(self) -> Option<Ratio> {
        Ratio::new(self.frames_per_second, 1)
    }
}

/// What codes in software.
fn software(codec: Codec, work: Work) -> Offer {
    let (encoder, decoder) = match codec {
        Codec::H264 => ("x264enc", "avdec_h264"),
        Codec::H265 => ("x265enc", "avdec_h265"),
        Codec::Av1 => ("av1enc", "av1dec"),
        Codec::Vp8 => ("vp8enc", "vp8dec"),
        Codec::Vp9 => ("vp9enc", "vp9dec"),
    };
    let element = match work {
        Work::Encode => encoder,
        Work::Decode => decoder,
    };
    Offer {
        element: element.to_owned(),
        codec,
        work,
    }
}

fn parser(codec: Codec) -> Option<&'static str> {
    match codec {
        Codec::H264 => Some("h264parse"),
        Codec::H265 => Some("h265parse"),
        Codec::Av1 => Some("av1parse"),
        Codec::Vp9 => Some("vp9parse"),
        Codec::Vp8 => None,
    }
}

/// As a rung's encoder is asked: [`super::encode`].
fn ask_for_keys(encoder: &gst::Element, keys: [gst::ClockTime; 2]) -> Result<(), Failure> {
    let waiting = Mutex::new(VecDeque::from(keys));
    pad(encoder, "sink")?.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let at = info.buffer().and_then(|buffer| buffer.pts());
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_some() && at >= waiting.front().copied() && waiting.pop_front().is_some() {
            drop(waiting);
            let event = DownstreamForceKeyUnitEvent::builder();
            let event = event.running_time(at).all_headers(false);
            pad.send_event(event.build());
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

fn is_key(unit: &gst::Sample, codec: Codec) -> bool {
    let Some(buffer) = unit.buffer() else {
        return false;
    };
    if codec != Codec::H264 {
        return !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
    }
    let codec_data = unit
        .caps()
        .and_then(|caps| caps.structure(0))
        .and_then(|form| {
            let data = form.get::<gst::Buffer>("codec_data").ok()?;
            let map = data.map_readable().ok()?;
            Some(map.to_vec())
        });
    let framing = Framing::of_avcc(codec_data.as_deref());
    let map = buffer.map_readable();
    map.is_ok_and(|map| h264::entry(&map, framing) == Entry::Idr)
}

/// Buffers in, elements, buffers out.
struct Line {
    pipeline: gst::Pipeline,
    sink: AppSink,
}

impl Line {
    /// All that goes in waits at its beginning.
    fn new(
        elements: &[gst::Element],
        caps: &gst::Caps,
        buffers: Vec<gst::Buffer>,
    ) -> Result<Self, Refusal> {
        Self::built(elements, caps, buffers).map_err(failed)
    }

    fn built(
        elements: &[gst::Element],
        caps: &gst::Caps,
        buffers: Vec<gst::Buffer>,
    ) -> Result<Self, Failure> {
        let pipeline = gst::Pipeline::new();
        let source = AppSrc::builder()
            .caps(caps)
            .format(gst::Format::Time)
            .build();
        source.set_max_bytes(0);
        let sink = AppSink::builder().sync(false).build();
        let ends = (source.upcast_ref::<gst::Element>(), sink.upcast_ref());
        let chain: Vec<_> = std::iter::once(ends.0)
            .chain(elements)
            .chain([ends.1])
            .collect();
        let wrong = |e: gst::glib::BoolError| Failure::Machine(e.to_string());
        pipeline.add_many(chain.iter().copied()).map_err(wrong)?;
        for pair in chain.windows(2) {
            if let [from, to] = pair {
                link(from, to)?;
            }
        }
        let ready = pipeline.set_state(gst::State::Ready);
        let line = Self { pipeline, sink };
        if ready.is_err() {
            return Err(Failure::Machine(
                line.complaint().unwrap_or_else(|| "no chip answers".into()),
            ));
        }
        for buffer in buffers {
            let pushed = source.push_buffer(buffer);
            pushed.map_err(|e| Failure::Machine(e.to_string()))?;
        }
        source
            .end_of_stream()
            .map_err(|e| Failure::Machine(e.to_string()))?;
        Ok(line)
    }

    /// An error that was reported.
    fn complaint(&self) -> Option<String> {
        let bus = self.pipeline.bus()?;
        let message = bus.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(error.error().to_string()),
            _ => None,
        }
    }

    fn drain(&self) -> Result<Vec<gst::Sample>, Refusal> {
        let mut units = Vec::new();
        loop {
            match self.sink.try_pull_sample(LOOK) {
                Some(unit) => units.push(unit),
                None => {
                    if let Some(said) = self.complaint() {
                        return Err(Refusal::Failed { said });
                    }
                    if self.sink.is_eos() {
                        return Ok(units);
                    }
                }
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Whatever an element says: the process ends soon.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Lets all lines go at once, and takes what comes out of each.
fn go(lines: &[Line]) -> Result<(f64, Vec<Vec<gst::Sample>>), Refusal> {
    let began = Instant::now();
    for line in lines {
        if line.pipeline.set_state(gst::State::Playing).is_err() {
            let said = line
                .complaint()
                .unwrap_or_else(|| "it does not start".into());
            return Err(Refusal::Failed { said });
        }
    }
    let outputs = lines.iter().map(Line::drain).collect::<Result<_, _>>()?;
    let took: Duration = began.elapsed();
    Ok((took.as_secs_f64(), outputs))
}
