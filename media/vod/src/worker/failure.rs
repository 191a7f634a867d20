//! Why a job cannot be done, as sentences for the person who uploaded the file. No path, no element
//! name, no GStreamer domain: those go to the log.

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
    /// The output folder refuses.
    #[error("The box could not write the video: {0}. When there is space again, retry.")]
    Output(#[from] std::io::Error),
    /// This machine, not the file.
    #[error("The box could not do the work: {0}.")]
    Machine(String),
    /// What an earlier attempt has listed cannot be continued, and may not be changed.
    #[error("The work was interrupted and cannot go on where it was ({0}). It has to begin anew.")]
    CannotResume(&'static str),
    /// No data moved for a long time.
    #[error("The work on this file stood still and was given up{0}. The file may be damaged.")]
    Stalled(String),
}

impl Failure {
    /// Whether another attempt with the same file may end better; one from the beginning, under a new
    /// key, where this one was to go on.
    pub fn is_retriable(&self) -> bool {
        matches!(
            self,
            Self::Output(_) | Self::Machine(_) | Self::CannotResume(_)
        )
    }
}
