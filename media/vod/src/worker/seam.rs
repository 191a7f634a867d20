//! Where the source's clock ends and the video's begins: decoded frames and samples come in through
//! `appsink`s, get their place on the timeline ([`super::timeline`]) and go out through `appsrc`s.
//! Pushing may wait for room, so nothing is locked meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};

use super::decode::sink;
use super::encode::{AAC_FRAME, SoundEnd, left_out, pad, running_time};
use super::failure::Failure;
use super::level::{Level, SAMPLE_BYTES};
use super::pictures::PosterChoice;
use super::shelf::Shelf;
use super::thinner::{Thinned, Thinner};
use super::timeline::{BARELY_NS, Frames, Marks, SLACK_NS, Samples, ticks_to_ns};
use super::tone::Hdr;

/// Where the source's clock ends and the video's begins.
pub struct Seam {
    state: Mutex<Sides>,
    shelf: Shelf,
}

#[derive(Default)]
struct Sides {
    frames: Option<FrameSide>,
    samples: Vec<SampleSide>,
    frames_ended: bool,
    /// Where a sound ends that an earlier attempt has finished.
    listed_sound_end: u64,
    taken: u64,
    thinned: Thinned,
}

/// The picture's way.
pub struct FrameSide {
    /// Where frames go.
    pub encode: AppSrc,
    /// Their form, completed by the decoder's colours.
    pub caps: gst::Caps,
    /// Whether the first frame has come.
    pub caps_are_set: bool,
    /// Still looking for a poster.
    pub poster: Option<PosterChoice>,
    /// Before this, an earlier attempt has made all rungs; only pictures for the seek bar are missing.
    pub needed_from: u64,
    /// When a picture for the seek bar is due.
    pub board: Marks,
    /// Decides their times.
    pub clock: Frames,
    /// Leaves out what shows nothing new.
    pub thinner: Option<Thinner>,
    /// The frame before, in case it is shown again.
    pub before: Option<gst::Buffer>,
    /// The last one, until it is known how long it is shown.
    pub waiting: Option<Waiting>,
    /// Nominal time between two, in nanoseconds.
    pub step: u64,
    /// How long the video is, as the probe has found.
    pub whole: u64,
}

/// A frame that has its place and waits for the one behind it.
pub struct Waiting {
    at: u64,
    /// None where nobody needs it
    frame: Option<gst::Buffer>,
}

/// A sound's way.
pub struct SampleSide {
    encode: AppSrc,
    /// Told to the encoder's other side
    known_end: SoundEnd,
    clock: Samples,
    level: Level,
    /// Samples that the decoder has given, used or not.
    decoded: u64,
    rate: u32,
    waiting: Vec<u8>,
    sent: u64,
    has_ended: bool,
}

/// Samples of silence that are made in one go.
const SILENCE_AT_ONCE: u64 = 256 * AAC_FRAME;

impl Seam {
    /// With neither picture nor sound yet. `listed_sound_end`: of a sound that is there already.
    pub fn new(shelf: &Shelf, listed_sound_end: u64) -> Self {
        let sides = Sides {
            listed_sound_end,
            ..Sides::default()
        };
        Self {
            state: Mutex::new(sides),
            shelf: shelf.clone(),
        }
    }

    /// How much has come through; changes as long as the work goes on.
    pub fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// What was left out of the picture, at its end.
    pub fn thinned(&self) -> Thinned {
        self.lock().thinned
    }

    /// Takes charge of the picture; the sink gets the decoded frames.
    pub fn take_frames(self: &Arc<Self>, side: FrameSide) -> AppSink {
        self.lock().frames = Some(side);
        let (on_frame, on_end) = (Arc::clone(self), Arc::clone(self));
        sink(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| on_frame.frame(sink))
                .eos(move |_| on_end.ended(None))
                .build(),
        )
    }

    /// Leaves out what shows nothing new where `plain` gives it: before it costs a scaler anything.
    pub fn thin_behind(self: &Arc<Self>, plain: &gst::Element) -> Result<(), Failure> {
        let seam = Arc::clone(self);
        pad(plain, "src")?.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            match info.buffer().is_none_or(|frame| seam.is_kept(pad, frame)) {
                true => gst::PadProbeReturn::Ok,
                false => left_out(info),
            }
        });
        Ok(())
    }

    fn is_kept(&self, pad: &gst::Pad, frame: &gst::Buffer) -> bool {
        let at = frame.pts().and_then(|pts| running_time(pad, pts));
        let (Some(at), Some(caps)) = (at, pad.current_caps()) else {
            return true;
        };
        let mut sides = self.lock();
        let Some(side) = &mut sides.frames else {
            return true;
        };
        let ours = side.clock.on_our_clock(at);
        let thinner = side.thinner.as_mut();
        let is_kept = thinner.is_none_or(|thinner| thinner.is_kept(ours, frame, caps));
        // What comes through is counted behind.
        sides.taken += u64::from(!is_kept);
        is_kept
    }

    /// Takes charge of a sound; the sink gets the decoded samples.
    pub fn take_samples(self: &Arc<Self>, side: SampleSide) -> AppSink {
        let mut sides = self.lock();
        let number = sides.samples.len();
        sides.samples.push(side);
        drop(sides);
        let (on_block, on_end) = (Arc::clone(self), Arc::clone(self));
        sink(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| on_block.samples(sink, number))
                .eos(move |_| on_end.ended(Some(number)))
                .build(),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Sides> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the picture's side, and lets go of it at once.
    fn with_frames(
        &self,
        ask: impl FnOnce(&mut FrameSide) -> Option<gst::Buffer>,
    ) -> Option<gst::Buffer> {
        self.lock().frames.as_mut().and_then(ask)
    }

    fn fails(&self, failure: Failure) -> gst::FlowError {
        self.shelf.fail(failure);
        gst::FlowError::Error
    }

    /// A decoded frame. What goes out is pushed without the lock: pushing may wait.
    fn frame(&self, sink: &AppSink) -> Result<gst::FlowSuccess, gst::FlowError> {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let Some(buffer) = sample.buffer_owned() else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let Some(at) = buffer.pts().and_then(|pts| in_running_time(&sample, pts)) else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let mut sides = self.lock();
        sides.taken += 1;
        let Some(side) = &mut sides.frames else {
            return Ok(gst::FlowSuccess::Ok);
        };
        if !std::mem::replace(&mut side.caps_are_set, true) {
            // The decoder knows the colours; they go into the stream for the player.
            if let Some(found) = sample.caps().and_then(|caps| caps.structure(0)) {
                let caps = side.caps.make_mut();
                for field in ["colorimetry", "chroma-site"] {
                    // What nobody mapped is at least not called what no player of ours expects.
                    if let Ok(value) = found.get::<&str>(field)
                        && Hdr::of(value).is_none()
                    {
                        caps.set(field, value);
                    }
                }
            }
            side.encode.set_caps(Some(&side.caps));
        }
        let shown = side.clock.next(at);
        let encode = side.encode.clone();
        let before = side.before.clone();
        drop(sides);
        if let Some(before) = before {
            // One by one: a hole may be hours long.
            for at in shown.repeats {
                let ready = self.with_frames(|side| side.pass(at, before.clone(), false));
                ready.map_or(Ok(gst::FlowSuccess::Ok), |frame| encode.push_buffer(frame))?;
            }
        }
        let mut sides = self.lock();
        let Some(side) = &mut sides.frames else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let mut ready = None;
        if let Some(at) = shown.at {
            side.before = Some(buffer.clone());
            if let Some(poster) = &mut side.poster {
                poster
                    .look(&buffer, at, &side.caps)
                    .map_err(|failure| self.fails(failure))?;
            }
            let is_for_board = side.board.hit(at);
            ready = side.pass(at, buffer, is_for_board);
        }
        drop(sides);
        ready.map_or(Ok(gst::FlowSuccess::Ok), |frame| encode.push_buffer(frame))
    }

    /// A block of decoded sound.
    fn samples(&self, sink: &AppSink, number: usize) -> Result<gst::FlowSuccess, gst::FlowError> {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let Some(buffer) = sample.buffer() else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let map = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        let count = (map.len() / SAMPLE_BYTES) as u64;
        let mut sides = self.lock();
        sides.taken += 1;
        let Some(side) = sides.samples.get_mut(number) else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let first = side.decoded;
        side.decoded += count;
        // What an edit list hides at the front (an encoder's own delay, mostly) is cut to the sample.
        let (start, hidden_ns) = match buffer.pts() {
            None => (None, 0),
            Some(pts) => match signed_running_time(&sample, pts) {
                None => return Ok(gst::FlowSuccess::Ok),
                Some(gst::Signed::Positive(at)) => (Some(at.nseconds()), 0),
                Some(gst::Signed::Negative(by)) => (Some(0), by.nseconds()),
            },
        };
        let start = start.unwrap_or_else(|| side.clock.next_start());
        let hidden = ns_to_samples(hidden_ns, side.rate).min(count);
        let placed = side.clock.next(start, count - hidden);
        let skipped = hidden + placed.skip;
        let skip = usize::try_from(skipped)
            .unwrap_or(usize::MAX)
            .saturating_mul(SAMPLE_BYTES);
        let encode = side.encode.clone();
        drop(sides);
        self.push_silence(number, &encode, placed.silence)?;
        let mut sides = self.lock();
        let Some(side) = sides.samples.get_mut(number) else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let before = side.waiting.len();
        side.waiting
            .extend_from_slice(map.get(skip..).unwrap_or_default());
        let new = side.waiting.get_mut(before..).unwrap_or_default();
        side.level.apply(first + skipped, new);
        let blocks = side.blocks();
        drop(sides);
        for buffer in blocks {
            encode.push_buffer(buffer)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// A sound, or without a number the picture, has ended. The last one makes all equally long and ends them.
    fn ended(&self, sound: Option<usize>) {
        let mut sides = self.lock();
        match sound {
            None => sides.frames_ended = true,
            Some(number) => {
                if let Some(side) = sides.samples.get_mut(number) {
                    side.has_ended = true;
                }
            }
        }
        let frames_wait = sides.frames.is_some() && !sides.frames_ended;
        if frames_wait || sides.samples.iter().any(|side| !side.has_ended) {
            return;
        }
        let picture_end = sides.frames.as_ref().map_or(0, FrameSide::end);
        let sound_ends = sides.samples.iter().map(SampleSide::end);
        let sound_end = sound_ends.max().unwrap_or(0).max(sides.listed_sound_end);
        let all_end = match sound_end.checked_sub(picture_end) {
            Some(beyond) if picture_end == 0 || beyond > BARELY_NS => sound_end,
            _ => picture_end,
        };
        let frames = sides.frames.take();
        let thinner = frames.as_ref().and_then(|side| side.thinner.as_ref());
        sides.thinned = thinner.map(Thinner::count).unwrap_or_default();
        let samples = std::mem::take(&mut sides.samples);
        drop(sides);
        if let Some(mut side) = frames {
            if let Some(poster) = &mut side.poster
                && let Err(failure) = poster.choose(&side.caps)
            {
                self.shelf.fail(failure);
            }
            if let Some(before) = side.before.take()
                && sound_end > side.end() + BARELY_NS
            {
                for at in side.clock.end(sound_end) {
                    if let Some(frame) = side.pass(at, before.clone(), false) {
                        let _ = side.encode.push_buffer(frame);
                    }
                }
            }
            if let Some(last) = side.last() {
                let _ = side.encode.push_buffer(last);
            }
            let _ = side.encode.end_of_stream();
        }
        for mut side in samples {
            side.cut_barely_beyond(picture_end);
            let mut missing = side.clock.end(all_end);
            while missing > 0 {
                let part = missing.min(SILENCE_AT_ONCE);
                missing -= part;
                for buffer in side.silence(part) {
                    let _ = side.encode.push_buffer(buffer);
                }
            }
            for rest in side.rest() {
                let _ = side.encode.push_buffer(rest);
            }
            side.known_end.is_at(side.sent);
            let _ = side.encode.end_of_stream();
        }
    }

    /// Silence, little by little: a file may claim hours of it.
    fn push_silence(
        &self,
        number: usize,
        encode: &AppSrc,
        mut samples: u64,
    ) -> Result<(), gst::FlowError> {
        while samples > 0 {
            let part = samples.min(SILENCE_AT_ONCE);
            samples -= part;
            let mut sides = self.lock();
            let Some(side) = sides.samples.get_mut(number) else {
                return Ok(());
            };
            let silent = side.silence(part);
            drop(sides);
            for buffer in silent {
                encode.push_buffer(buffer)?;
            }
        }
        Ok(())
    }
}

impl FrameSide {
    /// Takes the frame that is shown at `at` and gives the one before: how long that is shown is known only
    /// now. Where an earlier attempt has made all rungs, only what the seek bar needs goes on.
    fn pass(&mut self, at: u64, frame: gst::Buffer, is_for_board: bool) -> Option<gst::Buffer> {
        let is_needed = is_for_board || at.saturating_add(SLACK_NS) >= self.needed_from;
        let next = Waiting {
            at,
            frame: is_needed.then_some(frame),
        };
        let before = self.waiting.replace(next)?;
        Some(timed(
            before.frame?,
            before.at,
            at.saturating_sub(before.at),
        ))
    }

    /// The last frame.
    fn last(&mut self) -> Option<gst::Buffer> {
        let end = self.end();
        let last = self.waiting.take()?;
        Some(timed(last.frame?, last.at, end - last.at))
    }

    /// Where the last frame ends: not beyond the video, nor long after its beginning.
    fn end(&self) -> u64 {
        const LEAST_NS: u64 = 8_000_000;
        let Some(last) = &self.waiting else {
            return 0;
        };
        // Frames behind it that showed nothing new are this one, shown longer.
        let thinned = self.thinner.as_ref().map_or(0, Thinner::last_at);
        let at = last.at.max(thinned);
        let length = match self.whole.checked_sub(at) {
            Some(left) if left > 0 => self.step.min(left.max(LEAST_NS)),
            _ => self.step,
        };
        at + length
    }
}

impl SampleSide {
    /// Samples go to `encode` at the times that `clock` decides.
    pub fn new(
        encode: AppSrc,
        clock: Samples,
        level: Level,
        rate: u32,
        known_end: SoundEnd,
    ) -> Self {
        Self {
            encode,
            known_end,
            clock,
            level,
            decoded: 0,
            rate,
            waiting: Vec::new(),
            sent: 0,
            has_ended: false,
        }
    }

    fn end(&self) -> u64 {
        let samples = self.sent + (self.waiting.len() / SAMPLE_BYTES) as u64;
        ticks_to_ns(samples, self.rate)
    }

    /// Leaves out what reaches beyond the picture by less than [`BARELY_NS`].
    fn cut_barely_beyond(&mut self, picture_end: u64) {
        let end = self.end();
        if picture_end > 0 && end > picture_end && end <= picture_end + BARELY_NS {
            let beyond = ns_to_samples(end - picture_end, self.rate);
            let bytes = usize::try_from(beyond)
                .unwrap_or(usize::MAX)
                .saturating_mul(SAMPLE_BYTES);
            self.waiting
                .truncate(self.waiting.len().saturating_sub(bytes));
        }
    }

    /// Whole encoder frames of what waits, but for what may have to be cut at the end.
    fn blocks(&mut self) -> Vec<gst::Buffer> {
        let held = ns_to_samples(BARELY_NS, self.rate) as usize * SAMPLE_BYTES;
        self.all_blocks_but(held)
    }

    fn all_blocks_but(&mut self, held: usize) -> Vec<gst::Buffer> {
        let block = AAC_FRAME as usize * SAMPLE_BYTES;
        let whole = self.waiting.len().saturating_sub(held) / block * block;
        let rest = self.waiting.split_off(whole);
        let ready = std::mem::replace(&mut self.waiting, rest);
        ready
            .chunks_exact(block)
            .map(|chunk| self.block(chunk.to_vec()))
            .collect()
    }

    /// What waits and then silence. A long silence is made of one shared block.
    fn silence(&mut self, samples: u64) -> Vec<gst::Buffer> {
        let block = AAC_FRAME as usize * SAMPLE_BYTES;
        let mut left = usize::try_from(samples)
            .unwrap_or(usize::MAX)
            .saturating_mul(SAMPLE_BYTES);
        let mut out = Vec::new();
        if left > 0 && !self.waiting.is_empty() {
            let fill = left.min(block - self.waiting.len() % block);
            self.waiting.resize(self.waiting.len() + fill, 0);
            left -= fill;
            out = self.all_blocks_but(0);
        }
        if left >= block {
            let silent = gst::Buffer::from_mut_slice(vec![0_u8; block]);
            while left >= block {
                out.push(self.stamped(silent.clone(), AAC_FRAME));
                left -= block;
            }
        }
        self.waiting.resize(self.waiting.len() + left, 0);
        out
    }

    /// All that waits, the last block unfinished.
    fn rest(&mut self) -> Vec<gst::Buffer> {
        let mut blocks = self.all_blocks_but(0);
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            blocks.push(self.block(waiting));
        }
        blocks
    }

    fn block(&mut self, bytes: Vec<u8>) -> gst::Buffer {
        let samples = (bytes.len() / SAMPLE_BYTES) as u64;
        self.stamped(gst::Buffer::from_mut_slice(bytes), samples)
    }

    fn stamped(&mut self, buffer: gst::Buffer, samples: u64) -> gst::Buffer {
        let at = ticks_to_ns(self.sent, self.rate);
        self.sent += samples;
        timed(buffer, at, ticks_to_ns(self.sent, self.rate) - at)
    }
}

fn timed(mut buffer: gst::Buffer, at: u64, duration: u64) -> gst::Buffer {
    let inner = buffer.make_mut();
    inner.set_pts(gst::ClockTime::from_nseconds(at));
    inner.set_dts(gst::ClockTime::NONE);
    inner.set_duration(gst::ClockTime::from_nseconds(duration));
    inner.set_offset(u64::MAX);
    inner.set_offset_end(u64::MAX);
    buffer
}

fn in_running_time(sample: &gst::Sample, at: gst::ClockTime) -> Option<u64> {
    match signed_running_time(sample, at)? {
        gst::Signed::Positive(at) => Some(at.nseconds()),
        gst::Signed::Negative(_) => None,
    }
}

fn signed_running_time(
    sample: &gst::Sample,
    at: gst::ClockTime,
) -> Option<gst::Signed<gst::ClockTime>> {
    let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
    segment.to_running_time_full(at)
}

fn ns_to_samples(ns: u64, rate: u32) -> u64 {
    let samples = (u128::from(ns) * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(samples).unwrap_or(u64::MAX)
}
