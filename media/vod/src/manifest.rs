//! What the two manifests share: the captions that they name, and how they name them.

use crate::names::Language;

/// A caption document that manifests offer. The text itself lies beside the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionTrack {
    /// The language of the captions.
    pub language: Language,
    /// What a menu shows: `English`.
    pub label: String,
    /// Counts up with each change of the text, so that caches never show an old one.
    pub revision: u64,
    /// Whether nobody has read over what a machine wrote.
    pub is_machine_made: bool,
}

impl CaptionTrack {
    /// The WebVTT document, relative to the version's key.
    pub fn vtt_file(&self) -> String {
        format!("captions/{}.{}.vtt", self.language, self.revision)
    }

    /// Its HLS playlist, relative to the version's key.
    pub fn playlist_file(&self) -> String {
        format!("captions/{}.{}.m3u8", self.language, self.revision)
    }
}
