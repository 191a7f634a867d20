//! The picture on the cover of a recording that has no other: it becomes the poster. A cover that cannot
//! be read, or is too large to be one, is as if there were none.

use gstreamer as gst;
use gstreamer::prelude::*;

use super::elements::{decoder_for, make};
use super::failure::Failure;
use super::pictures::{one_through, put_poster};
use super::shelf::Shelf;

/// The longest side that is decoded.
const MOST_SIDE: u32 = 8192;
const LONGEST: gst::ClockTime = gst::ClockTime::from_seconds(20);

/// Makes the poster of a cover.
pub fn put(cover: &gst::Sample, shelf: &Shelf) -> Result<(), Failure> {
    match decoded(cover) {
        Some(frame) => match (frame.buffer_owned(), frame.caps()) {
            (Some(buffer), Some(caps)) => put_poster(buffer, caps, shelf),
            _ => Ok(()),
        },
        None => Ok(()),
    }
}

fn decoded(cover: &gst::Sample) -> Option<gst::Sample> {
    let buffer = cover.buffer_owned()?;
    let (name, (width, height)) = size(&buffer.map_readable().ok()?)?;
    if width == 0 || height == 0 || width > MOST_SIDE || height > MOST_SIDE {
        return None;
    }
    let caps = gst::Caps::builder(name)
        .field("width", i32::try_from(width).ok()?)
        .field("height", i32::try_from(height).ok()?)
        .field("framerate", gst::Fraction::new(0, 1))
        .field("parsed", true)
        .build();
    let decoder = decoder_for(&caps)?.create().build().ok()?;
    let convert = make("videoconvertscale").ok()?;
    let filter = make("capsfilter").ok()?;
    filter.set_property(
        "caps",
        gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .build(),
    );
    one_through(buffer, &caps, &[&decoder, &convert, &filter], LONGEST).ok()
}

/// What kind of picture the bytes are, and its sides, by its own header: before a decoder makes room.
fn size(bytes: &[u8]) -> Option<(&'static str, (u32, u32))> {
    let be16 = |at: usize| {
        Some(u32::from(u16::from_be_bytes([
            *bytes.get(at)?,
            *bytes.get(at + 1)?,
        ])))
    };
    let be32 = |at: usize| Some(be16(at)? << 16 | be16(at + 2)?);
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("image/png", (be32(16)?, be32(20)?)));
    }
    if !bytes.starts_with(b"\xff\xd8") {
        return None;
    }
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match marker {
            0xff => at += 1,
            // Frames: all but the tables that lie among their numbers.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some(("image/jpeg", (be16(at + 7)?, be16(at + 5)?)));
            }
            _ => at += 2 + usize::try_from(be16(at + 2)?).ok()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pictures_header_says_how_large_it_is() {
        let png = [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(),
            &40_000_u32.to_be_bytes(),
            &30_u32.to_be_bytes(),
        ]
        .concat();
        assert_eq!(size(&png), Some(("image/png", (40_000, 30))));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x02\xff\xc2\0\x11\x08\x01\x02\x03\x04";
        assert_eq!(size(jpeg), Some(("image/jpeg", (0x304, 0x102))));
        for cut in 0..jpeg.len() {
            assert_eq!(size(&jpeg[..cut]), None, "cut at {cut}");
        }
        assert_eq!(size(b"GIF89a"), None);
    }
}
