//! The still pictures of a video: the poster, and the sheets of small pictures for the seek bar. Made
//! from frames that were decoded for the rungs anyway.

use std::sync::{Arc, Mutex};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video::{VideoFormat, VideoFrameExt, VideoFrameRef, VideoInfo};

use super::decode::sink;
use super::elements::make;
use super::encode::{add_queue, add_scale, frames_caps, left_out, link, pad};
use super::failure::Failure;
use super::shelf::Shelf;
use crate::package::{Package, Poster, Storyboard};
use crate::protocol::Message;

/// Shortest time between two pictures of the seek bar.
const MIN_INTERVAL_MS: u64 = 2000;
/// Most pictures of the seek bar, however long the video.
const MOST_PICTURES: u64 = 200;
/// Pixels of such a picture.
const WIDTH: u32 = 160;
const COLUMNS: u32 = 10;
const ROWS: u32 = 10;
/// The poster's longer side at most.
const POSTER_SIDE: u32 = 960;
/// A poster shows something: the spread of its brightness, of 255.
const LIVELY: f64 = 18.0;
/// The poster is looked for so far into the video, from this time on.
const POSTER_FROM_NS: u64 = 1_000_000_000;
const POSTER_UNTIL_NS: u64 = 60_000_000_000;

/// The plan of the seek bar's pictures for a video of that length and shape.
pub fn plan(duration_ms: u64, width: u32, height: u32) -> Storyboard {
    let tall = u64::from(WIDTH) * u64::from(height) / u64::from(width.max(1));
    Storyboard {
        interval_ms: MIN_INTERVAL_MS.max(duration_ms.div_ceil(MOST_PICTURES)),
        width: WIDTH,
        // JPEG halves the colours; a shape beyond 1 : 4 is cut off by the bound, not shown whole.
        height: u32::try_from(tall.clamp(2, 640) & !1).unwrap_or(90),
        columns: COLUMNS,
        rows: ROWS,
        sheets: 0,
    }
}

/// Hangs the maker of the seek bar's pictures behind `from`, an element with raw frames. The sheets that
/// `storyboard` has are there already.
pub fn add_storyboard(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    storyboard: Storyboard,
    shelf: &Shelf,
) -> Result<(), Failure> {
    let queue = add_queue(pipeline, 2)?;
    link(from, &queue)?;
    // Only the frames that are wanted go on, before anything is done to them.
    let interval = storyboard.interval_ms.saturating_mul(1_000_000);
    let next = Mutex::new(0_u64);
    pad(&queue, "sink")?.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let at = info
            .buffer()
            .and_then(|buffer| buffer.pts())
            .map_or(0, gst::ClockTime::nseconds);
        match next.lock() {
            Ok(mut next) if at.saturating_add(1_000_000) >= *next => {
                *next = (at.saturating_add(1_000_000) / interval + 1) * interval;
                gst::PadProbeReturn::Ok
            }
            _ => left_out(info),
        }
    });
    let (scale, filter) = add_scale(pipeline, storyboard.width, storyboard.height)?;
    link(&queue, &scale)?;

    let sheets = Arc::new(Mutex::new(Sheets {
        listed: storyboard.sheets,
        storyboard: Storyboard {
            sheets: 0,
            ..storyboard
        },
        shelf: shelf.clone(),
        sheet: None,
        pictures: 0,
    }));
    let at_end = Arc::clone(&sheets);
    let sink = sink(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let mut sheets = sheets.lock().map_err(|_| gst::FlowError::Error)?;
                sheets.take(&sample).map_err(|failure| {
                    sheets.shelf.fail(failure);
                    gst::FlowError::Error
                })?;
                Ok(gst::FlowSuccess::Ok)
            })
            .eos(move |_| {
                if let Ok(mut sheets) = at_end.lock()
                    && let Err(failure) = sheets.finish()
                {
                    sheets.shelf.fail(failure);
                }
            })
            .build(),
    );
    pipeline
        .add(&sink)
        .map_err(|e| Failure::Machine(e.to_string()))?;
    link(&filter, sink.upcast_ref())
}

struct Sheets {
    storyboard: Storyboard,
    /// Sheets that an earlier attempt has listed: not written again.
    listed: u32,
    shelf: Shelf,
    sheet: Option<Sheet>,
    /// Pictures so far, over all sheets.
    pictures: u64,
}

/// I420 without padding.
struct Sheet {
    planes: [Vec<u8>; 3],
    widths: [usize; 3],
}

impl Sheets {
    fn take(&mut self, sample: &gst::Sample) -> Result<(), Failure> {
        let broken = || Failure::Machine("a picture for the seek bar cannot be read".into());
        let info = sample
            .caps()
            .and_then(|caps| VideoInfo::from_caps(caps).ok())
            .ok_or_else(broken)?;
        let buffer = sample.buffer().ok_or_else(broken)?;
        let frame = VideoFrameRef::from_buffer_ref_readable(buffer, &info).map_err(|_| broken())?;
        let at_ms = buffer.pts().map_or(0, gst::ClockTime::mseconds) + 1;
        // Where no frame came for a while, the one before the gap is still shown.
        let number = (at_ms / self.storyboard.interval_ms).max(self.pictures);
        let per_sheet = u64::from(COLUMNS * ROWS);
        while self.pictures <= number {
            let place = usize::try_from(self.pictures % per_sheet).unwrap_or(0);
            let (w, h) = (
                self.storyboard.width as usize,
                self.storyboard.height as usize,
            );
            let sheet = self.sheet.get_or_insert_with(|| Sheet::black(w, h));
            sheet.put(place, &frame, w, h);
            self.pictures += 1;
            if self.pictures.is_multiple_of(per_sheet) {
                self.write()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        if self.sheet.is_some() {
            self.write()
        } else {
            Ok(())
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let Some(sheet) = self.sheet.take() else {
            return Ok(());
        };
        self.storyboard.sheets += 1;
        let number = self.storyboard.sheets;
        if number <= self.listed {
            return Ok(());
        }
        let (width, height) = (
            self.storyboard.width * COLUMNS,
            self.storyboard.height * ROWS,
        );
        let mut bytes = Vec::with_capacity(sheet.planes.iter().map(Vec::len).sum());
        sheet
            .planes
            .iter()
            .for_each(|plane| bytes.extend_from_slice(plane));
        let caps = VideoInfo::builder(VideoFormat::I420, width, height)
            .build()
            .and_then(|info| info.to_caps())
            .map_err(|e| Failure::Machine(e.to_string()))?;
        let jpeg = jpeg(
            gst::Buffer::from_mut_slice(bytes),
            &caps,
            (width, height),
            70,
        )?;
        self.shelf
            .put(&Package::storyboard_file(number), &[&jpeg])?;
        self.shelf.sync("storyboard")?;
        self.shelf
            .tell(Message::Storyboard(self.storyboard.clone()));
        Ok(())
    }
}

impl Sheet {
    fn black(width: usize, height: usize) -> Self {
        let (wide, tall) = (width * COLUMNS as usize, height * ROWS as usize);
        Self {
            planes: [
                vec![16; wide * tall],
                vec![128; wide / 2 * (tall / 2)],
                vec![128; wide / 2 * (tall / 2)],
            ],
            widths: [wide, wide / 2, wide / 2],
        }
    }

    fn put(
        &mut self,
        place: usize,
        frame: &VideoFrameRef<&gst::BufferRef>,
        width: usize,
        height: usize,
    ) {
        let (column, row) = (place % COLUMNS as usize, place / COLUMNS as usize);
        for (n, plane) in self.planes.iter_mut().enumerate() {
            let half = if n == 0 { 1 } else { 2 };
            let (w, h, sheet_width) = (width / half, height / half, self.widths[n]);
            let stride = usize::try_from(frame.plane_stride()[n]).unwrap_or(0);
            let Ok(data) = frame.plane_data(n as u32) else {
                continue;
            };
            for y in 0..h {
                let to = (row * h + y) * sheet_width + column * w;
                if let (Some(to), Some(from)) = (
                    plane.get_mut(to..to + w),
                    data.get(y * stride..y * stride + w),
                ) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

/// Looks for a frame that is worth being the poster.
pub struct PosterChoice {
    shelf: Shelf,
    best: Option<(f64, gst::Buffer)>,
    next: u64,
    done: bool,
}

impl PosterChoice {
    /// Nothing seen yet. In a video shorter than two seconds any frame will do.
    pub fn new(duration_ns: u64, shelf: &Shelf) -> Self {
        Self {
            shelf: shelf.clone(),
            best: None,
            next: POSTER_FROM_NS.min(duration_ns / 2),
            done: false,
        }
    }

    /// The next frame that is shown.
    pub fn look(
        &mut self,
        buffer: &gst::Buffer,
        at: u64,
        caps: &gst::CapsRef,
    ) -> Result<(), Failure> {
        if self.done || at < self.next {
            return Ok(());
        }
        self.next = at.saturating_add(1_000_000_000);
        let Ok(info) = VideoInfo::from_caps(caps) else {
            return Ok(());
        };
        let Ok(frame) = VideoFrameRef::from_buffer_ref_readable(buffer, &info) else {
            return Ok(());
        };
        let spread = spread(&frame);
        if self.best.as_ref().is_none_or(|(best, _)| spread > *best) {
            self.best = Some((spread, buffer.clone()));
        }
        if spread >= LIVELY || at > POSTER_UNTIL_NS {
            self.choose(caps)
        } else {
            Ok(())
        }
    }

    /// The end of the video: the best of what was there.
    pub fn choose(&mut self, caps: &gst::CapsRef) -> Result<(), Failure> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(());
        }
        let Some((_, buffer)) = self.best.take() else {
            return Ok(());
        };
        put_poster(buffer, caps, &self.shelf)
    }
}

/// Makes the poster of one raw picture.
pub fn put_poster(buffer: gst::Buffer, caps: &gst::CapsRef, shelf: &Shelf) -> Result<(), Failure> {
    let info = VideoInfo::from_caps(caps).map_err(|e| Failure::Machine(e.to_string()))?;
    let (width, height) = poster_size(info.width(), info.height());
    let jpeg = jpeg(buffer, &caps.to_owned(), (width, height), 82)?;
    shelf.put(Package::POSTER_FILE, &[&jpeg])?;
    shelf.sync("")?;
    shelf.tell(Message::Poster(Poster { width, height }));
    Ok(())
}

fn poster_size(width: u32, height: u32) -> (u32, u32) {
    let long = width.max(height).max(1);
    let side = |pixels: u32| {
        let fitted = u64::from(pixels) * u64::from(long.min(POSTER_SIDE)) / u64::from(long);
        u32::try_from(fitted.max(2) & !1).unwrap_or(2)
    };
    (side(width), side(height))
}

/// How far brightness spreads around its mean, on a coarse grid.
fn spread(frame: &VideoFrameRef<&gst::BufferRef>) -> f64 {
    let Ok(luma) = frame.plane_data(0) else {
        return 0.0;
    };
    let stride = usize::try_from(frame.plane_stride()[0]).unwrap_or(1).max(1);
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for line in luma.chunks(stride).step_by(8) {
        for value in line.iter().take(frame.width() as usize).step_by(8) {
            let value = f64::from(*value);
            count += 1.0;
            sum += value;
            squares += value * value;
        }
    }
    if count == 0.0 {
        0.0
    } else {
        (squares / count - (sum / count).powi(2)).max(0.0).sqrt()
    }
}

/// One picture as JPEG, scaled.
fn jpeg(
    buffer: gst::Buffer,
    caps: &gst::Caps,
    (width, height): (u32, u32),
    quality: i32,
) -> Result<Vec<u8>, Failure> {
    let broken = |what: &str| Failure::Machine(format!("a picture cannot be written: {what}"));
    let scale = make("videoconvertscale")?;
    let filter = make("capsfilter")?;
    filter.set_property("caps", frames_caps(width, height));
    let encoder = make("jpegenc")?;
    encoder.set_property("quality", quality);
    let longest = gst::ClockTime::from_seconds(30);
    let sample = one_through(buffer, caps, &[&scale, &filter, &encoder], longest)
        .map_err(|what| broken(&what))?;
    let map = sample
        .buffer()
        .and_then(|buffer| buffer.map_readable().ok());
    map.map(|map| map.to_vec()).ok_or_else(|| broken("empty"))
}

/// What becomes of one picture that goes through these elements.
///
/// # Errors
/// In words for the log.
pub fn one_through(
    buffer: gst::Buffer,
    caps: &gst::Caps,
    elements: &[&gst::Element],
    longest: gst::ClockTime,
) -> Result<gst::Sample, String> {
    let pipeline = gst::Pipeline::new();
    let source = AppSrc::builder()
        .format(gst::Format::Time)
        .caps(caps)
        .build();
    let sink = AppSink::builder().sync(false).build();
    let all = || {
        let ends = (source.upcast_ref(), sink.upcast_ref());
        std::iter::once(ends.0)
            .chain(elements.iter().copied())
            .chain(std::iter::once(ends.1))
    };
    pipeline.add_many(all()).map_err(|e| e.to_string())?;
    gst::Element::link_many(all()).map_err(|e| e.to_string())?;
    let outcome = (|| {
        pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| e.to_string())?;
        source.push_buffer(buffer).map_err(|e| e.to_string())?;
        source.end_of_stream().map_err(|e| e.to_string())?;
        sink.try_pull_sample(longest)
            .ok_or_else(|| "no answer".to_owned())
    })();
    let _ = pipeline.set_state(gst::State::Null);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seek_bar_has_a_picture_each_two_seconds_but_never_more_than_two_hundred() {
        assert_eq!(plan(30_000, 1920, 1080).interval_ms, 2000);
        let long = plan(2 * 3600 * 1000, 1920, 1080);
        assert_eq!(
            (long.interval_ms, long.width, long.height),
            (36_000, 160, 90)
        );
        assert_eq!(plan(30_000, 360, 640).height, 284);
        assert_eq!(plan(30_000, 4, 16_000).height, 640);
    }

    #[test]
    fn a_poster_keeps_the_shape_and_is_never_larger_than_the_picture() {
        assert_eq!(poster_size(1920, 1080), (960, 540));
        assert_eq!(poster_size(320, 240), (320, 240));
        assert_eq!(poster_size(1080, 1920), (540, 960));
    }
}
