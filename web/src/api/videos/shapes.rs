//! Videos and versions as the API prints them.

use lectern_library::{VersionState, Visibility};
use lectern_vod::package::Made;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::texts::TextTrackOut;

/// Who may watch
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = Visibility)]
pub(super) enum VisibilityName {
    /// The owner
    Private,
    /// The people named
    Named,
    /// Every signed-in person
    Members,
    /// Whoever reaches the box
    Open,
}

/// How far a version is
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = VersionState)]
pub(super) enum StateName {
    /// Its job waits
    Queued,
    /// Nothing can be watched yet
    Processing,
    /// It can be watched; more renditions come
    Playable,
    /// Whole, for good
    Ready,
    /// `error` says why
    Failed,
}

/// How a rendition was made
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = Made)]
pub(super) enum MadeName {
    /// Encoded anew
    Encoded,
    /// The source's own pictures
    Remuxed,
}

/// A video in a list, with the state of its newest version
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoItem)]
pub(super) struct VideoItem {
    /// Id
    #[schema(value_type = uuid::Uuid)]
    pub(super) id: String,
    /// For people
    pub(super) title: String,
    /// BCP 47; empty when unknown
    pub(super) language: String,
    /// Who may watch
    #[schema(value_type = VisibilityName)]
    pub(super) visibility: Visibility,
    /// Whose it is
    pub(super) owner: String,
    /// Their name; empty when they are gone
    pub(super) owner_name: String,
    /// When it was added
    #[schema(format = DateTime)]
    pub(super) created: String,
    /// `object.id` of its statements
    pub(super) activity_id: String,
    /// The newest version's number
    pub(super) version: u32,
    /// How far that is
    #[schema(value_type = StateName)]
    pub(super) state: VersionState,
    /// 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    pub(super) progress: f32,
    /// Until it is ready, as the worker guesses
    pub(super) eta_ms: Option<u64>,
    /// Length, once known
    pub(super) duration_ms: Option<u64>,
    /// Why it failed
    pub(super) error: Option<String>,
    /// Why it waits, when it does not only wait for its turn
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting_for: Option<String>,
    /// Renditions that are whole
    pub(super) renditions_done: usize,
    /// Renditions that there will be
    pub(super) renditions_total: usize,
    /// Address of the poster, for those who may watch
    pub(super) poster: Option<String>,
    /// Languages it has captions in
    pub(super) captions: Vec<String>,
    /// Whether captions that a machine made wait for somebody to read them over
    pub(super) needs_review: bool,
    /// What the caller has watched of it; null when nothing
    pub(super) mine: Option<MineOut>,
    /// Whether the caller may change it
    pub(super) may_edit: bool,
}

/// What the caller has watched
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mine)]
pub(super) struct MineOut {
    /// Share of the runtime seen at least once, 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    pub(super) watched: f64,
    /// What was seen at least once, in seconds
    pub(super) segments: Vec<[f64; 2]>,
    /// What was seen at least twice, in seconds
    pub(super) replayed: Vec<[f64; 2]>,
    /// Whether it is completed, by the box's rule
    pub(super) completed: bool,
    /// Where to go on
    pub(super) resume_ms: u32,
}

/// A video with its versions
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Video)]
pub(super) struct VideoOut {
    /// Id
    #[schema(value_type = uuid::Uuid)]
    pub(super) id: String,
    /// For people
    pub(super) title: String,
    /// BCP 47; empty when unknown
    pub(super) language: String,
    /// Who may watch
    #[schema(value_type = VisibilityName)]
    pub(super) visibility: Visibility,
    /// `object.id` of its statements
    pub(super) activity_id: String,
    /// Whose it is
    pub(super) owner: String,
    /// Their name; empty when they are gone
    pub(super) owner_name: String,
    /// When it was added
    #[schema(format = DateTime)]
    pub(super) created: String,
    /// Newest first
    pub(super) versions: Vec<VersionOut>,
    /// Captions
    pub(super) captions: Vec<TextTrackOut>,
    /// Descriptions of what is seen
    pub(super) descriptions: Vec<TextTrackOut>,
    /// The people who may watch when it is `named`; for those who may change it
    pub(super) people: Vec<NamedPerson>,
    /// What the caller has watched of it; null when nothing
    pub(super) mine: Option<MineOut>,
    /// Whether the caller may change it
    pub(super) may_edit: bool,
    /// Whether the caller may see who watched
    pub(super) may_see_who: bool,
}

/// Somebody by name
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedPerson {
    /// Id
    pub(super) id: String,
    /// Name; empty when they are gone
    pub(super) name: String,
}

/// One attached source and what became of it
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub(super) struct VersionOut {
    /// 1, 2, 3…
    pub(super) version: u32,
    /// How far it is
    #[schema(value_type = StateName)]
    pub(super) state: VersionState,
    /// 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    pub(super) progress: f32,
    /// Until it is ready, as the worker guesses
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) eta_ms: Option<u64>,
    /// Length, once known
    pub(super) duration_ms: Option<u64>,
    /// Why it failed
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Why it waits, when it does not only wait for its turn
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting_for: Option<String>,
    /// Until when, where that is known
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(super) waiting_until: Option<String>,
    /// Whether it only waits for hours that `hurry` lets it pass over
    pub(super) can_hurry: bool,
    /// What was found in the source, and what was decided
    pub(super) report: serde_json::Value,
    /// What there is to play so far
    pub(super) renditions: Vec<RenditionOut>,
    /// Address of the poster, for those who may watch
    pub(super) poster: Option<String>,
    /// Pictures for the seek bar, for those who may watch
    pub(super) storyboard: Option<StoryboardOut>,
    /// When the source was attached
    #[schema(format = DateTime)]
    pub(super) created: String,
    /// What the uploader called the file; for those who may change the video
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original_name: Option<String>,
    /// SHA-256 of init and segment files, fixed at ready
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package_hash: Option<String>,
}

/// One rendition
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rendition)]
pub(super) struct RenditionOut {
    /// Pixels; 0 for sound alone
    pub(super) width: u32,
    /// Pixels; 0 for sound alone
    pub(super) height: u32,
    /// Of a sound, BCP 47, where it is known
    pub(super) language: Option<String>,
    /// What the file calls a sound
    pub(super) label: Option<String>,
    /// Mean bit rate of what there is
    pub(super) bitrate_bps: u64,
    /// RFC 6381
    pub(super) codecs: String,
    /// How it was made
    #[schema(value_type = MadeName)]
    pub(super) made: Made,
    /// Why so
    pub(super) reason: String,
    /// Whether it is whole
    pub(super) complete: bool,
}

/// Pictures for the seek bar, on sheets
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Storyboard)]
pub(super) struct StoryboardOut {
    /// A picture every so often
    pub(super) interval_ms: u64,
    /// Pixels of one picture
    pub(super) width: u32,
    /// Pixels of one picture
    pub(super) height: u32,
    /// Pictures in a row of a sheet
    pub(super) columns: u32,
    /// Rows of a sheet
    pub(super) rows: u32,
    /// Addresses of the sheets
    pub(super) sheets: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_state_as_the_rooms_print_them() {
        use VersionState as S;
        for visibility in [
            Visibility::Private,
            Visibility::Named,
            Visibility::Members,
            Visibility::Open,
        ] {
            serde_json::from_value::<VisibilityName>(serde_json::to_value(visibility).unwrap())
                .unwrap();
        }
        for state in [S::Queued, S::Processing, S::Playable, S::Ready, S::Failed] {
            serde_json::from_value::<StateName>(serde_json::to_value(state).unwrap()).unwrap();
        }
        for made in [Made::Encoded, Made::Remuxed] {
            serde_json::from_value::<MadeName>(serde_json::to_value(made).unwrap()).unwrap();
        }
    }
}
