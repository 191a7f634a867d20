//! What `play` answers, as the API describes it.

use jiff::Timestamp;
use lectern_analytics::Progress;
use lectern_library::{TextInfo, TextKind, VersionInfo, Video};
use lectern_lms::{CompletionRule, DeviceId, Viewing};
use lectern_vod::package::Package;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::chapters::{self, ChapterShape};
use crate::api::texts::label;
use crate::api::time;
use crate::app::App;
use crate::client::Client;
use crate::problem::Problem;

/// A viewing that has begun
#[derive(Serialize, ToSchema)]
#[schema(as = Play)]
pub(super) struct PlayOut {
    /// The version played
    version: u32,
    /// The HLS manifest, with a token for where no cookie goes
    hls: String,
    /// The DASH manifest, likewise
    dash: String,
    /// Until when these two addresses work
    #[schema(format = DateTime)]
    expires: String,
    /// The box's time now
    #[schema(format = DateTime)]
    now: String,
    /// `object.id` of the statements
    activity_id: String,
    /// Actor of the statements
    actor: ActorOut,
    /// `context.registration` of the statements
    registration: uuid::Uuid,
    /// Where to go on
    resume_ms: u32,
    /// Where the statements go
    xapi: XapiOut,
    /// The video's title
    title: String,
    /// The language spoken in it, BCP 47; empty when unknown
    language: String,
    /// Its length
    duration_ms: u64,
    /// Address of the poster, once there is one
    poster: Option<String>,
    /// Pictures for the seek bar, once there are some
    storyboard: Option<StoryboardOut>,
    /// Captions, by language
    captions: Vec<TextTrackOut>,
    /// Descriptions of what is seen, to be spoken or read out, by language
    descriptions: Vec<TextTrackOut>,
    /// Where its parts begin, in ascending order
    chapters: Vec<ChapterShape>,
    /// What was played so far, to go on from
    played_segments: String,
    /// What of it was hidden
    hidden_segments: String,
    /// What of it was muted
    muted_segments: String,
    /// Share of the runtime seen so far, 0 to 1
    watched: f64,
    /// Whether a player said `completed` in this registration: it is said once, whatever the rule says now
    completed: bool,
    /// The box's rule
    completion: CompletionOut,
    /// Whether there is a newer version to watch
    versions_newer: bool,
    /// The device's own id, where nobody is signed in: send it with the next `play`
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// The actor of a learner: an account that says nothing about the person
#[derive(Serialize, ToSchema)]
#[schema(as = PlayActor)]
#[serde(rename_all = "camelCase")]
struct ActorOut {
    /// `Agent`
    object_type: &'static str,
    /// The account
    account: AccountOut,
}

/// An account on this box
#[derive(Serialize, ToSchema)]
#[schema(as = PlayAccount)]
#[serde(rename_all = "camelCase")]
struct AccountOut {
    /// The box's identity
    home_page: String,
    /// An opaque id
    name: String,
}

/// Where the statements of a viewing go
#[derive(Serialize, ToSchema)]
#[schema(as = PlayXapi)]
struct XapiOut {
    /// xAPI endpoint
    endpoint: String,
    /// Bearer token: writes statements and state of this actor, registration and activity alone
    token: String,
    /// Until when it works
    #[schema(format = DateTime)]
    expires: String,
}

/// Small pictures on sheets: picture i shows `i * interval_ms`, row by row
#[derive(Serialize, ToSchema)]
#[schema(as = Storyboard)]
struct StoryboardOut {
    /// Time between two pictures
    interval_ms: u64,
    /// Width of a picture in pixels
    width: u32,
    /// Height of a picture in pixels
    height: u32,
    /// Pictures side by side
    columns: u32,
    /// Rows on a sheet
    rows: u32,
    /// The sheets' addresses, in order
    sheets: Vec<String>,
}

/// Captions or descriptions in a language
#[derive(Serialize, ToSchema)]
#[schema(as = PlayTextTrack)]
struct TextTrackOut {
    /// BCP 47
    language: String,
    /// The language's name in itself
    label: String,
    /// Address of the WebVTT
    url: String,
    /// Counts up with each text
    revision: u32,
    /// Whether a machine wrote it and no person has read it over
    machine_made: bool,
}

/// When a video is completed
#[derive(Serialize, ToSchema)]
#[schema(as = Completion)]
struct CompletionOut {
    /// `watched`: by share of the distinct runtime while visible; `end`: by reaching the end
    rule: &'static str,
    /// The share, 0 to 1; 1 when the end alone counts
    threshold: f64,
}

/// Everything that the answer is made of.
pub(super) struct Found {
    pub identity: String,
    pub activity: String,
    pub rule: CompletionRule,
    pub video: Video,
    pub version: VersionInfo,
    pub progress: Progress,
    pub said_completed: bool,
    pub begun: Viewing,
    pub device: Option<DeviceId>,
    pub media_expires: Timestamp,
    pub viewing_expires: Timestamp,
    pub now: Timestamp,
}

impl PlayOut {
    /// Puts the answer together. Blocking.
    pub(super) fn new(app: &App, client: &Client, found: &Found) -> Result<Self, Problem> {
        let (video, version) = (&found.video, &found.version);
        let folder = format!("/media/{}/{}", video.id, version.version);
        let keyed = format!("{folder}/{}", version.key);
        let token = &found.begun.media_token;
        let package = app.packages.get(&app.library, video.id, version)?;
        let texts = |kind: TextKind| {
            let track = |info: TextInfo| TextTrackOut {
                label: label(&info),
                revision: info.revision,
                machine_made: info.machine.is_some(),
                url: format!(
                    "{keyed}/{}/{}.{}.vtt",
                    kind.name(),
                    info.language,
                    info.revision
                ),
                language: info.language,
            };
            let infos = app.library.texts(kind).list(video.id)?;
            Ok::<Vec<_>, Problem>(infos.into_iter().map(track).collect())
        };
        let registration = &found.begun.registration;
        let newest = video.newest_watchable().map(|newest| newest.version);
        let (rule, threshold) = match found.rule {
            CompletionRule::Watched { percent } => ("watched", f64::from(percent) / 100.0),
            CompletionRule::End => ("end", 1.0),
        };
        Ok(Self {
            version: version.version,
            hls: format!("{folder}/master.m3u8?token={token}"),
            dash: format!("{folder}/manifest.mpd?token={token}"),
            expires: time::text(found.media_expires),
            now: time::text(found.now),
            activity_id: found.activity.clone(),
            actor: ActorOut {
                object_type: "Agent",
                account: AccountOut {
                    home_page: found.identity.clone(),
                    name: registration.actor.clone(),
                },
            },
            registration: registration.registration,
            resume_ms: found.progress.resume_ms,
            xapi: XapiOut {
                endpoint: format!("{}/xapi/", client.origin()),
                token: found.begun.viewing_token.clone(),
                expires: time::text(found.viewing_expires),
            },
            title: video.title.clone(),
            language: video.language.clone(),
            duration_ms: version.duration_ms.unwrap_or(0),
            poster: package
                .as_ref()
                .filter(|package| package.poster.is_some())
                .map(|_| format!("{keyed}/{}", Package::POSTER_FILE)),
            storyboard: package
                .as_ref()
                .and_then(|package| storyboard(package, &keyed)),
            captions: texts(TextKind::Captions)?,
            descriptions: texts(TextKind::Descriptions)?,
            chapters: chapters::list(&app.library, video.id)?,
            played_segments: found.progress.played_segments.clone(),
            hidden_segments: found.progress.hidden_segments.clone(),
            muted_segments: found.progress.muted_segments.clone(),
            watched: found.progress.watched,
            completed: found.said_completed,
            completion: CompletionOut { rule, threshold },
            versions_newer: newest.is_some_and(|newest| newest > version.version),
            device: found.device.as_ref().map(|id| id.as_str().to_owned()),
        })
    }
}

fn storyboard(package: &Package, keyed: &str) -> Option<StoryboardOut> {
    let board = package.storyboard.as_ref()?;
    let sheet = |number| format!("{keyed}/{}", Package::storyboard_file(number));
    Some(StoryboardOut {
        interval_ms: board.interval_ms,
        width: board.width,
        height: board.height,
        columns: board.columns,
        rows: board.rows,
        sheets: (1..=board.sheets).map(sheet).collect(),
    })
}
