//! From raw frames and samples to tracks: scaling from rung to rung, H.264, AAC-LC, muxing. It gets
//! frames that already lie on the timeline ([`super::timeline`]) through two `appsrc`s.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use gstreamer_video::DownstreamForceKeyUnitEvent;

use super::elements::make;
use super::failure::Failure;
use super::mux::{Draft, add_muxer, split_now};
use super::scale::Scale;
use super::shelf::Shelf;
use super::timeline::{Cuts, Marks, SLACK_NS, ticks_to_ns};
use super::tuning::{Shown, tuning};
use crate::package::Ratio;

/// Samples of one AAC frame, and what the encoder holds back before its first one.
pub const AAC_FRAME: u64 = 1024;
/// Blocks that a resumed encoder gets to warm up.
const LEAD_FRAMES: u64 = 8;
/// AAC bit rate, stereo.
const AAC_BPS: i32 = 128_000;
/// Raw frames that wait before an encoder: enough to keep it busy while another one is slow.
const FRAMES_WAITING: u32 = 5;

/// One encoded rung.
#[derive(Debug, Clone)]
pub struct Rung {
    /// What becomes of it.
    pub draft: Draft,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Highest mean rate over two seconds, in kbit/s.
    pub max_kbps: u32,
    /// Encoder threads.
    pub threads: u32,
    /// What it shows, as far as the encoder asks.
    pub shown: Shown,
}

impl Rung {
    /// Whether x264 might find that level 1b is enough for it (at most a QCIF picture; ITU-T H.264, table A-1), which
    /// Chromium refuses.
    fn may_be_1b(&self) -> bool {
        self.width.div_ceil(16) * self.height.div_ceil(16) <= 99
    }
}

/// Adds the video chain: `appsrc → tee → scale → tee → x264 → mux`, each rung scaled from a larger one.
/// Returns its two ends: the second has the frames of the smallest rung and must be linked on.
pub fn add_video(
    pipeline: &gst::Pipeline,
    rungs: &[Rung],
    frame_rate: Ratio,
    cuts: &Cuts,
    shelf: &Shelf,
) -> Result<(AppSrc, gst::Element), Failure> {
    let source = frames_in();
    add(pipeline, source.upcast_ref())?;
    // Frames reach the appsrc in the size of the first rung already.
    let tee = make("tee")?;
    add(pipeline, &tee)?;
    link(source.upcast_ref(), &tee)?;
    let unknown = || Failure::Machine("a rung without a picture".into());
    let mut tees = vec![tee];
    for (i, rung) in rungs.iter().enumerate() {
        // Each rung gets a queue, and so a thread, of its own.
        let mut from = add_queue(pipeline, FRAMES_WAITING)?;
        let larger = tees.get(scaled_from(rungs, i)).ok_or_else(unknown)?;
        link(larger, &from)?;
        if i > 0 {
            let scale = add_scale(pipeline, rung.width, rung.height)?;
            link(&from, &scale.0)?;
            let tee = make("tee")?;
            add(pipeline, &tee)?;
            link(&scale.1, &tee)?;
            from = add_queue(pipeline, FRAMES_WAITING)?;
            link(&tee, &from)?;
            tees.push(tee);
        }
        add_h264(pipeline, rung, frame_rate, cuts, &from, shelf)?;
    }
    let from = add_queue(pipeline, FRAMES_WAITING)?;
    link(tees.last().ok_or_else(unknown)?, &from)?;
    Ok((source, from))
}

/// Which rung a rung is scaled from: the smallest that is still twice as high, or else the first. A chain
/// of scalers, each a little smaller, would blur letters; all of them from the first would take long.
fn scaled_from(rungs: &[Rung], number: usize) -> usize {
    let Some(rung) = rungs.get(number) else {
        return 0;
    };
    let is_twice = |larger: &Rung| larger.height >= rung.height * 2;
    rungs[..number].iter().rposition(is_twice).unwrap_or(0)
}

/// Adds the sound chain. The samples that come in begin at time 0 and have no holes. Returns where they go
/// in, and where to say how many there were.
pub fn add_audio(
    pipeline: &gst::Pipeline,
    draft: Draft,
    rate: u32,
    cuts: &Cuts,
    shelf: &Shelf,
) -> Result<(AppSrc, SoundEnd), Failure> {
    let source = frames_in();
    let end = SoundEnd::default();
    let known_end = end.clone();
    source.set_caps(Some(&samples_caps(rate)));
    let convert = make("audioconvert")?;
    let encoder = make("avenc_aac")?;
    encoder.set_property("bitrate", AAC_BPS);
    let draft_start = draft.next_start();
    let muxer = add_muxer(pipeline, draft, None, shelf)?;
    add(pipeline, source.upcast_ref())?;
    pipeline
        .add_many([&convert, &encoder])
        .map_err(|e| Failure::Machine(e.to_string()))?;
    link(source.upcast_ref(), &convert)?;
    link(&convert, &encoder)?;
    link(&encoder, &muxer)?;

    // A resumed encoder gets a few blocks before those that are missing, so that its frames join.
    let first = draft_start / AAC_FRAME;
    let lead = first.saturating_sub(LEAD_FRAMES);
    let blocks = AtomicU64::new(0);
    pad(source.upcast_ref(), "src")?.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if blocks.fetch_add(1, Ordering::Relaxed) < lead {
            return left_out(info);
        }
        gst::PadProbeReturn::Ok
    });

    let state = Mutex::new((lead, Marks::segments(cuts)));
    let out = pad(&encoder, "src")?;
    out.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        let Ok(mut state) = state.lock() else {
            return left_out(info);
        };
        let number = state.0;
        state.0 += 1;
        // The encoder's first frame holds only its own delay: without it, the rest is on time.
        // What it holds back at the end is silence behind the last sample.
        let in_sound = |number: &u64| *number >= first && known_end.holds(number * AAC_FRAME);
        let Some(number) = number.checked_sub(1).filter(in_sound) else {
            drop(state);
            return left_out(info);
        };
        let start = ticks_to_ns(number * AAC_FRAME, rate);
        let end = ticks_to_ns((number + 1) * AAC_FRAME, rate);
        let buffer = buffer.make_mut();
        buffer.set_pts(gst::ClockTime::from_nseconds(start));
        buffer.set_dts(gst::ClockTime::from_nseconds(start));
        buffer.set_duration(gst::ClockTime::from_nseconds(end - start));
        if state.1.hit(start) && number > first {
            pad.push_event(split_now());
        }
        gst::PadProbeReturn::Ok
    });
    Ok((source, end))
}

/// How many samples a sound has; unknown until its last one is on its way to the encoder.
#[derive(Debug, Clone, Default)]
pub struct SoundEnd(Arc<OnceLock<u64>>);

impl SoundEnd {
    /// Says it, before the encoder is told that there are no more.
    pub fn is_at(&self, samples: u64) {
        let _ = self.0.set(samples);
    }

    fn holds(&self, sample: u64) -> bool {
        self.0.get().is_none_or(|end| sample < *end)
    }
}

/// Ends the way of what a probe holds. (Not by `Drop`: GStreamer 1.22 then releases it twice.)
pub fn left_out(info: &mut gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
    info.data = None;
    gst::PadProbeReturn::Handled
}

/// The form in which sound reaches [`add_audio`].
pub fn samples_caps(rate: u32) -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "F32LE")
        .field("layout", "interleaved")
        .field("rate", i32::try_from(rate).unwrap_or(48_000))
        .field("channels", 2_i32)
        .field("channel-mask", gst::Bitmask::new(0x3))
        .build()
}

/// The form in which frames reach [`add_video`].
pub fn frames_caps(width: u32, height: u32) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", i32::try_from(width).unwrap_or(i32::MAX))
        .field("height", i32::try_from(height).unwrap_or(i32::MAX))
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .build()
}

/// The same with the rate that goes into the stream.
pub fn timed_frames_caps((width, height): (u32, u32), rate: Ratio) -> gst::Caps {
    let number = |value: u32| i32::try_from(value).unwrap_or(1);
    let mut caps = frames_caps(width, height);
    caps.make_mut().set(
        "framerate",
        gst::Fraction::new(number(rate.num()), number(rate.den())),
    );
    caps
}

/// Adds `scale ! capsfilter`: I420 of any size becomes I420 of that one. Returns its two ends.
pub fn add_scale(
    pipeline: &gst::Pipeline,
    width: u32,
    height: u32,
) -> Result<(gst::Element, gst::Element), Failure> {
    let scale = Scale::to(width, height)?;
    let filter = make("capsfilter")?;
    filter.set_property("caps", frames_caps(width, height));
    pipeline
        .add_many([&scale, &filter])
        .map_err(|e| Failure::Machine(e.to_string()))?;
    link(&scale, &filter)?;
    Ok((scale, filter))
}

/// Links two elements.
pub fn link(from: &gst::Element, to: &gst::Element) -> Result<(), Failure> {
    from.link(to)
        .map_err(|e| Failure::Machine(format!("{} to {}: {e}", from.name(), to.name())))
}

/// A pad that the element always has.
pub fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, Failure> {
    element
        .static_pad(name)
        .ok_or_else(|| Failure::Machine(format!("{} has no pad {name}", element.name())))
}

/// A queue of so many frames.
pub fn add_queue(pipeline: &gst::Pipeline, frames: u32) -> Result<gst::Element, Failure> {
    let queue = make("queue")?;
    queue.set_property("max-size-buffers", frames);
    queue.set_property("max-size-bytes", 0_u32);
    queue.set_property("max-size-time", 0_u64);
    add(pipeline, &queue)?;
    Ok(queue)
}

fn add(pipeline: &gst::Pipeline, element: &gst::Element) -> Result<(), Failure> {
    pipeline
        .add(element)
        .map_err(|e| Failure::Machine(e.to_string()))
}

fn frames_in() -> AppSrc {
    let source = AppSrc::builder()
        .format(gst::Format::Time)
        .block(true)
        .max_buffers(3)
        .build();
    source.set_max_bytes(0);
    source.set_max_time(gst::ClockTime::NONE);
    source
}

fn add_h264(
    pipeline: &gst::Pipeline,
    rung: &Rung,
    frame_rate: Ratio,
    cuts: &Cuts,
    from: &gst::Element,
    shelf: &Shelf,
) -> Result<(), Failure> {
    let tuning = tuning(rung.shown);
    let encoder = make("x264enc")?;
    encoder.set_property_from_str("pass", "qual");
    encoder.set_property("quantizer", tuning.crf);
    encoder.set_property("bitrate", rung.max_kbps);
    encoder.set_property("vbv-buf-capacity", 2000_u32);
    encoder.set_property_from_str("speed-preset", "veryfast");
    encoder.set_property("threads", rung.threads);
    // Key frames come when we ask for them and at no other time: that aligns the rungs.
    encoder.set_property(
        "key-int-max",
        1_000_u32.max((frame_rate.as_f64() * 20.0) as u32),
    );
    let level = match rung.may_be_1b() {
        true => ":level=1.1",
        false => "",
    };
    encoder.set_property("option-string", tuning.options + level);
    let filter = make("capsfilter")?;
    filter.set_property(
        "caps",
        gst::Caps::builder("video/x-h264")
            .field("stream-format", "avc")
            .field("alignment", "au")
            .field("profile", "high")
            .build(),
    );
    pipeline
        .add_many([&encoder, &filter])
        .map_err(|e| Failure::Machine(e.to_string()))?;
    let muxer = add_muxer(pipeline, rung.draft.clone(), None, shelf)?;
    link(from, &encoder)?;
    link(&encoder, &filter)?;
    link(&filter, &muxer)?;

    let from = resumed_from(&rung.draft, cuts);
    let keys = Mutex::new(Marks::keys(cuts));
    pad(&encoder, "sink")?.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        let at = buffer.pts().map_or(0, gst::ClockTime::nseconds);
        if at.saturating_add(SLACK_NS) < from {
            return left_out(info);
        }
        let moved = gst::ClockTime::from_nseconds(at.saturating_add(ROOM_NS));
        buffer.make_mut().set_pts(moved);
        if keys.lock().is_ok_and(|mut keys| keys.hit(at)) {
            // With its time: one without is ignored as long as another is on its way through the encoder, and where
            // frames are rare that is for many seconds.
            pad.send_event(
                DownstreamForceKeyUnitEvent::builder()
                    .running_time(moved)
                    .all_headers(false)
                    .build(),
            );
        }
        gst::PadProbeReturn::Ok
    });
    pad(&encoder, "src")?.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &mut info.data
            && let gst::EventView::Segment(_) = event.view()
        {
            *event = segment_from(ROOM_NS);
        }
        gst::PadProbeReturn::Ok
    });
    split_at_keys(&pad(&filter, "src")?, cuts);
    Ok(())
}

/// Room for decode times before 0: frames are moved by it before the encoder, and its segment takes it off
/// again. The encoder would make the same room by itself, but count in it only from its first output on, and
/// take every key frame that is asked for by time for one that it has made.
pub const ROOM_NS: u64 = 1000 * 3_600_000_000_000;

/// The planned time of the first segment that is missing.
pub fn resumed_from(draft: &Draft, cuts: &Cuts) -> u64 {
    cuts.segments
        .get(draft.listed_segments())
        .copied()
        .unwrap_or(u64::MAX)
}

/// Cuts the stream that leaves `pad` at each key frame that begins a segment.
fn split_at_keys(pad: &gst::Pad, cuts: &Cuts) {
    let state = Mutex::new((Marks::segments(cuts), true));
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer() else {
            return gst::PadProbeReturn::Ok;
        };
        if buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            return gst::PadProbeReturn::Ok;
        }
        let at = buffer.pts().and_then(|pts| running_time(pad, pts));
        if let (Some(at), Ok(mut state)) = (at, state.lock()) {
            let is_first = std::mem::replace(&mut state.1, false);
            if state.0.hit(at) && !is_first {
                pad.push_event(split_now());
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// A segment in which a buffer's time `start_ns` is the beginning.
pub fn segment_from(start_ns: u64) -> gst::Event {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_nseconds(start_ns));
    segment.set_time(gst::ClockTime::ZERO);
    gst::event::Segment::new(&segment)
}

/// A time on a pad as time from the start; `None` where the segment cuts it off.
pub fn running_time(pad: &gst::Pad, at: gst::ClockTime) -> Option<u64> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::ClockTime>()?;
    match segment.to_running_time_full(at)? {
        gst::Signed::Positive(at) => Some(at.nseconds()),
        gst::Signed::Negative(_) => None,
    }
}
