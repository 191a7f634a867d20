//! All streams together: whether enough has been seen, and what follows from it.

use std::collections::BTreeMap;
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::stream::{Named, Stream};
use super::{
    ENOUGH_BUFFERS, EXTRA_LOOK, Facts, LATEST_START_NS, LONGEST_HOLE_NS, Picture, SMALL_BYTES,
    Sound, Text,
};
use crate::chapters::Chapter;
use crate::ladder::conformity::{Verdict, judge};
use crate::ladder::{self, Codec, MAX_SOUNDS, SHORT_SIDES, SourceFacts, Turn};
use crate::package::Ratio;
use crate::worker::chapters;
use crate::worker::elements::decoder_for;
use crate::worker::failure::Failure;
use crate::worker::h264;
use crate::worker::source::{codec_words, container_words};
use crate::worker::texts::Form;
use crate::worker::timeline::BARELY_NS;
use crate::worker::tone::Hdr;

/// What is known so far.
#[derive(Default)]
pub struct Found {
    pub(super) bytes: u64,
    pub(super) container: Option<gst::Caps>,
    pub(super) streams: BTreeMap<usize, Stream>,
    pub(super) texts: Vec<Named>,
    pub(super) chapters: Vec<Chapter>,
    pub(super) all_pads: bool,
    pub(super) failure: Option<Failure>,
    pub(super) duration: Option<u64>,
    pub(super) at_end: bool,
    pub(super) different_since: Option<Instant>,
}

impl Found {
    fn video(&self) -> Option<&Stream> {
        self.streams
            .values()
            .find(|s| s.is_video && s.caps.is_some())
    }

    /// The sounds that are used: the one that the file wants played comes first.
    fn audios(&self) -> Vec<&Stream> {
        let is_sound = |s: &&Stream| !s.is_video && s.caps.is_some() && s.buffers > 0;
        let mut sounds: Vec<&Stream> = self.streams.values().filter(is_sound).collect();
        sounds.sort_by_key(|s| !s.name.is_default);
        sounds.truncate(MAX_SOUNDS);
        sounds
    }

    /// Whether more reading would change nothing.
    pub(super) fn is_enough(&mut self) -> bool {
        if self.all_pads && !self.streams.is_empty() && self.streams.values().all(|s| s.ended) {
            self.at_end = true;
            return true;
        }
        let latest = self.streams.values().map(|s| s.last_end).max().unwrap_or(0);
        let has_begun = |s: &Stream| s.buffers > 0 || s.ended || latest > LATEST_START_NS;
        if !self.all_pads && latest < LATEST_START_NS || !self.streams.values().all(has_begun) {
            return false;
        }
        if self.streams.is_empty() {
            return self.all_pads;
        }
        let Some(duration) = self.duration.filter(|duration| *duration > 0) else {
            return false;
        };
        if self.bytes <= SMALL_BYTES {
            return false;
        }
        let Some(video) = self.video() else {
            return true;
        };
        if video.ended {
            return true;
        }
        if video.buffers < ENOUGH_BUFFERS {
            return false;
        }
        // Would it be kept if the rest had the best of key frames?
        let Some(facts) = self.video_facts(duration) else {
            return true;
        };
        if matches!(facts.codec, Codec::Other(_)) {
            return true;
        }
        if matches!(
            judge(&facts, duration, SHORT_SIDES[0]),
            Verdict::Conforms(_)
        ) {
            return false;
        }
        self.different_since
            .get_or_insert_with(Instant::now)
            .elapsed()
            > EXTRA_LOOK
    }

    /// Whether the length is to be asked for now: at the first buffer of a stream, where the container's header tells it and
    /// the first answer is as good as any.
    pub(super) fn lacks_length(&self, stream: usize) -> bool {
        const HEADED: [&str; 8] = [
            "video/x-matroska",
            "audio/x-matroska",
            "video/webm",
            "audio/webm",
            "video/x-flv",
            "video/x-msvideo",
            "video/x-ms-asf",
            "video/quicktime",
        ];
        let is_first = |stream: &Stream| stream.buffers == 0;
        self.duration.is_none()
            && self.streams.get(&stream).is_some_and(is_first)
            && self
                .container_name()
                .is_some_and(|name| HEADED.contains(&name))
    }

    fn container_name(&self) -> Option<&str> {
        let caps = self.container.as_ref()?;
        Some(caps.structure(0)?.name().as_str())
    }

    /// Up to where a time is believed. A broken clock in a transport stream jumps by hours, and would
    /// make hours of still picture; where a header tells the length, far beyond it is nothing.
    pub(super) fn believed_until(&self) -> u64 {
        const LONGEST_NS: u64 = 48 * 3_600_000_000_000;
        if matches!(self.container_name(), Some("video/mpegts" | "video/mpeg")) {
            let front = self.streams.values().map(|s| s.last_end).max().unwrap_or(0);
            return if front == 0 {
                LONGEST_NS
            } else {
                front.saturating_add(LONGEST_HOLE_NS)
            };
        }
        match self.duration {
            Some(named) if named > 0 => named.saturating_add(LONGEST_HOLE_NS),
            _ => LONGEST_NS,
        }
    }

    /// Where nothing demultiplexes (MP3, WAV), the id is random in each pass, but then there is one stream.
    fn id_among(&self, stream: &Stream) -> Option<String> {
        let of_kind = self
            .streams
            .values()
            .filter(|s| s.is_video == stream.is_video)
            .count();
        (of_kind > 1).then(|| stream.name.stream.clone())
    }

    fn start(&self) -> u64 {
        match (
            self.video().and_then(|s| s.first),
            self.audios().iter().filter_map(|s| s.first).min(),
        ) {
            // Sound that begins a moment before the picture is cut; what begins long before is not.
            (Some(video), Some(audio)) if audio + 1_000_000_000 < video => audio,
            (Some(video), _) => video,
            (None, Some(audio)) => audio,
            (None, None) => 0,
        }
    }

    /// Where the last frame or sample ends. Sound that is barely longer than the picture is cut where the
    /// picture ends ([`BARELY_NS`]).
    fn last_end(&self) -> u64 {
        let end = |is_video| {
            let streams = self.streams.values().filter(|s| s.is_video == is_video);
            streams.map(Stream::end).max().unwrap_or(0)
        };
        match (end(true), end(false)) {
            (picture, sound) if (picture..=picture + BARELY_NS).contains(&sound) => picture,
            (picture, sound) => picture.max(sound),
        }
    }

    fn video_facts(&self, duration: u64) -> Option<ladder::VideoFacts> {
        let stream = self.video()?;
        let caps = stream.structure()?;
        let side = |field| {
            caps.get::<i32>(field)
                .ok()
                .and_then(|v| u32::try_from(v).ok())
        };
        let aspect = caps
            .get::<gst::Fraction>("pixel-aspect-ratio")
            .ok()
            .and_then(|f| {
                Ratio::new(
                    u32::try_from(f.numer()).ok()?,
                    u32::try_from(f.denom()).ok()?,
                )
            })
            .or_else(|| Ratio::new(1, 1))?;
        let (rate, steady) = stream.frame_rate()?;
        let start = self.start();
        let length = if stream.last_end > start {
            stream.last_end - start
        } else {
            duration
        };
        let bitrate = if stream.buffers == 0 {
            stream.bitrate.unwrap_or(0)
        } else {
            u64::try_from(
                u128::from(stream.bytes) * 8_000_000_000 / u128::from(length.max(1_000_000)),
            )
            .unwrap_or(u64::MAX)
        };
        Some(ladder::VideoFacts {
            // The glance will tell.
            is_still: false,
            codec: codec_of(caps),
            width: side("width")?,
            height: side("height")?,
            pixel_aspect: aspect,
            turn: stream.turn.map_or(Turn::None, |(turn, _)| turn),
            frame_rate: steady.then_some(rate),
            is_interlaced: caps
                .get::<&str>("interlace-mode")
                .is_ok_and(|mode| mode != "progressive")
                || has_fields(caps),
            is_hdr: hdr_of(caps).is_some(),
            changes_format: stream.caps_changes > 0,
            has_broken_times: stream.segments > 1
                || stream.clipped > 0
                || stream.steps.repeated > 0
                || stream.steps.lost > 0
                || stream
                    .first
                    .is_some_and(|first| first.abs_diff(start) > 1_000_000),
            bitrate_bps: bitrate,
            key_frames_ns: self.key_frames(stream, start, duration),
            has_open_gops: stream.open_gops_are_the_reason(duration),
        })
    }

    /// What was not looked at is taken for the best.
    fn key_frames(&self, stream: &Stream, start: u64, duration: u64) -> Vec<u64> {
        let seen = stream.keys.iter().map(|at| at.saturating_sub(start));
        if self.at_end || stream.ended {
            return seen.collect();
        }
        let end = stream.last_end.saturating_sub(start);
        let rest = (0..).map(|n| end.saturating_add(n * 1_000_000_000));
        seen.chain(rest.take_while(|at| *at < duration)).collect()
    }

    pub(super) fn facts(self) -> Result<Facts, Failure> {
        let container = match self.container.as_ref().and_then(|caps| caps.structure(0)) {
            Some(structure) => container_words(structure)?,
            None => return Err(Failure::NotMedia),
        };
        if self.video().is_none() && self.audios().is_empty() {
            return Err(Failure::NoStreams);
        }
        let start = self.start();
        let seen = self.last_end();
        let named = self.duration.unwrap_or(0);
        let is_at_end = self.at_end || self.streams.values().all(|s| s.ended);
        if is_at_end && let Some(failure) = Failure::cut_short(named, seen) {
            return Err(failure);
        }
        // What was there counts, not what the header says, where every attempt reads to the end.
        let is_kept = self.video_facts(named).is_some_and(|facts| {
            matches!(judge(&facts, named, SHORT_SIDES[0]), Verdict::Conforms(_))
        });
        let duration = match named {
            0 => seen,
            _ if self.bytes <= SMALL_BYTES || is_kept => seen,
            named => named,
        };
        let duration = duration.saturating_sub(start).max(1_000_000);

        let mut notes = Vec::new();
        let beyond: u64 = self.streams.values().map(|s| s.beyond).sum();
        let all: u64 = self.streams.values().map(|s| s.buffers).sum();
        if beyond > all / 4 {
            return Err(Failure::Damaged(": its clock jumps".into()));
        }
        if beyond > 0 {
            notes.push("The file's clock jumps in places; what lay there was left out.".into());
        }
        let videos = self
            .streams
            .values()
            .filter(|s| s.is_video && s.caps.is_some())
            .count();
        if videos > 1 {
            notes.push(format!(
                "The file holds {videos} pictures; the first one is used."
            ));
        }
        let sounds = self
            .streams
            .values()
            .filter(|s| !s.is_video && s.caps.is_some())
            .count();
        if sounds > MAX_SOUNDS {
            notes.push(format!(
                "The file holds {sounds} sound tracks; {MAX_SOUNDS} of them are used."
            ));
        }
        let texts = self.texts(&mut notes);

        let video = self.video_facts(duration);
        if video.as_ref().is_some_and(|video| video.is_hdr) {
            notes.push(
                "The picture is of a high dynamic range and is shown in the standard one.".into(),
            );
        }
        let picture = match self.video() {
            Some(stream) if video.is_some() => Some(Picture {
                stream: self.id_among(stream),
                decoder: decoder(stream, "picture")?,
                flip: stream.turn.and_then(|(_, flip)| flip),
                hdr: stream.structure().and_then(hdr_of),
                frame_rate: thinned(stream.frame_rate().ok_or(Failure::NoStreams)?.0),
                is_steady: stream.frame_rate().is_some_and(|(_, steady)| steady),
                is_even: stream.steps.are_even(),
                without_dts: stream.without_dts,
                delay_ns: stream.delay,
                median_bytes: stream.median_bytes(),
            }),
            _ => None,
        };
        let sounds: Vec<Sound> = self
            .audios()
            .into_iter()
            .map(|stream| self.sound(stream))
            .collect::<Result<_, _>>()?;
        if picture.is_none() && sounds.is_empty() {
            return Err(Failure::NoStreams);
        }
        let cover = self.streams.values().find_map(|s| s.name.cover.clone());
        Ok(Facts {
            container,
            bytes: self.bytes,
            start_ns: start,
            ladder: SourceFacts {
                duration_ns: duration,
                video,
                sounds: sounds.len(),
            },
            cover: cover.filter(|_| picture.is_none()),
            picture,
            sounds,
            texts,
            chapters: chapters::within(self.chapters, start, duration),
            notes,
            still_percent: None,
        })
    }
}

impl Found {
    fn sound(&self, stream: &Stream) -> Result<Sound, Failure> {
        let caps = stream.structure().ok_or(Failure::NoStreams)?;
        let number = |field| {
            caps.get::<i32>(field)
                .ok()
                .and_then(|v| u32::try_from(v).ok())
        };
        Ok(Sound {
            stream: self.id_among(stream),
            decoder: decoder(stream, "sound")?,
            codec: codec_words(caps),
            channels: number("channels").unwrap_or(2),
            sample_rate: number("rate").unwrap_or(48_000),
            bitrate_bps: stream.bitrate,
            language: stream.name.language.clone(),
            label: stream.name.label.clone(),
        })
    }

    fn texts(&self, notes: &mut Vec<String>) -> Vec<Text> {
        let is_webm = self.container_name() == Some("video/webm");
        let mut texts = Vec::new();
        for named in &self.texts {
            let caps = named.caps.as_ref().and_then(|caps| caps.structure(0));
            match caps.and_then(|caps| Form::of(caps, is_webm)) {
                Some(form) => texts.push(Text {
                    stream: named.stream.clone(),
                    form,
                    language: named.language.clone(),
                    label: named.label.clone(),
                }),
                None => {
                    notes.push("The file holds subtitles in a form that cannot be read.".into())
                }
            }
        }
        texts
    }
}

fn decoder(stream: &Stream, kind: &'static str) -> Result<Option<String>, Failure> {
    let caps = stream.caps.as_ref().ok_or(Failure::NoStreams)?;
    let structure = caps.structure(0).ok_or(Failure::NoStreams)?;
    if structure.name().ends_with("/x-raw") {
        return Ok(None);
    }
    match decoder_for(caps) {
        Some(factory) => Ok(Some(factory.name().to_string())),
        None => Err(Failure::UnknownCodec {
            kind,
            codec: codec_words(structure),
        }),
    }
}

fn hdr_of(caps: &gst::StructureRef) -> Option<Hdr> {
    Hdr::of(caps.get::<&str>("colorimetry").ok()?)
}

/// Every second frame, or fourth, of what has more than 60 a second.
fn thinned(rate: Ratio) -> Ratio {
    let mut rate = rate;
    while rate.as_f64() > 61.0 {
        match rate
            .den()
            .checked_mul(2)
            .and_then(|den| Ratio::new(rate.num(), den))
        {
            Some(half) => rate = half,
            None => break,
        }
    }
    rate
}

/// Whether an H.264 stream may hold fields.
fn has_fields(caps: &gst::StructureRef) -> bool {
    let avcc = caps.get::<gst::Buffer>("codec_data").ok();
    let avcc = avcc.and_then(|buffer| buffer.into_mapped_buffer_readable().ok());
    caps.name() == "video/x-h264"
        && avcc.is_some_and(|avcc| h264::frames_only(&avcc) == Some(false))
}

/// H.264 by its `avcC` and what the parser read from the parameter sets.
fn codec_of(caps: &gst::StructureRef) -> Codec {
    let avcc = caps
        .get::<gst::Buffer>("codec_data")
        .ok()
        .and_then(|buffer| buffer.into_mapped_buffer_readable().ok());
    match (
        caps.name().as_str(),
        avcc.as_ref().map(|map| map.as_slice()),
    ) {
        ("video/x-h264", Some([1, profile, _, level, ..])) => Codec::H264 {
            profile: *profile,
            level: *level,
            chroma_format: match caps.get::<&str>("chroma-format") {
                Ok("4:0:0") => 0,
                Ok("4:2:2") => 2,
                Ok("4:4:4") => 3,
                _ => 1,
            },
            bit_depth: caps
                .get::<u32>("bit-depth-luma")
                .ok()
                .max(caps.get::<u32>("bit-depth-chroma").ok())
                .and_then(|depth| u8::try_from(depth).ok())
                .unwrap_or(8),
        },
        _ => Codec::Other(codec_words(caps)),
    }
}
