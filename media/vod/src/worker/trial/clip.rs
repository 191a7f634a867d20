//! The frames of a clip, from a film or drawn, and how far what comes back is from them.

use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_video::{VideoFormat, VideoFrameExt, VideoFrameRef, VideoInfo};

use super::super::elements::make;
use super::super::encode::{frames_caps, link};
use super::super::failure::Failure;
use super::super::scale::Scale;
use crate::hardware::ask::Clip;

/// Where in a film the clip begins, or at the key frame before.
const BEHIND_THE_FADE: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Frames in I420, without times.
pub struct Frames {
    info: VideoInfo,
    buffers: Vec<gst::Buffer>,
}

impl Frames {
    /// What a trial needs no film for: plains, an edge that moves, and fine lines.
    pub fn drawn(clip: Clip) -> Result<Self, Failure> {
        let info = form(clip)?;
        let buffers = (0..clip.frames).map(|number| draw(&info, number));
        Ok(Self {
            buffers: buffers.collect::<Result<_, _>>()?,
            info,
        })
    }

    /// Frames of a film (MP4, H.264), scaled: not its first, which fade in; from those again where it is too short.
    pub fn of_film(film: &Path, clip: Clip) -> Result<Self, Failure> {
        let info = form(clip)?;
        let pipeline = gst::Pipeline::new();
        let source = make("filesrc")?;
        source.set_property("location", film);
        let (demuxer, parser) = (make("qtdemux")?, make("h264parse")?);
        let scale = Scale::to(clip.width, clip.height)?;
        let filter = make("capsfilter")?;
        filter.set_property("caps", frames_caps(clip.width, clip.height));
        let sink = AppSink::builder().sync(false).max_buffers(4).build();
        let chain = [
            make("avdec_h264")?,
            make("videoconvert")?,
            scale,
            filter,
            sink.clone().upcast(),
        ];
        let wrong = |e: gst::glib::BoolError| Failure::Machine(e.to_string());
        pipeline
            .add_many([&source, &demuxer, &parser])
            .map_err(wrong)?;
        pipeline.add_many(&chain).map_err(wrong)?;
        link(&source, &demuxer)?;
        for (from, to) in std::iter::once(&parser).chain(&chain).zip(&chain) {
            link(from, to)?;
        }
        demuxer.connect_pad_added(move |_, pad| {
            let is_video = pad.name().starts_with("video");
            if let Some(sink) = parser.static_pad("sink").filter(|_| is_video) {
                let _ = pad.link(&sink);
            }
        });
        let start = |e: gst::StateChangeError| Failure::Machine(e.to_string());
        pipeline.set_state(gst::State::Paused).map_err(start)?;
        pipeline.state(gst::ClockTime::NONE).0.map_err(start)?;
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
        pipeline
            .seek_simple(flags, BEHIND_THE_FADE)
            .map_err(wrong)?;
        pipeline.set_state(gst::State::Playing).map_err(start)?;
        let samples = std::iter::from_fn(|| sink.pull_sample().ok());
        let shown = samples.take(clip.frames as usize);
        let buffers: Vec<_> = shown.filter_map(|sample| sample.buffer_owned()).collect();
        pipeline.set_state(gst::State::Null).map_err(start)?;
        if buffers.is_empty() {
            return Err(Failure::Machine("the film shows nothing".into()));
        }
        let enough = buffers.iter().cycle().take(clip.frames as usize);
        Ok(Self {
            buffers: enough.cloned().collect(),
            info,
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.buffers.len()
    }

    /// With times from `start` on, evenly. The pictures themselves are shared.
    pub fn timed(&self, clip: Clip, start: gst::ClockTime) -> Vec<gst::Buffer> {
        let timed = |(number, frame): (u32, &gst::Buffer)| {
            let mut frame = frame.copy();
            let (from, to) = (clip.at(number), clip.at(number + 1));
            let buffer = frame.make_mut();
            buffer.set_pts(start + from);
            buffer.set_dts(gst::ClockTime::NONE);
            buffer.set_duration(to - from);
            frame
        };
        (0..).zip(&self.buffers).map(timed).collect()
    }

    /// How near the brightness of frames is to these: 10 log (255² / mean square of the differences); 99 where nothing
    /// differs.
    pub fn psnr_db(&self, came: &[gst::Sample]) -> Result<f64, Failure> {
        let mut squares = 0_u64;
        let mut pixels = 0_u64;
        for (sent, came) in self.buffers.iter().zip(came) {
            let unreadable = || Failure::Machine("a frame cannot be read".into());
            let caps = came.caps().ok_or_else(unreadable)?;
            let info = VideoInfo::from_caps(caps).map_err(|_| unreadable())?;
            let came = came.buffer().ok_or_else(unreadable)?;
            let sent = VideoFrameRef::from_buffer_ref_readable(sent, &self.info);
            let came = VideoFrameRef::from_buffer_ref_readable(came, &info);
            let (Ok(sent), Ok(came)) = (sent, came) else {
                return Err(unreadable());
            };
            for (sent, came) in rows(&sent).zip(rows(&came)) {
                let differences = sent
                    .iter()
                    .zip(came)
                    .map(|(a, b)| u64::from(a.abs_diff(*b)));
                squares += differences
                    .map(|difference| difference * difference)
                    .sum::<u64>();
                pixels += sent.len() as u64;
            }
        }
        if squares == 0 {
            return Ok(99.0);
        }
        let mean = squares as f64 / pixels.max(1) as f64;
        Ok((10.0 * (255.0 * 255.0 / mean).log10()).min(99.0))
    }
}

/// A picture's brightness, row by row.
fn rows<'a>(frame: &'a VideoFrameRef<&gst::BufferRef>) -> impl Iterator<Item = &'a [u8]> {
    let stride = usize::try_from(frame.plane_stride()[0]).unwrap_or(1).max(1);
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let plane = frame.plane_data(0).unwrap_or_default();
    plane
        .chunks(stride)
        .take(height)
        .map(move |row| row.get(..width).unwrap_or(row))
}

fn form(clip: Clip) -> Result<VideoInfo, Failure> {
    let is_even = clip.width.is_multiple_of(2) && clip.height.is_multiple_of(2);
    let info = VideoInfo::builder(VideoFormat::I420, clip.width, clip.height).build();
    info.ok()
        .filter(|_| is_even && clip.frames > 0)
        .ok_or_else(|| Failure::Machine(format!("no clip of {} × {}", clip.width, clip.height)))
}

fn draw(info: &VideoInfo, number: u32) -> Result<gst::Buffer, Failure> {
    let wrong = |_| Failure::Machine("no room for a frame".into());
    let buffer = gst::Buffer::with_size(info.size()).map_err(wrong)?;
    let frame = gstreamer_video::VideoFrame::from_buffer_writable(buffer, info);
    let mut frame = frame.map_err(|_| Failure::Machine("no room for a frame".into()))?;
    for plane in 0..3_u32 {
        let stride = usize::try_from(frame.plane_stride()[plane as usize])
            .unwrap_or(1)
            .max(1);
        let data = frame.plane_data_mut(plane);
        let data = data.map_err(|_| Failure::Machine("no room for a frame".into()))?;
        for (y, row) in (0..).zip(data.chunks_mut(stride)) {
            for (x, pixel) in (0..).zip(row) {
                *pixel = value(plane, x, y, number);
            }
        }
    }
    Ok(frame.into_buffer())
}

/// A byte of the drawn picture.
fn value(plane: u32, x: u32, y: u32, number: u32) -> u8 {
    let slope = |at: u32| (at % 400).abs_diff(200);
    let shade = match plane {
        0 if (y / 40) % 4 == 3 => 60 + 120 * ((x / 2) % 2),
        0 if x.abs_diff(number * 8 % 1000) < 60 => 200,
        0 => 40 + slope(x + 2 * number) / 2 + slope(y) / 3,
        1 => 90 + slope(x) / 4,
        _ => 110 + slope(y + number) / 4,
    };
    u8::try_from(shade).unwrap_or(u8::MAX)
}
