//! What one pass over a stream shows, buffer by buffer: its times, key frames, bytes and tags.

use std::collections::BTreeSet;

use gstreamer as gst;

use super::ENOUGH_BUFFERS;
use crate::ladder::Turn;
use crate::ladder::conformity::longest_gop;
use crate::ladder::cuts::{MAX_SEGMENT_NS, TOLERANCE_NS};
use crate::names::{Language, Sentence};
use crate::package::Ratio;
use crate::worker::encode::running_time;
use crate::worker::h264::{self, Framing};

/// What a stream is called.
#[derive(Default)]
pub struct Named {
    pub(super) stream: String,
    pub(super) caps: Option<gst::Caps>,
    pub(super) language: Option<Language>,
    pub(super) label: Option<Sentence>,
    /// The picture on the cover.
    pub(super) cover: Option<gst::Sample>,
    /// Whether the source wants it played unless somebody chooses another.
    pub(super) is_default: bool,
}

impl Named {
    pub(super) fn hear(&mut self, event: &gst::EventRef) {
        match event.view() {
            gst::EventView::Caps(caps) => self.caps = Some(caps.caps_owned()),
            gst::EventView::StreamStart(start) => {
                self.is_default |= start.stream_flags().contains(gst::StreamFlags::SELECT);
            }
            gst::EventView::Tag(tag) => {
                let tag = tag.tag();
                if let Some(language) = tag.get::<gst::tags::LanguageCode>() {
                    let found = Language::new(language.get()).ok();
                    self.language = found.filter(|language| language.as_str() != "und");
                }
                // The film's own title says nothing about one of its sounds.
                if tag.scope() == gst::TagScope::Stream
                    && let Some(title) = tag.get::<gst::tags::Title>()
                {
                    self.label =
                        Some(Sentence::new(title.get())).filter(|l| !l.as_str().is_empty());
                }
                if self.cover.is_none()
                    && let Some(image) = tag.get::<gst::tags::Image>()
                {
                    let is_small = |sample: &gst::Sample| {
                        sample
                            .buffer()
                            .is_some_and(|b| b.size() <= MOST_COVER_BYTES)
                    };
                    self.cover = Some(image.get()).filter(is_small);
                }
            }
            _ => {}
        }
    }
}

/// The largest picture on a cover that is looked at.
const MOST_COVER_BYTES: usize = 16 << 20;

/// One stream of the source.
#[derive(Default)]
pub struct Stream {
    pub(super) is_video: bool,
    pub(super) caps: Option<gst::Caps>,
    pub(super) caps_changes: u32,
    pub(super) segments: u32,
    pub(super) segment: Option<gst::Segment>,
    pub(super) turn: Option<(Turn, Option<&'static str>)>,
    pub(super) name: Named,
    pub(super) bitrate: Option<u64>,
    pub(super) buffers: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<u64>,
    pub(super) last_end: u64,
    pub(super) times: Vec<u64>,
    pub(super) sizes: Vec<u64>,
    pub(super) keys: Vec<u64>,
    pub(super) open_entries: Vec<u64>,
    pub(super) clipped: u64,
    /// Times in the order in which they are shown.
    pub(super) steps: Steps,
    /// Frames behind the last one that says its time.
    pub(super) untimed: u64,
    /// Whether the last frame says how long it is shown.
    pub(super) has_length: bool,
    /// Buffers whose time cannot be believed.
    pub(super) beyond: u64,
    pub(super) without_dts: bool,
    pub(super) delay: u64,
    pub(super) ended: bool,
}

impl Stream {
    pub(super) fn hear(&mut self, event: &gst::EventRef) {
        self.name.hear(event);
        match event.view() {
            gst::EventView::Caps(caps) => {
                let caps = caps.caps_owned();
                if self
                    .caps
                    .as_ref()
                    .is_some_and(|old| essence(old) != essence(&caps))
                {
                    self.caps_changes += 1;
                } else {
                    self.caps = Some(caps);
                }
            }
            gst::EventView::Segment(segment) => {
                let segment = segment.segment().clone();
                if self.segment.as_ref() != Some(&segment) {
                    self.segments += 1;
                    self.segment = Some(segment);
                }
            }
            gst::EventView::Eos(_) => self.ended = true,
            gst::EventView::Tag(tag) => {
                let tag = tag.tag();
                if let Some(orientation) = tag.get::<gst::tags::ImageOrientation>() {
                    self.turn = Some(turn_of(orientation.get()));
                }
                if let Some(rate) = tag.get::<gst::tags::Bitrate>() {
                    self.bitrate = Some(u64::from(rate.get()));
                }
            }
            _ => {}
        }
    }

    pub(super) fn take(&mut self, pad: &gst::Pad, buffer: &gst::Buffer, believed_until: u64) {
        self.buffers += 1;
        self.bytes += buffer.size() as u64;
        if self.sizes.len() < ENOUGH_BUFFERS as usize {
            self.sizes.push(buffer.size() as u64);
        }
        self.without_dts |= buffer.dts().is_none();
        let Some(pts) = buffer.pts() else {
            self.untimed += 1;
            // A decode time would do.
            self.steps.lost += u64::from(buffer.dts().is_none());
            return;
        };
        self.untimed = 0;
        let Some(at) = running_time(pad, pts) else {
            self.clipped += 1;
            return;
        };
        if at > believed_until {
            self.beyond += 1;
            return;
        }
        if self.is_video {
            self.steps.take(at);
        }
        let end = at + buffer.duration().map_or(0, gst::ClockTime::nseconds);
        if end >= self.last_end {
            self.has_length = end > at;
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last_end = self.last_end.max(end);
        if self.times.len() < ENOUGH_BUFFERS as usize {
            self.times.push(at);
        }
        if self.is_video && !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            if let Some(caps) = self.structure().filter(|s| s.name() == "video/x-h264") {
                let avcc = caps.get::<gst::Buffer>("codec_data").ok();
                let avcc = avcc.and_then(|b| b.into_mapped_buffer_readable().ok());
                let framing = Framing::of_avcc(avcc.as_ref().map(|map| map.as_slice()));
                let entry = buffer
                    .map_readable()
                    .map_or(h264::Entry::None, |unit| h264::entry(&unit, framing));
                match entry {
                    h264::Entry::Idr => {
                        self.keys.push(at);
                        let delay = buffer.dts().and_then(|dts| pts.checked_sub(dts));
                        self.delay = self.delay.max(delay.map_or(0, gst::ClockTime::nseconds));
                    }
                    h264::Entry::Recovery => self.open_entries.push(at),
                    // An intra picture in the middle of a group: the parser flags it, we don't cut there.
                    h264::Entry::None => {}
                }
            } else {
                self.keys.push(at);
            }
        }
    }

    /// Where the last frame ends; one that does not say so is shown for as long as the others.
    pub(super) fn end(&self) -> u64 {
        match self.frame_rate() {
            Some((rate, true)) if self.is_video && self.buffers > 1 => {
                let missing = self.untimed + u64::from(!self.has_length);
                self.last_end
                    .saturating_add((missing as f64 * 1e9 / rate.as_f64()) as u64)
            }
            _ => self.last_end,
        }
    }

    pub(super) fn median_bytes(&self) -> u64 {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        sizes.get(sizes.len() / 2).copied().unwrap_or(0)
    }

    pub(super) fn structure(&self) -> Option<&gst::StructureRef> {
        self.caps.as_ref().and_then(|caps| caps.structure(0))
    }

    /// Whether the groups would be short enough if the open ones counted too.
    pub(super) fn open_gops_are_the_reason(&self, duration: u64) -> bool {
        let mut all = self.keys.clone();
        all.extend(&self.open_entries);
        all.sort_unstable();
        let is_long = |keys: &[u64]| longest_gop(keys, duration) > MAX_SEGMENT_NS + TOLERANCE_NS;
        !self.open_entries.is_empty() && is_long(&self.keys) && !is_long(&all)
    }

    /// Times between frames in the order in which they are shown.
    fn first_steps(&self) -> Vec<u64> {
        let mut times = self.times.clone();
        times.sort_unstable();
        // The last ones may lack a frame that comes later in coding order.
        times.truncate(times.len().saturating_sub(4).max(2));
        times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|step| *step > 0)
            .collect()
    }

    /// The nominal rate and whether it is steady.
    pub(super) fn frame_rate(&self) -> Option<(Ratio, bool)> {
        let named = self
            .structure()
            .and_then(|s| s.get::<gst::Fraction>("framerate").ok())
            .and_then(|f| {
                Ratio::new(
                    u32::try_from(f.numer()).ok()?,
                    u32::try_from(f.denom()).ok()?,
                )
            });
        if let Some(named) = named
            && (self.times.len() as u64) < self.buffers.min(ENOUGH_BUFFERS) * 3 / 4
        {
            // AVI tells the times of few frames; then the header's rate is all there is.
            return Some((named, true));
        }
        let mut steps = self.first_steps();
        steps.sort_unstable();
        let Some(median) = steps.get(steps.len() / 2).copied() else {
            // One frame, or none with a time.
            return Some((named.or_else(|| Ratio::new(25, 1))?, false));
        };
        let tenth = steps[steps.len() / 10];
        let most = steps[steps.len() - 1 - steps.len() / 10];
        let measured = 1e9 / median as f64;
        // Two frames are no rate, nor is less than one in two seconds.
        let steady = most - tenth <= median / 10 + 2_000_000 && measured > 0.5 && steps.len() > 4;
        let near = |ratio: Ratio| (ratio.as_f64() / measured - 1.0).abs() < 0.03;
        if let Some(named) = named.filter(|named| near(*named)) {
            return Some((named, steady));
        }
        let known = [
            (24_000, 1001),
            (24, 1),
            (25, 1),
            (30_000, 1001),
            (30, 1),
            (50, 1),
            (60_000, 1001),
            (60, 1),
        ];
        let rate = known
            .into_iter()
            .filter_map(|(num, den)| Ratio::new(num, den))
            .find(|ratio| near(*ratio))
            .or_else(|| Ratio::new((measured.round() as u32).clamp(1, 60), 1))?;
        Some((rate, steady))
    }
}

/// The times between frames in the order in which they are shown, over the whole film.
#[derive(Default)]
pub struct Steps {
    /// Times that a frame may still come before: as many as a decoder holds.
    waiting: BTreeSet<u64>,
    last: Option<u64>,
    shortest: Option<u64>,
    longest: u64,
    /// Frames at the time of another.
    pub(super) repeated: u64,
    /// Frames without any time.
    pub(super) lost: u64,
}

impl Steps {
    const HELD: usize = 32;

    fn take(&mut self, at: u64) {
        if !self.waiting.insert(at) || self.last.is_some_and(|last| at <= last) {
            self.repeated += 1;
        }
        if self.waiting.len() <= Self::HELD {
            return;
        }
        let Some(next) = self.waiting.pop_first() else {
            return;
        };
        if let Some(step) = self.last.and_then(|last| next.checked_sub(last)) {
            self.shortest = Some(self.shortest.map_or(step, |shortest| shortest.min(step)));
            self.longest = self.longest.max(step);
        }
        self.last = Some(next);
    }

    /// Whether no step is longer or shorter than the others, but for the rounding of a container's clock.
    pub(super) fn are_even(&self) -> bool {
        let shortest = self.shortest.unwrap_or(self.longest);
        self.longest - shortest <= shortest / 10 + 2_000_000
    }
}

/// What matters when caps change: not the buffers and not rounding of the rate.
#[derive(PartialEq)]
struct Essence {
    name: String,
    size: [Option<i32>; 2],
    data: Option<Vec<u8>>,
}

fn essence(caps: &gst::Caps) -> Option<Essence> {
    let s = caps.structure(0)?;
    let data = s.get::<gst::Buffer>("codec_data").ok();
    let data = data
        .and_then(|b| b.into_mapped_buffer_readable().ok())
        .map(|map| map.to_vec());
    Some(Essence {
        name: s.name().to_string(),
        size: ["width", "height"].map(|side| s.get(side).ok()),
        data,
    })
}

fn turn_of(orientation: &str) -> (Turn, Option<&'static str>) {
    match orientation {
        "rotate-90" => (Turn::SwappedSides, Some("90r")),
        "rotate-180" => (Turn::SameSides, Some("180")),
        "rotate-270" => (Turn::SwappedSides, Some("90l")),
        "flip-rotate-0" => (Turn::SameSides, Some("horiz")),
        "flip-rotate-90" => (Turn::SwappedSides, Some("ul-lr")),
        "flip-rotate-180" => (Turn::SameSides, Some("vert")),
        "flip-rotate-270" => (Turn::SwappedSides, Some("ur-ll")),
        _ => (Turn::None, None),
    }
}
