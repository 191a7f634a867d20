//! What the two manifests share: the captions and the sounds that they name, and how they name them.

use crate::names::Language;
use crate::package::{Package, TrackKind};

/// The sound that plays unless somebody chooses another.
pub(crate) const MAIN_SOUND: &str = "a1";

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

/// What menus show of each sound track that has begun, in the order of [`Package::audio`]; no two alike.
pub(crate) fn sound_names(package: &Package) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for track in package.audio() {
        let name = match &track.kind {
            TrackKind::Audio {
                label: Some(label), ..
            } => label.as_str().to_owned(),
            TrackKind::Audio {
                language: Some(language),
                ..
            } => format!("Sound ({language})"),
            _ => "Sound".to_owned(),
        };
        // A quoted string of HLS holds neither quotes nor line ends (RFC 8216, 4.2).
        let name = name.replace('"', "'");
        let is_free = |name: &String| !names.contains(name);
        let free = (2..)
            .map(|number| format!("{name} {number}"))
            .find(is_free)
            .filter(|_| names.contains(&name));
        names.push(free.unwrap_or(name));
    }
    names
}
