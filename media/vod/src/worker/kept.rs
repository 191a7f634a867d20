//! A rung that is the source itself: its coded pictures go from the demultiplexer to the muxer, put on
//! the video's timeline and cut at key frames, otherwise untouched to the bit.

use std::sync::Mutex;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::decode::{add, add_coded_queue};
use super::elements::make;
use super::encode::{Rung, left_out, link, pad, resumed_from, segment_from};
use super::failure::Failure;
use super::h264::{self, Entry, Framing};
use super::mux::{add_muxer, split_now};
use super::probe::{Picture, avc_caps};
use super::shelf::Shelf;
use super::timeline::{Cuts, Marks, SLACK_NS, on_grid, on_tick};
use crate::package::Ratio;

/// The source's own coded pictures, put on the timeline and cut, otherwise untouched.
pub fn add_kept(
    pipeline: &gst::Pipeline,
    tee: &gst::Element,
    rung: &Rung,
    (start_ns, picture): (u64, &Picture),
    cuts: &Cuts,
    shelf: &Shelf,
) -> Result<(), Failure> {
    let queue = add_coded_queue(pipeline)?;
    let parser = make("h264parse")?;
    let filter = make("capsfilter")?;
    filter.set_property("caps", avc_caps());
    pipeline
        .add_many([&parser, &filter])
        .map_err(|e| Failure::Machine(e.to_string()))?;
    let muxer = add_muxer(
        pipeline,
        rung.draft.clone(),
        (!picture.without_dts).then_some(picture.delay_ns),
        shelf,
    )?;
    link(tee, &queue)?;
    link(&queue, &parser)?;
    let mut last = parser;
    if picture.without_dts {
        // Matroska stores no decode times.
        let timestamper = make("h264timestamper")?;
        add(pipeline, &timestamper)?;
        link(&last, &timestamper)?;
        last = timestamper;
    }
    link(&last, &filter)?;
    link(&filter, &muxer)?;
    let out = pad(&filter, "src")?;
    let source = gst::FormattedSegment::<gst::ClockTime>::new();
    let source = Mutex::new((source, Framing::Length(4), Marks::segments(cuts), true));
    let grid = picture.grid();
    let from = resumed_from(&rung.draft, cuts);
    out.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM,
        move |pad, info| {
            let Ok(mut source) = source.lock() else {
                return left_out(info);
            };
            match &mut info.data {
                Some(gst::PadProbeData::Event(event)) => {
                    if let gst::EventView::Caps(caps) = event.view() {
                        let avcc = caps
                            .caps()
                            .structure(0)
                            .and_then(|s| s.get::<gst::Buffer>("codec_data").ok());
                        let avcc = avcc.and_then(|b| b.into_mapped_buffer_readable().ok());
                        source.1 = Framing::of_avcc(avcc.as_ref().map(|map| map.as_slice()));
                    }
                    if let gst::EventView::Segment(segment) = event.view()
                        && let Some(segment) = segment.segment().downcast_ref::<gst::ClockTime>()
                    {
                        source.0 = segment.clone();
                        *event = segment_from(ROOM_BEFORE_0);
                    }
                }
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    let place = |at: Option<gst::ClockTime>| {
                        at.and_then(|at| source.0.to_running_time_full(at))
                            .map(|at| gst::ClockTime::from_nseconds(shifted(at, start_ns, grid)))
                    };
                    let (pts, dts) = (place(buffer.pts()), place(buffer.dts()));
                    let at = pts
                        .map_or(0, gst::ClockTime::nseconds)
                        .saturating_sub(ROOM_BEFORE_0);
                    if at.saturating_add(SLACK_NS) < from {
                        drop(source);
                        return left_out(info);
                    }
                    // The parser takes every intra picture for a key frame.
                    let is_idr = buffer
                        .map_readable()
                        .is_ok_and(|unit| h264::entry(&unit, source.1) == Entry::Idr);
                    let buffer = buffer.make_mut();
                    buffer.set_pts(pts);
                    buffer.set_dts(dts);
                    if is_idr {
                        buffer.unset_flags(gst::BufferFlags::DELTA_UNIT);
                        let is_first = std::mem::replace(&mut source.3, false);
                        if source.2.hit(at) && !is_first {
                            // Not under the lock: the event passes this probe too.
                            drop(source);
                            pad.push_event(split_now());
                        }
                    } else {
                        buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
                    }
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        },
    );
    Ok(())
}

/// Decode times may lie before 0, buffers cannot: those of a kept picture are moved by an hour, and the
/// segment takes it off again.
const ROOM_BEFORE_0: u64 = 3_600_000_000_000;

fn shifted(at: gst::Signed<gst::ClockTime>, start_ns: u64, grid: Option<Ratio>) -> u64 {
    let place = |ns: u64| on_grid(on_tick(ns), grid);
    match at {
        gst::Signed::Positive(at) if at.nseconds() >= start_ns => {
            ROOM_BEFORE_0 + place(at.nseconds() - start_ns)
        }
        gst::Signed::Positive(at) => ROOM_BEFORE_0.saturating_sub(place(start_ns - at.nseconds())),
        gst::Signed::Negative(before) => {
            ROOM_BEFORE_0.saturating_sub(place(before.nseconds() + start_ns))
        }
    }
}
