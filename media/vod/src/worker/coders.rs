//! How each encoder is told to hold a quality, and to make key frames only where they are asked for. Which of their
//! properties an element has depends on its version and on what its driver can do: what it lacks is passed over, and
//! whether the rest is enough the trial shows ([`super::trial`]).

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

use super::elements::make;
use super::failure::Failure;
use super::tuning::{Shown, tuning};
use crate::hardware::ask::Offer;
use crate::hardware::{Codec, Family};

/// What an encoder is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// H.264's quantizer, 0 to 51, or what is as good; none: as a film's first rung has it.
    pub quality: Option<u32>,
    /// Never more than that.
    pub most_kbps: u32,
}

/// So many frames lie between key frames that nobody asks for.
const FAR: u32 = 1000;

/// Makes an encoder.
pub fn encoder(family: Option<Family>, offer: &Offer, wish: Wish) -> Result<gst::Element, Failure> {
    let element = make(&offer.element)?;
    for (property, values) in settings(family, offer.codec, wish) {
        set(&element, property, &values);
    }
    Ok(element)
}

/// Sets a property to the first of these values that the element knows.
fn set(element: &gst::Element, property: &str, values: &[String]) {
    let Some(spec) = element.find_property(property) else {
        return;
    };
    if !spec.flags().contains(glib::ParamFlags::WRITABLE) {
        return;
    }
    let known = |value: &String| glib::Value::deserialize_with_pspec(value, &spec).ok();
    if let Some(value) = values.iter().find_map(known) {
        element.set_property_from_value(property, &value);
    }
}

type Settings = Vec<(&'static str, Vec<String>)>;

/// Properties and their values, of which the first that is known counts. Pure.
fn settings(family: Option<Family>, codec: Codec, wish: Wish) -> Settings {
    let Some(family) = family else {
        return software(codec, wish);
    };
    let quality = wish.quality.unwrap_or(23);
    let q = || vec![quality.to_string()];
    let far = || vec![FAR.to_string()];
    let most = || vec![wish.most_kbps.to_string()];
    let word = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match family {
        Family::Nvidia => vec![
            ("preset", word(&["hq"])),
            ("rc-mode", word(&["vbr"])),
            ("const-quality", q()),
            ("max-bitrate", most()),
            ("gop-size", word(&["-1"])),
            ("bframes", word(&["0"])),
        ],
        Family::Qsv => vec![
            ("rate-control", word(&["qvbr", "icq", "cqp"])),
            ("qvbr-quality", q()),
            ("icq-quality", q()),
            ("qp-i", q()),
            ("qp-p", q()),
            ("bitrate", most()),
            ("max-bitrate", most()),
            ("gop-size", far()),
            ("b-frames", word(&["0"])),
        ],
        Family::Vaapi => vec![
            ("rate-control", word(&["qvbr", "icq", "cqp"])),
            ("qpi", q()),
            ("qpp", q()),
            ("bitrate", most()),
            ("key-int-max", far()),
            ("b-frames", word(&["0"])),
        ],
        // Such chips hold a rate and no quality.
        Family::V4l2 => {
            let bps = u64::from(wish.most_kbps) * 1000 * 2 / 3;
            let controls = format!("controls,video_bitrate={bps},video_gop_size={FAR}");
            vec![("extra-controls", vec![controls])]
        }
    }
}

fn software(codec: Codec, wish: Wish) -> Settings {
    let film = tuning(Shown {
        share: 1.0,
        is_still: false,
        is_steady: true,
    });
    let quality = wish.quality.unwrap_or(film.crf);
    let q = || vec![quality.to_string()];
    let far = || vec![FAR.to_string()];
    let most = || vec![wish.most_kbps.to_string()];
    let word = |word: &str| vec![word.to_owned()];
    match codec {
        Codec::H264 => vec![
            ("pass", word("qual")),
            ("quantizer", q()),
            ("bitrate", most()),
            ("vbv-buf-capacity", word("2000")),
            ("speed-preset", word("veryfast")),
            ("key-int-max", far()),
            ("option-string", vec![film.options]),
        ],
        Codec::H265 => vec![
            ("speed-preset", word("ultrafast")),
            ("key-int-max", far()),
            (
                "option-string",
                vec![format!("crf={quality}:scenecut=0:open-gop=0")],
            ),
        ],
        Codec::Vp8 | Codec::Vp9 => vec![
            ("deadline", word("1")),
            ("cpu-used", word("8")),
            ("end-usage", word("cq")),
            ("cq-level", q()),
            (
                "target-bitrate",
                vec![(u64::from(wish.most_kbps) * 1000).to_string()],
            ),
            ("keyframe-max-dist", far()),
        ],
        Codec::Av1 => vec![
            ("usage-profile", word("realtime")),
            ("cpu-used", word("8")),
            ("end-usage", word("vbr")),
            ("target-bitrate", most()),
            ("keyframe-max-dist", far()),
            ("row-mt", word("true")),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chip_is_told_its_quality_its_most_and_to_leave_key_frames_alone() {
        let wish = Wish {
            quality: Some(31),
            most_kbps: 4321,
        };
        for family in Family::ALL {
            let said = format!("{:?}", settings(Some(family), Codec::H264, wish));
            let holds_a_rate = family == Family::V4l2;
            assert!(holds_a_rate || said.contains("31"), "{said}");
            assert!(holds_a_rate || said.contains("4321"), "{said}");
            assert!(said.contains("gop") || said.contains("key-int"), "{said}");
        }
    }
}
