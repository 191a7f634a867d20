//! What the two manifests share: the texts and the sounds that they name, and how they name them.

use crate::names::Language;
use crate::package::{Package, TrackKind};

/// The sound that plays unless somebody chooses another.
pub(crate) const MAIN_SOUND: &str = "a1";

/// What a text in time is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTrackKind {
    /// What is said and heard.
    Captions,
    /// What is seen, to be spoken. DASH has a role for it (`description`, ISO/IEC 23009-1, 5.8.5.5); HLS knows
    /// descriptions as sound alone, so that its manifest leaves texts out.
    Descriptions,
}

impl TextTrackKind {
    /// The folder of its documents.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Captions => "captions",
            Self::Descriptions => "descriptions",
        }
    }
}

/// A text in time that manifests offer. The document itself lies beside the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTrack {
    /// What it is for.
    pub kind: TextTrackKind,
    /// Its language.
    pub language: Language,
    /// What a menu shows: `English`.
    pub label: String,
    /// Counts up with each change of the text, so that caches never show an old one.
    pub revision: u64,
    /// Whether nobody has read over what a machine wrote.
    pub is_machine_made: bool,
}

impl TextTrack {
    /// The WebVTT document, relative to the version's key.
    pub fn vtt_file(&self) -> String {
        format!(
            "{}/{}.{}.vtt",
            self.kind.folder(),
            self.language,
            self.revision
        )
    }

    /// Its HLS playlist, relative to the version's key.
    pub fn playlist_file(&self) -> String {
        format!(
            "{}/{}.{}.m3u8",
            self.kind.folder(),
            self.language,
            self.revision
        )
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
