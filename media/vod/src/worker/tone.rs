//! From a high dynamic range to the standard one, so that what a rendition says of its colours is what
//! it shows: BT.709, 8 bits.
//!
//! A simple mapping, the same for every source: nothing is read of a film's own metadata, and it works
//! on the 8 bits that are left behind the scaler. Real tone mapping would be a filter of its own.
//! * Primaries are converted by the scaler's own matrix.
//! * HLG (ITU-R BT.2100) is made to look right on a screen of the standard range: its values stay.
//! * PQ (SMPTE ST 2084) is not: a screen that takes it for BT.709 shows a grey film. One curve brings
//!   it down; colours are made stronger or weaker with the brightness.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{
    VideoColorimetry, VideoFrameExt, VideoFrameRef, VideoInfo, VideoTransferFunction,
};

use super::encode::{frames_caps, pad};
use super::failure::Failure;

/// How a source of high dynamic range codes brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hdr {
    /// Absolute, up to 10 000 cd/m².
    Pq,
    /// Relative to the screen.
    Hlg,
}

/// Brightness of a white sheet in a film of high dynamic range, in cd/m² (ITU-R BT.2408, 2.2).
const WHITE: f64 = 203.0;
/// What is brighter is shown as white.
const BRIGHTEST: f64 = 1000.0;
/// Gamma of a screen of the standard range (ITU-R BT.1886).
const GAMMA: f64 = 2.4;
/// Black and the steps to white, as video counts in 8 bits.
const BLACK: f64 = 16.0;
const STEPS: f64 = 219.0;
/// A gain of 1 for [`Curve::gain`].
const ONE: i32 = 256;

impl Hdr {
    /// By what GStreamer says of colours: `bt2100-pq`, or numbers.
    pub fn of(colorimetry: &str) -> Option<Self> {
        match colorimetry.parse::<VideoColorimetry>().ok()?.transfer() {
            VideoTransferFunction::Smpte2084 => Some(Self::Pq),
            VideoTransferFunction::AribStdB67 => Some(Self::Hlg),
            _ => None,
        }
    }
}

/// Has a converter and the filter that ends the scaling behind it make frames of the standard range.
pub fn add(
    convert: &gst::Element,
    filter: &gst::Element,
    hdr: Hdr,
    (width, height): (u32, u32),
) -> Result<(), Failure> {
    convert.set_property_from_str("primaries-mode", "merge-only");
    let mut caps = frames_caps(width, height);
    caps.make_mut().set("colorimetry", "bt709");
    let info = VideoInfo::from_caps(&caps).map_err(|e| Failure::Machine(e.to_string()))?;
    filter.set_property("caps", caps);
    if hdr == Hdr::Hlg {
        return Ok(());
    }
    let curve = Curve::of_pq();
    pad(filter, "src")?.add_probe(gst::PadProbeType::BUFFER, move |pad, data| {
        let Some(buffer) = data.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        // With the rate, which changes nothing of where the bytes lie.
        let info = pad
            .current_caps()
            .and_then(|caps| VideoInfo::from_caps(&caps).ok())
            .unwrap_or_else(|| info.clone());
        if let Ok(mut frame) = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), &info) {
            let side = |number: i32| usize::try_from(number).unwrap_or(0);
            let strides = [0, 1, 2].map(|plane| side(frame.plane_stride()[plane]));
            let size = [frame.width(), frame.height()].map(|n| usize::try_from(n).unwrap_or(0));
            let [luma, blue, red, _] = frame.planes_data_mut();
            curve.apply([luma, blue, red], strides, (size[0], size[1]));
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// What becomes of each brightness, and of the colours beside it.
struct Curve {
    luma: [u8; 256],
    /// By how much a colour at that brightness (before) is made stronger, in parts of [`ONE`].
    gain: [i32; 256],
}

impl Curve {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bound to a byte, and a small gain
    fn of_pq() -> Self {
        let mut curve = Self {
            luma: [0; 256],
            gain: [ONE; 256],
        };
        for (code, luma) in (0_u8..=255).zip(&mut curve.luma) {
            let coded = ((f64::from(code) - BLACK) / STEPS).clamp(0.0, 1.0);
            let shown = shown(nits(coded));
            *luma = (BLACK + STEPS * shown).round() as u8;
            let gain = if coded > 0.02 { shown / coded } else { 0.5 };
            curve.gain[usize::from(code)] = (gain * f64::from(ONE)).round() as i32;
        }
        curve
    }

    /// Changes an I420 picture in place. Colours first: they follow the brightness as it was.
    fn apply(&self, planes: [&mut [u8]; 3], strides: [usize; 3], (width, height): (usize, usize)) {
        let [luma, blue, red] = planes;
        for (plane, stride) in [(blue, strides[1]), (red, strides[2])] {
            for row in 0..height.div_ceil(2) {
                let beside = luma.get(2 * row * strides[0]..).unwrap_or_default();
                let line = plane.get_mut(row * stride..).unwrap_or_default();
                let line = line.iter_mut().take(width.div_ceil(2));
                for (colour, luma) in line.zip(beside.iter().step_by(2)) {
                    let strength = i32::from(*colour) - 128;
                    let changed = 128 + strength * self.gain[usize::from(*luma)] / ONE;
                    *colour = u8::try_from(changed.clamp(16, 240)).unwrap_or(128);
                }
            }
        }
        for line in luma.chunks_mut(strides[0].max(1)).take(height) {
            for value in line.iter_mut().take(width) {
                *value = self.luma[usize::from(*value)];
            }
        }
    }
}

/// Brightness in cd/m² of a PQ value (ITU-R BT.2100, table 4).
fn nits(coded: f64) -> f64 {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;
    let root = coded.powf(1.0 / M2);
    10_000.0 * ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
}

/// What a screen of the standard range gets for a brightness: dark parts as they are, white a little
/// below its own, and room above it for lights (Reinhard's curve with a white point).
fn shown(nits: f64) -> f64 {
    let (light, most) = (nits / WHITE, BRIGHTEST / WHITE);
    let mapped = light * (1.0 + light / (most * most)) / (1.0 + light);
    mapped.clamp(0.0, 1.0).powf(1.0 / GAMMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(nits_wanted: f64) -> usize {
        (16..=235)
            .min_by_key(|code| {
                let coded = (*code as f64 - BLACK) / STEPS;
                ((nits(coded) - nits_wanted).abs() * 1000.0) as u64
            })
            .unwrap()
    }

    #[test]
    fn the_standard_says_which_brightness_a_value_is() {
        // ITU-R BT.2408, table 1: 58 % is 203 cd/m², 75 % is 983 cd/m² (PQ).
        assert!((nits(0.58) - 203.0).abs() < 3.0, "{}", nits(0.58));
        assert!((nits(0.75) - 983.0).abs() < 10.0, "{}", nits(0.75));
        assert!(nits(0.0) < 1e-9 && (nits(1.0) - 10_000.0).abs() < 1e-6);
    }

    #[test]
    fn white_is_bright_black_is_black_and_nothing_changes_places() {
        let curve = Curve::of_pq();
        assert_eq!((curve.luma[0], curve.luma[16]), (16, 16));
        let white = curve.luma[code(203.0)];
        assert!((170..200).contains(&white), "{white}");
        assert_eq!(curve.luma[code(1000.0)], 235);
        assert_eq!(curve.luma[235], 235);
        assert!(curve.luma.is_sorted());
    }

    #[test]
    fn a_grey_picture_stays_grey_and_padding_is_left_alone() {
        let curve = Curve::of_pq();
        let white = u8::try_from(code(203.0)).unwrap();
        let (mut luma, mut blue, mut red) = ([white; 16], [128; 8], [138; 8]);
        curve.apply([&mut luma, &mut blue, &mut red], [8, 4, 4], (3, 2));
        assert_eq!(luma[..3], [curve.luma[usize::from(white)]; 3]);
        assert_eq!((luma[3], luma[8]), (white, curve.luma[usize::from(white)]));
        assert_eq!(blue, [128; 8]);
        assert!(red[0] > 138 && red[1] > 138, "{red:?}");
        assert_eq!(red[2..], [138; 6]);
    }
}
