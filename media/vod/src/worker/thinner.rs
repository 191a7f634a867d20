//! Leaves out frames that show nothing new ([`super::stillness`]), but for those that a key frame, and so a
//! segment, is to begin with, and for one each half second, so that what a coder makes better of a picture
//! that stands still is seen, and a player that seeks never decodes far.

use gstreamer as gst;
use gstreamer_video::VideoInfo;

use super::glance::frames_are_the_same;
use super::timeline::{MAX_STILL_NS, Marks};
use crate::names::Sentence;

/// Decides about each frame.
pub struct Thinner {
    keys: Marks,
    kept: Option<(u64, gst::Buffer)>,
    info: Option<VideoInfo>,
    count: Thinned,
    /// Of the last frame that came, kept or not.
    last_at: u64,
}

/// What became of the frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thinned {
    /// All that came.
    pub all: u64,
    /// Those that were left out.
    pub left_out: u64,
}

impl Thinner {
    /// Keeps the frames that these marks ask for.
    pub fn new(keys: Marks) -> Self {
        Self {
            keys,
            kept: None,
            info: None,
            count: Thinned::default(),
            last_at: 0,
        }
    }

    /// Whether the frame at that time goes on.
    pub fn is_kept(&mut self, at: u64, frame: &gst::Buffer, caps: &gst::CapsRef) -> bool {
        self.count.all += 1;
        self.last_at = at;
        let is_key = self.keys.hit(at);
        if self.info.is_none() {
            self.info = VideoInfo::from_caps(caps).ok();
        }
        let is_new = match (&self.kept, &self.info) {
            (Some((since, kept)), Some(info)) => {
                at.saturating_sub(*since) >= MAX_STILL_NS
                    || !frames_are_the_same((kept, info), (frame, info))
            }
            _ => true,
        };
        if is_key || is_new {
            self.kept = Some((at, frame.clone()));
            true
        } else {
            self.count.left_out += 1;
            false
        }
    }

    /// When the last frame was to be shown, kept or not.
    pub fn last_at(&self) -> u64 {
        self.last_at
    }

    /// So far.
    pub fn count(&self) -> Thinned {
        self.count
    }
}

impl Thinned {
    /// For the report.
    pub fn note(self) -> Option<Sentence> {
        (self.left_out > 0).then(|| {
            Sentence::new(format!(
                "{} of {} frames showed nothing new and were left out.",
                self.left_out, self.all
            ))
        })
    }
}
