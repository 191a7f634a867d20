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
    kept: Option<(u64, gst::Buffer, VideoInfo)>,
    /// What the last form of a frame means: it may change on the way.
    form: Option<(gst::Caps, VideoInfo)>,
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
            form: None,
            count: Thinned::default(),
            last_at: 0,
        }
    }

    /// Whether the frame at that time goes on.
    pub fn is_kept(&mut self, at: u64, frame: &gst::Buffer, caps: gst::Caps) -> bool {
        self.count.all += 1;
        self.last_at = at;
        let is_key = self.keys.hit(at);
        let Some(info) = self.info(caps) else {
            return true;
        };
        let shows_the_same = self.kept.as_ref().is_some_and(|(since, kept, form)| {
            at.saturating_sub(*since) < MAX_STILL_NS
                && frames_are_the_same((kept, form), (frame, &info))
        });
        if is_key || !shows_the_same {
            self.kept = Some((at, frame.clone(), info));
            true
        } else {
            self.count.left_out += 1;
            false
        }
    }

    fn info(&mut self, caps: gst::Caps) -> Option<VideoInfo> {
        if self.form.as_ref().is_none_or(|(known, _)| *known != caps) {
            let info = VideoInfo::from_caps(&caps).ok();
            self.form = info.map(|info| (caps, info));
        }
        self.form.as_ref().map(|(_, info)| info.clone())
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
