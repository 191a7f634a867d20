//! One track's way out of the pipeline: `cmafmux`, cut where the plan says, into files.

use std::sync::{Arc, Mutex, OnceLock};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::boxes;
use super::elements::make;
use super::failure::Failure;
use super::shelf::Shelf;
use crate::names::{Codecs, Sentence, TrackId};
use crate::package::{Made, Package, Segment, Track, TrackKind};
use crate::protocol::Message;

/// What is known of a track before its first byte.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Name.
    pub id: TrackId,
    /// Picture or sound.
    pub kind: TrackKind,
    /// Ticks a second.
    pub timescale: u32,
    /// Encoded or remuxed.
    pub made: Made,
    /// Why.
    pub reason: Sentence,
    /// What an earlier attempt has listed of it: kept as it is, continued behind it.
    pub listed: Option<Track>,
}

impl Draft {
    /// Segments that exist already.
    pub fn listed_segments(&self) -> usize {
        self.listed.as_ref().map_or(0, |track| track.segments.len())
    }

    /// Where the first new segment must begin, in ticks.
    pub fn next_start(&self) -> u64 {
        let last = self.listed.as_ref().and_then(|track| track.segments.last());
        last.map_or(0, |last| last.start + last.duration)
    }

    /// Whether an earlier attempt has listed all of it.
    pub fn is_complete(&self) -> bool {
        self.listed.as_ref().is_some_and(|track| track.complete)
    }
}

/// Adds `cmafmux ! appsink` for a track and returns the muxer, to be linked to. `delay_ns`: the most
/// by which a key frame is decoded before it is shown; `None` when that of the first holds for all.
pub fn add_muxer(
    pipeline: &gst::Pipeline,
    draft: Draft,
    delay_ns: Option<u64>,
    shelf: &Shelf,
) -> Result<gst::Element, Failure> {
    let muxer = make("cmafmux")?;
    muxer.set_property("manual-split", true);
    let first = u32::try_from(draft.listed_segments() + 1).unwrap_or(u32::MAX);
    muxer.set_property("start-fragment-sequence-number", first);
    let sink_pad = muxer
        .static_pad("sink")
        .ok_or_else(|| Failure::Machine("cmafmux has no sink".into()))?;
    sink_pad.set_property("trak-timescale", draft.timescale);

    let delay = Arc::new(OnceLock::new());
    let found = Arc::clone(&delay);
    sink_pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(buffer) = info.buffer() else {
            return gst::PadProbeReturn::Ok;
        };
        let delay = buffer
            .pts()
            .zip(buffer.dts())
            .and_then(|(pts, dts)| pts.checked_sub(dts));
        let _ = found.set(
            delay_ns
                .or(delay.map(gst::ClockTime::nseconds))
                .unwrap_or(0),
        );
        gst::PadProbeReturn::Remove
    });
    let writer = Arc::new(Mutex::new(Writer {
        draft: draft.clone(),
        shelf: shelf.clone(),
        segments: draft.listed_segments(),
        announced: false,
        delay,
    }));
    let ending = Arc::clone(&writer);
    let sink = AppSink::builder()
        .sync(false)
        .async_(false)
        .buffer_list(true)
        .max_buffers(4)
        .callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    let mut writer = writer.lock().map_err(|_| gst::FlowError::Error)?;
                    writer.take(&sample, &sink_pad).map_err(|failure| {
                        writer.shelf.fail(failure);
                        gst::FlowError::Error
                    })?;
                    Ok(gst::FlowSuccess::Ok)
                })
                .eos(move |_| {
                    if let Ok(writer) = ending.lock() {
                        writer.end();
                    }
                })
                .build(),
        )
        .build();
    let sink: gst::Element = sink.upcast();
    pipeline
        .add_many([&muxer, &sink])
        .map_err(|e| Failure::Machine(e.to_string()))?;
    muxer
        .link(&sink)
        .map_err(|e| Failure::Machine(e.to_string()))?;
    Ok(muxer)
}

/// Tells the muxer that the next sample begins a new segment.
pub fn split_now() -> gst::Event {
    gst::event::CustomDownstream::new(
        gst::Structure::builder("FMP4MuxSplitNow")
            .field("chunk", false)
            .build(),
    )
}

struct Writer {
    draft: Draft,
    shelf: Shelf,
    segments: usize,
    announced: bool,
    /// By how much the first sample is decoded before it is shown, in nanoseconds.
    delay: Arc<OnceLock<u64>>,
}

impl Writer {
    fn take(&mut self, sample: &gst::Sample, sink_pad: &gst::Pad) -> Result<(), Failure> {
        let list = match (sample.buffer_list_owned(), sample.buffer_owned()) {
            (Some(list), _) => list,
            (None, Some(buffer)) => std::iter::once(buffer).collect(),
            (None, None) => return Ok(()),
        };
        let mut maps = Vec::with_capacity(list.len());
        let mut header = None;
        let mut length = None;
        for buffer in list.iter() {
            let map = buffer
                .map_readable()
                .map_err(|_| Failure::Machine("a buffer cannot be read".into()))?;
            if buffer
                .flags()
                .contains(gst::BufferFlags::HEADER | gst::BufferFlags::DISCONT)
            {
                header = Some(map);
            } else {
                if maps.is_empty() {
                    // From the first presentation time to that of the next segment.
                    length = buffer.duration();
                }
                maps.push(map);
            }
        }
        if let Some(header) = header {
            self.init(&header, sink_pad)?;
        }
        let parts: Vec<&[u8]> = maps.iter().map(|map| map.as_slice()).collect();
        if parts.is_empty() {
            Ok(())
        } else {
            self.segment(&parts, length)
        }
    }

    fn end(&self) {
        if self.segments == 0 {
            self.shelf
                .fail(Failure::Damaged(": nothing in it could be decoded".into()));
        } else {
            self.shelf.tell(Message::TrackDone {
                track: self.draft.id.clone(),
            });
        }
    }

    fn init(&mut self, bytes: &[u8], sink_pad: &gst::Pad) -> Result<(), Failure> {
        if self.announced {
            return Err(Failure::Damaged(
                ": its coding changes in the middle".into(),
            ));
        }
        let unknown = || Failure::Machine("the muxer's header is not understood".into());
        let mut edited = match self.delay_ticks() {
            0 => bytes.to_vec(),
            delay => boxes::with_edit_list(bytes, delay).ok_or_else(unknown)?,
        };
        boxes::without_dates(&mut edited).ok_or_else(unknown)?;
        self.announced = true;
        let name = Package::init_file(&self.draft.id);
        if self.draft.listed.is_some() {
            // The new segments must be decodable with the init segment that players may have.
            return match self.shelf.get(&name) {
                Ok(listed) if listed == edited => Ok(()),
                _ => Err(Failure::CannotResume("its parameters have changed")),
            };
        }
        self.shelf.put(&name, &[&edited])?;
        self.shelf.tell(Message::Track(Track {
            id: self.draft.id.clone(),
            kind: self.draft.kind.clone(),
            codecs: codecs(sink_pad)?,
            timescale: self.draft.timescale,
            presentation_offset: 0,
            made: self.draft.made,
            reason: self.draft.reason.clone(),
            segments: Vec::new(),
            complete: false,
        }));
        Ok(())
    }

    fn segment(&mut self, parts: &[&[u8]], length: Option<gst::ClockTime>) -> Result<(), Failure> {
        let [head, samples @ ..] = parts else {
            return Ok(());
        };
        let times = boxes::fragment_times(head)
            .ok_or_else(|| Failure::Machine("the muxer wrote a fragment without times".into()))?;
        if self.segments == self.draft.listed_segments() && times.start != self.draft.next_start() {
            return Err(match self.draft.listed {
                Some(_) => Failure::CannotResume("the place is not found again"),
                None => Failure::Machine("a track does not begin at 0".into()),
            });
        }
        let mut head = head.to_vec();
        boxes::shift_composition(&mut head, self.delay_ticks());
        let all: Vec<&[u8]> = std::iter::once(head.as_slice())
            .chain(samples.iter().copied())
            .collect();
        let bytes = self.shelf.put(
            &Package::segment_file(&self.draft.id, self.segments + 1),
            &all,
        )?;
        self.shelf.sync(self.draft.id.as_str())?;
        self.segments += 1;
        self.shelf.tell(Message::Segment {
            track: self.draft.id.clone(),
            segment: Segment {
                start: times.start,
                duration: length.map_or(times.duration, |length| self.ticks(length.nseconds())),
                bytes,
            },
        });
        Ok(())
    }
}

impl Writer {
    fn delay_ticks(&self) -> u32 {
        u32::try_from(self.ticks(self.delay.get().copied().unwrap_or(0))).unwrap_or(0)
    }

    fn ticks(&self, ns: u64) -> u64 {
        let ticks =
            (u128::from(ns) * u128::from(self.draft.timescale) + 500_000_000) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

/// The codec string of what really goes into the muxer.
fn codecs(sink_pad: &gst::Pad) -> Result<Codecs, Failure> {
    let caps = sink_pad.current_caps();
    let structure = caps.as_ref().and_then(|caps| caps.structure(0));
    let data = structure
        .and_then(|s| s.get::<gst::Buffer>("codec_data").ok())
        .and_then(|buffer| buffer.into_mapped_buffer_readable().ok());
    let text = match (structure.map(|s| s.name().as_str()), &data) {
        (Some("video/x-h264"), Some(data)) => boxes::avc_codec_string(data),
        (Some("audio/mpeg"), Some(data)) => boxes::aac_codec_string(data),
        _ => None,
    };
    text.and_then(|text| Codecs::new(text).ok()).ok_or_else(|| {
        Failure::Machine("the muxer was given a track without a codec's data".into())
    })
}
