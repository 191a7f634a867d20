//! Chips that decode and encode: which of them this machine has, found by trying each with a test clip, and for each
//! that cannot be used the reason, in words.
//!
//! The daemon's half. It reads what the system says ([`facts`]), has a child do what needs a driver ([`ask`]) and
//! says why something is not to be had ([`refusal`]). Drivers are loaded in the child only ([`crate::worker::trial`]):
//! one that crashes takes a trial with it and nothing else.

pub mod ask;
pub mod facts;
pub mod refusal;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use ask::{Answer, Ask, Asker, Clip, Offer};
use facts::Machine;
use refusal::Refusal;

/// A way to a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// NVENC and NVDEC, NVIDIA's own.
    Nvidia,
    /// Quick Sync, Intel's own.
    Qsv,
    /// The interface of Mesa and Intel for all graphics chips.
    Vaapi,
    /// The kernel's interface for the chips of small boards.
    V4l2,
}

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
    /// AOMedia AV1.
    Av1,
    /// VP8 (RFC 6386).
    Vp8,
    /// VP9.
    Vp9,
}

/// What is done with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Frames in, a stream out.
    Encode,
    /// A stream in, frames out.
    Decode,
}

/// What this machine's chips can do: the capability file. It holds as long as `version` and `machine` do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Lectern's version.
    pub version: String,
    /// When it was tried.
    pub made: Timestamp,
    /// The machine, as it was then.
    pub machine: Machine,
    /// Each way to a chip.
    pub families: Vec<FamilyReport>,
}

/// What one way to a chip leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyReport {
    /// Which.
    pub family: Family,
    /// Why it leads nowhere, or to no encoder; none where it leads to one, usable or not.
    pub refusal: Option<Refusal>,
    /// What it offers.
    pub coders: Vec<Coder>,
}

/// One element of GStreamer that offers a chip's work, and what came of trying it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coder {
    /// What is offered.
    #[serde(flatten)]
    pub offer: Offer,
    /// What came of it.
    pub trial: Trial,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trial {
    /// The test clip went through and came back as itself.
    Works {
        /// Frames a second of the test clip, [`TEST_CLIP`].
        frames_per_second: f64,
        /// How near what came back is to what went in.
        psnr_db: f64,
    },
    /// It cannot be used.
    Refused(Refusal),
}

/// What each coder is tried with: two seconds with a key frame asked for in the middle.
pub const TEST_CLIP: Clip = Clip {
    width: 1280,
    height: 720,
    frames_per_second: 25,
    frames: 50,
};

impl Family {
    /// Each way, the one to be preferred first.
    pub const ALL: [Self; 4] = [Self::Nvidia, Self::Qsv, Self::Vaapi, Self::V4l2];

    /// For a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Nvidia => "NVIDIA (NVENC, NVDEC)",
            Self::Qsv => "Intel Quick Sync",
            Self::Vaapi => "VA-API (Intel, AMD and others)",
            Self::V4l2 => "V4L2 (chips of small boards)",
        }
    }

    /// GStreamer's plugin, as in the name of its file.
    #[must_use]
    pub fn plugin(self) -> &'static str {
        match self {
            Self::Nvidia => "nvcodec",
            Self::Qsv => "qsv",
            Self::Vaapi => "va",
            Self::V4l2 => "video4linux2",
        }
    }
}

impl Codec {
    /// For a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Av1 => "AV1",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        }
    }
}

impl Capabilities {
    /// Tries all there is. Takes some seconds for each chip; without one, a second.
    #[must_use]
    pub fn find(asker: &Asker, machine: Machine, version: &str, now: Timestamp) -> Self {
        let families = Family::ALL.map(|family| FamilyReport::find(family, asker, &machine));
        Self {
            version: version.to_owned(),
            made: now,
            machine,
            families: families.into(),
        }
    }

    /// Whether it would come out the same if all were tried again.
    #[must_use]
    pub fn holds_for(&self, machine: &Machine, version: &str) -> bool {
        self.version == version && self.machine == *machine
    }

    /// What works.
    pub fn working(&self) -> impl Iterator<Item = (Family, &Offer)> {
        self.families.iter().flat_map(|report| {
            let works = |coder: &&Coder| matches!(coder.trial, Trial::Works { .. });
            let coders = report.coders.iter().filter(works);
            coders.map(|coder| (report.family, &coder.offer))
        })
    }
}

impl FamilyReport {
    fn find(family: Family, asker: &Asker, machine: &Machine) -> Self {
        let without = |refusal| Self {
            family,
            refusal: Some(refusal),
            coders: Vec::new(),
        };
        // Without a chip there is nothing to load a driver for.
        if let Some(refusal) = Refusal::known_before(family, machine) {
            return without(refusal);
        }
        let (offers, said) = match asker.ask(&Ask::Offers { family }) {
            Ok(Answer::Offers { offers, said }) => (offers, said),
            Ok(Answer::Refused(refusal)) | Err(refusal) => return without(refusal),
            Ok(Answer::Coded(_)) => return without(Refusal::OffersNothing { said: None }),
        };
        if offers.is_empty() {
            return without(Refusal::nothing_offered(family, machine, said));
        }
        let encodes = offers.iter().any(|offer| offer.work == Work::Encode);
        let coders = offers.into_iter().map(|offer| {
            let ask = Ask::Code {
                family: Some(family),
                offer: offer.clone(),
                clip: TEST_CLIP,
                film: None,
                streams: 1,
                quality: None,
            };
            let trial = match asker.ask(&ask) {
                Ok(Answer::Coded(coded)) => Trial::Works {
                    frames_per_second: coded.frames_per_second(),
                    psnr_db: coded.psnr_db,
                },
                Ok(Answer::Refused(refusal)) | Err(refusal) => Trial::Refused(refusal),
                Ok(Answer::Offers { .. }) => Trial::Refused(Refusal::OffersNothing { said: None }),
            };
            Coder { offer, trial }
        });
        Self {
            family,
            refusal: (!encodes).then_some(Refusal::NoEncoder),
            coders: coders.collect(),
        }
    }
}
