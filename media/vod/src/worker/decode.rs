//! From coded to raw: the decoder that the probe chose and the filters behind it.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::elements::make;
use super::encode::{add_queue, add_scale, link, pad, samples_caps};
use super::failure::Failure;
use super::probe::{Facts, Sound};
use super::source::{Kind, kind_of, make_plain, stream_of};
use super::tone;

/// Coded data that wait for a decoder at most: what comes first of bytes and time. (A packet of sound takes three times
/// its bytes.) No stream waits for another, so a source may interleave them as it likes.
const CODED_BYTES_WAITING: u32 = 16 << 20;
const CODED_TIME_WAITING: gst::ClockTime = gst::ClockTime::from_seconds(5);

/// Adds the decoder that the probe chose; raw streams need none.
pub fn add_decoder(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    factory: Option<&str>,
    threads: u32,
) -> Result<gst::Element, Failure> {
    let Some(factory) = factory else {
        return Ok(from.clone());
    };
    let decoder = make(factory)?;
    if decoder.has_property("max-threads") {
        decoder.set_property("max-threads", i32::try_from(threads).unwrap_or(1));
    } else if decoder.has_property("threads") {
        decoder.set_property_from_str("threads", &threads.to_string());
    }
    if decoder.has_property("output-corrupt") {
        decoder.set_property("output-corrupt", true);
    }
    add(pipeline, &decoder)?;
    link(from, &decoder)?;
    Ok(decoder)
}

/// Adds what makes pictures upright, progressive, square, of the standard range and of that size. Returns the element
/// that gives them plain and still in their own size, and the last one.
pub fn add_picture_filters(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    facts: &Facts,
    (width, height): (u32, u32),
) -> Result<(gst::Element, gst::Element), Failure> {
    let mut last = add_queue(pipeline, 2)?;
    link(from, &last)?;
    let is_interlaced = facts
        .ladder
        .video
        .as_ref()
        .is_some_and(|video| video.is_interlaced);
    if is_interlaced {
        let deinterlace = make("deinterlace")?;
        deinterlace.set_property_from_str("fields", "top");
        add(pipeline, &deinterlace)?;
        link(&last, &deinterlace)?;
        last = deinterlace;
    }
    if let Some(flip) = facts.picture.as_ref().and_then(|picture| picture.flip) {
        // Not `videoconvertscale`: the scaler behind takes any size, and this one would put borders around the picture.
        let convert = make("videoconvert")?;
        let turn = make("videoflip")?;
        turn.set_property_from_str("video-direction", flip);
        pipeline
            .add_many([&convert, &turn])
            .map_err(|e| Failure::Machine(e.to_string()))?;
        link(&last, &convert)?;
        link(&convert, &turn)?;
        last = turn;
    }
    // Whatever the decoder gives becomes I420; a converter that could scale would take that from the scaler.
    let (convert, plain) = add_plain(pipeline)?;
    let (scale, filter) = add_scale(pipeline, width, height)?;
    if let Some(hdr) = facts.picture.as_ref().and_then(|picture| picture.hdr) {
        tone::add(&convert, &filter, hdr, (width, height))?;
    }
    link(&last, &convert)?;
    link(&plain, &scale)?;
    Ok((plain, filter))
}

/// Adds what makes a coded sound stereo samples of that rate. Returns the last element.
pub fn add_sound_filters(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    sound: &Sound,
    rate: u32,
) -> Result<gst::Element, Failure> {
    let decoder = add_decoder(pipeline, from, sound.decoder.as_deref(), 1)?;
    let (convert, resample, filter) = (
        make("audioconvert")?,
        make("audioresample")?,
        make("capsfilter")?,
    );
    filter.set_property("caps", samples_caps(rate));
    for element in [&convert, &resample, &filter] {
        add(pipeline, element)?;
    }
    let all = [&decoder, &convert, &resample, &filter];
    all.windows(2).try_for_each(|pair| link(pair[0], pair[1]))?;
    Ok(filter)
}

/// Adds `videoconvert ! capsfilter`: any picture becomes I420 of its own size. Returns its two ends.
pub fn add_plain(pipeline: &gst::Pipeline) -> Result<(gst::Element, gst::Element), Failure> {
    let convert = make("videoconvert")?;
    let filter = make("capsfilter")?;
    filter.set_property(
        "caps",
        gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .build(),
    );
    add(pipeline, &convert)?;
    add(pipeline, &filter)?;
    link(&convert, &filter)?;
    Ok((convert, filter))
}

/// A queue for coded data.
pub fn add_coded_queue(pipeline: &gst::Pipeline) -> Result<gst::Element, Failure> {
    let queue = add_queue(pipeline, 0)?;
    queue.set_property("max-size-bytes", CODED_BYTES_WAITING);
    queue.set_property("max-size-time", CODED_TIME_WAITING.nseconds());
    Ok(queue)
}

/// Which stream of the source (`None`: the only one of its kind) goes where.
pub type Way = (Kind, Option<String>, gst::Element);

/// Leads each stream that the source turns out to have on its way; one without a way flows into nothing.
pub fn lead_streams(
    pipeline: &gst::Pipeline,
    parse: &gst::Element,
    facts: &Facts,
    ways: Vec<Way>,
    fail: impl Fn(Failure) + Send + Sync + 'static,
) {
    let weak = pipeline.downgrade();
    let container = facts.container.clone();
    parse.connect_pad_added(move |_, from| {
        let Some(pipeline) = weak.upgrade() else {
            return;
        };
        make_plain(from, &container);
        if let Err(failure) = lead(&pipeline, from, &ways) {
            fail(failure);
        }
    });
}

/// Links a stream that the source turned out to have.
fn lead(pipeline: &gst::Pipeline, from: &gst::Pad, ways: &[Way]) -> Result<(), Failure> {
    let (kind, stream) = (kind_of(from), stream_of(from));
    let is_it = |way: &&Way| way.0 == kind && way.1.as_ref().is_none_or(|id| *id == stream);
    match ways.iter().find(is_it) {
        Some((_, _, entry)) => {
            let to = pad(entry, "sink")?;
            // The way was chosen by what the probe saw of this very stream.
            from.link(&to).map(drop).map_err(|e| {
                eprintln!("worker: {}: {e}", from.name());
                Failure::Damaged(": it is not what it says that it is".into())
            })
        }
        None => add_sink(pipeline, from),
    }
}

/// A stream that is not used flows into nothing.
fn add_sink(pipeline: &gst::Pipeline, from: &gst::Pad) -> Result<(), Failure> {
    let sink = make("fakesink")?;
    sink.set_property("sync", false);
    sink.set_property("async", false);
    add(pipeline, &sink)?;
    sink.sync_state_with_parent()
        .map_err(|e| Failure::Machine(e.to_string()))?;
    from.link(&pad(&sink, "sink")?)
        .map_err(|e| Failure::Machine(e.to_string()))?;
    Ok(())
}

/// Where decoded data leave a pipeline: as fast as they are taken.
pub fn sink(callbacks: AppSinkCallbacks) -> AppSink {
    AppSink::builder()
        .sync(false)
        .async_(false)
        .max_buffers(2)
        .callbacks(callbacks)
        .build()
}

/// Adds an element.
pub fn add(pipeline: &gst::Pipeline, element: &gst::Element) -> Result<(), Failure> {
    pipeline
        .add(element)
        .map_err(|e| Failure::Machine(e.to_string()))
}
