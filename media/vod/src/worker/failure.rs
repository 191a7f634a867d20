//! Why a job cannot be done, as sentences for the person who uploaded the file. No path, no element
//! name, no GStreamer domain: those go to the log.

use crate::protocol::Remedy;

/// The end of a job that did not work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing in it.
    #[error("The file is empty. Upload it again from the original.")]
    Empty,
    /// Type detection found nothing that we know.
    #[error(
        "This is not a video or sound file that we can read. Export it as MP4 (H.264 and AAC) and upload that."
    )]
    NotMedia,
    /// A picture under whatever name.
    #[error("This is a still picture ({0}), not a video. Upload a video or a sound recording.")]
    StillPicture(&'static str),
    /// A document, an archive, a text.
    #[error("This is {0}, not a video. Upload a video or a sound recording.")]
    OtherKind(&'static str),
    /// A container without picture and sound.
    #[error("The file holds neither picture nor sound that can be played.")]
    NoStreams,
    /// Ends before its own index says it does.
    #[error("The file is cut short: {0}. Upload it again from the original.")]
    Truncated(String),
    /// Structure broken.
    #[error("The file is damaged and cannot be read{0}. Upload it again from the original.")]
    Damaged(String),
    /// A codec outside our list.
    #[error(
        "The {kind} is coded as {codec}, which we cannot decode. Export it as MP4 (H.264 and AAC) and upload that."
    )]
    UnknownCodec {
        /// "picture" or "sound".
        kind: &'static str,
        /// In words.
        codec: String,
    },
    /// Larger than the house allows.
    #[error("{0}")]
    TooMuch(String),
    /// The output folder refuses, for another reason than [`Failure::NoRoom`].
    #[error(
        "The box could not write the video. Its disk may be failing: whoever runs the box finds the reason in its log."
    )]
    Output,
    /// There is no space in the output folder.
    #[error("The disk is full. Delete what is no longer needed.")]
    NoRoom,
    /// This machine, not the file.
    #[error("The box could not do the work: {0}.")]
    Machine(String),
    /// What an earlier attempt has listed cannot be continued, and may not be changed.
    #[error("The work was interrupted and cannot go on where it was ({0}). It has to begin anew.")]
    CannotResume(&'static str),
    /// No data moved for a long time: the disk, the machine, or the file.
    #[error("The work on this file stood still and was given up{0}. The file may be damaged.")]
    Stalled(String),
}

impl Failure {
    /// A source of which so much less is there than it says that it must be cut short: by a twentieth
    /// and two seconds more.
    pub fn cut_short(said_ns: u64, found_ns: u64) -> Option<Self> {
        const LEAST_NS: u64 = 2_000_000_000;
        let is_short = found_ns.saturating_add(found_ns / 20 + LEAST_NS) < said_ns;
        is_short.then(|| {
            Self::Truncated(format!(
                "it says that it lasts {}, but ends after {}",
                clock(said_ns),
                clock(found_ns)
            ))
        })
    }

    /// What would help.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Output | Self::Machine(_) | Self::Stalled(_) => Remedy::GoOn,
            Self::CannotResume(_) => Remedy::BeginAnew,
            Self::NoRoom => Remedy::Room,
            Self::Empty
            | Self::NotMedia
            | Self::StillPicture(_)
            | Self::OtherKind(_)
            | Self::NoStreams
            | Self::Truncated(_)
            | Self::Damaged(_)
            | Self::UnknownCodec { .. }
            | Self::TooMuch(_) => Remedy::None,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        eprintln!("worker: the output folder: {error}");
        match error.kind() {
            StorageFull | QuotaExceeded => Self::NoRoom,
            _ => Self::Output,
        }
    }
}

/// `1:02:03` or `2:03`.
fn clock(ns: u64) -> String {
    let s = ns / 1_000_000_000;
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_cut_short_beyond_a_twentieth_and_two_seconds() {
        const S: u64 = 1_000_000_000;
        for (said, found, is_short) in [
            (0, 0, false),
            (2 * S, 0, false),
            (20 * S, 18 * S, false),
            (20 * S, 17 * S, true),
            (3600 * S, 3427 * S, false),
            (3600 * S, 3426 * S, true),
            (60 * S, u64::MAX, false),
        ] {
            assert_eq!(
                Failure::cut_short(said, found).is_some(),
                is_short,
                "{said} {found}"
            );
        }
        let failure = Failure::cut_short(3_723 * S, 123 * S).unwrap();
        assert!(failure.to_string().contains("1:02:03, but ends after 2:03"));
        assert_eq!(failure.remedy(), Remedy::None);
    }

    #[test]
    fn a_full_disk_asks_for_room_and_no_sentence_names_an_error_of_the_system() {
        let full = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(full.remedy(), Remedy::Room);
        let other = Failure::from(std::io::Error::from_raw_os_error(5));
        assert_eq!(other.remedy(), Remedy::GoOn);
        assert!(!other.to_string().contains("os error"));
    }
}
