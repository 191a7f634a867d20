//! A glance at a few places of the film, decoded: whether most of its frames show nothing new. Only taken
//! where the coded frames are so small that they may; a film with much in it is not decoded twice.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSinkCallbacks;
use gstreamer_video::{VideoFrameExt, VideoFrameRef, VideoInfo};

use super::decode::{add, add_coded_queue, add_decoder, add_plain, lead_streams, sink};
use super::encode::link;
use super::failure::Failure;
use super::probe::{Facts, Picture};
use super::source::{Kind, add_source, with_pipeline};
use super::stillness::{Luma, look_the_same};
use crate::package::Ratio;

/// Places that are looked at.
const PLACES: u64 = 8;
/// Frames of each, at least and at most; of a short film all places together no more than a fifth.
const FEWEST: u64 = 12;
const MOST: u64 = 48;
/// After so many places it is over, where hardly any frame was still.
const FIRST_PLACES: u64 = 3;
const HARDLY: usize = 15;
/// The places lie by the golden ratio, in thousandths: evenly, and in step with nothing that is in the film.
const NEXT_PLACE: u64 = 618;
/// Bits a pixel of the median frame above which there is surely something new in each.
const BUSY_BITS: f64 = 0.05;
/// So many of a hundred frames must show nothing new.
const MOSTLY: u8 = 50;
/// No frame for so long ends the glance.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of a hundred frames, how many show nothing new; `None` where that need not be looked at, or cannot.
pub fn still_percent(facts: &Facts, threads: u32) -> Option<u8> {
    let picture = facts.picture.as_ref()?;
    let video = facts.ladder.video.as_ref()?;
    let pixels = f64::from(video.width) * f64::from(video.height);
    if picture.median_bytes as f64 * 8.0 > pixels * BUSY_BITS || facts.ladder.duration_ns == 0 {
        return None;
    }
    match look(facts, picture, threads) {
        Ok((_, 0)) => None,
        Ok((still, all)) => u8::try_from(still * 100 / all).ok(),
        Err(failure) => {
            // The work itself will say what is wrong.
            eprintln!("worker: the glance: {failure}");
            None
        }
    }
}

/// Whether that is worth leaving frames out.
pub fn is_mostly_still(percent: Option<u8>) -> bool {
    percent.is_some_and(|percent| percent >= MOSTLY)
}

/// Frames that show nothing new, and all that were looked at.
fn look(facts: &Facts, picture: &Picture, threads: u32) -> Result<(usize, usize), Failure> {
    with_pipeline(|pipeline| {
        let frames = build(pipeline, facts, picture, threads)?;
        count(pipeline, facts, &frames)
    })
}

/// Whether a frame looks like the one before it; none for the first behind a leap.
type Frames = mpsc::Receiver<Option<bool>>;

fn build(
    pipeline: &gst::Pipeline,
    facts: &Facts,
    picture: &Picture,
    threads: u32,
) -> Result<Frames, Failure> {
    let parse = add_source(pipeline)?.parse;
    let entry = add_coded_queue(pipeline)?;
    let decoder = add_decoder(pipeline, &entry, picture.decoder.as_deref(), threads)?;
    let (convert, plain) = add_plain(pipeline)?;
    // Without a bound: a sender that waits would hold up a leap for ever, and a leap comes soon.
    let (sender, frames) = mpsc::channel();
    let mut before: Option<(gst::Buffer, VideoInfo)> = None;
    let sink = sink(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let now = sample.buffer_owned().zip(
                    sample
                        .caps()
                        .and_then(|caps| VideoInfo::from_caps(caps).ok()),
                );
                let is_leap = now
                    .as_ref()
                    .is_none_or(|(b, _)| b.flags().contains(gst::BufferFlags::DISCONT));
                let same = match (before.as_ref().filter(|_| !is_leap), &now) {
                    (Some(before), Some(now)) => Some(frames_are_the_same(
                        (&before.0, &before.1),
                        (&now.0, &now.1),
                    )),
                    _ => None,
                };
                before = now;
                // Nobody asks any more: enough was seen.
                sender.send(same).map_err(|_| gst::FlowError::Eos)?;
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    add(pipeline, sink.upcast_ref())?;
    link(&decoder, &convert)?;
    link(&plain, sink.upcast_ref())?;
    let way = (Kind::Video, picture.stream.clone(), entry);
    // The work itself will say what is wrong.
    lead_streams(pipeline, &parse, facts, vec![way], |failure| {
        eprintln!("worker: the glance: {failure}");
    });
    Ok(frames)
}

fn count(
    pipeline: &gst::Pipeline,
    facts: &Facts,
    frames: &Frames,
) -> Result<(usize, usize), Failure> {
    let stopped = || Failure::Machine("a glance at the film does not start".into());
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|_| stopped())?;
    let frames_each = frames_of_a_place(facts);
    let (mut still, mut all) = (0, 0);
    for place in 0..PLACES {
        if place > 0 {
            if place == FIRST_PLACES && still * 100 < all * HARDLY {
                break;
            }
            let share = NEXT_PLACE * place % 1000;
            let at = facts.start_ns + facts.ladder.duration_ns / 1000 * share;
            let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
            if pipeline
                .seek_simple(flags, gst::ClockTime::from_nseconds(at))
                .is_err()
            {
                break;
            }
            // What was seen on the way there is of the place before.
            while frames.try_recv().is_ok() {}
        }
        for _ in 0..frames_each {
            match frames.recv_timeout(PATIENCE) {
                Ok(Some(same)) => {
                    still += usize::from(same);
                    all += 1;
                }
                Ok(None) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Ok((still, all));
                }
            }
            let bus = pipeline.bus().ok_or_else(stopped)?;
            if bus
                .pop_filtered(&[gst::MessageType::Eos, gst::MessageType::Error])
                .is_some()
            {
                return Ok((still, all));
            }
        }
    }
    Ok((still, all))
}

fn frames_of_a_place(facts: &Facts) -> u64 {
    let rate = facts
        .ladder
        .video
        .as_ref()
        .and_then(|video| video.frame_rate);
    let frames = |rate: Ratio| facts.ladder.duration_ns as f64 / 1e9 * rate.as_f64();
    rate.map_or(MOST, |rate| {
        (frames(rate) as u64 / 5 / PLACES).clamp(FEWEST, MOST)
    })
}

/// Whether two raw frames with a plane of brightness look the same.
pub fn frames_are_the_same(
    one: (&gst::Buffer, &VideoInfo),
    other: (&gst::Buffer, &VideoInfo),
) -> bool {
    let (Ok(one), Ok(other)) = (
        VideoFrameRef::from_buffer_ref_readable(one.0, one.1),
        VideoFrameRef::from_buffer_ref_readable(other.0, other.1),
    ) else {
        return false;
    };
    let (Some(one), Some(other)) = (luma_of(&one), luma_of(&other)) else {
        return false;
    };
    look_the_same(one, other)
}

fn luma_of<'a>(frame: &'a VideoFrameRef<&gst::BufferRef>) -> Option<Luma<'a>> {
    Some(Luma {
        bytes: frame.plane_data(0).ok()?,
        stride: usize::try_from(*frame.plane_stride().first()?).ok()?,
        width: usize::try_from(frame.width()).ok()?,
        height: usize::try_from(frame.height()).ok()?,
    })
}
