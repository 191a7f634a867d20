//! A viewing: what a player needs to show a version, to go on where the learner left, and to write
//! what is watched under the learner's registration and nothing else.

mod answer;
mod device;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use jiff::{SignedDuration, Timestamp};
use lectern_analytics::Progress;
use lectern_library::{VersionInfo, Video, VideoId};
use lectern_lms::{DeviceId, NewViewing, Person, Viewer};
use lectern_xapi::Ifi;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access;
use crate::api::insight::rule_of;
use crate::api::videos::activity_id;
use crate::app::App;
use crate::auth::{By, Caller};
use crate::client::Client;
use crate::extract::{Segments, blocking};
use crate::problem::{Problem, ProblemDocument, Status};
use answer::{Found, PlayOut};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(play))
}

/// How long the addresses of the manifests work.
const MEDIA_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// A device may be without network for so long after the session has ended, and what was watched
/// still arrives (`docs/contract.md`, *A video's statements*).
const VIEWING_OUTLIVES: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What to play
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = PlayRequest)]
pub(super) struct PlayIn {
    /// Another version than the one the learner is on
    version: Option<u32>,
    /// The id that this device keeps, where nobody is signed in and no cookie is kept
    #[schema(min_length = 32, max_length = 32)]
    device: Option<String>,
}

/// Begin a viewing
///
/// A learner stays on the version they began; whoever has played nothing yet gets the newest. Videos
/// that are `open` are played without signing in, under a random id in the cookie `lectern_device`.
#[utoipa::path(post, path = "/api/v1/videos/{id}/play", tag = "videos", security(()), params(("id" = uuid::Uuid, Path)),
    request_body = PlayIn, responses(
    (status = 200, description = "The viewing", body = PlayOut),
    (status = 401, description = "Sign in first", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 403, description = "Not for this person", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "No such video or version", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "Nothing can be played yet", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Too many viewings; see Retry-After", body = ProblemDocument, content_type = "application/problem+json")))]
async fn play(
    State(app): State<App>,
    caller: Option<Caller>,
    client: Client,
    Segments(id): Segments<VideoId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked = parse(&body)?;
    let device = match &caller {
        Some(_) => None,
        None => {
            let kept = asked.device.as_deref().and_then(DeviceId::parse);
            let kept = kept.or_else(|| device::of(&headers));
            Some(kept.unwrap_or_else(DeviceId::random))
        }
    };
    let cookie = device.as_ref().map(device::set).transpose()?;
    let answer = blocking(move || begin(&app, &client, caller, device, id, asked.version)).await?;
    let mut response = Json(answer).into_response();
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        out.append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// An empty body asks for nothing in particular.
fn parse(body: &[u8]) -> Result<PlayIn, Problem> {
    if body.is_empty() {
        return Ok(PlayIn::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(format!("The JSON in the request is not right: {error}."))
    })
}

fn begin(
    app: &App,
    client: &Client,
    caller: Option<Caller>,
    device: Option<DeviceId>,
    id: VideoId,
    wanted: Option<u32>,
) -> Result<PlayOut, Problem> {
    let now = app.now();
    let video = app.library.video(id)?;
    let person = caller.as_ref().map(|caller| &caller.person);
    may_play(&video, person)?;
    let viewer = match (&caller, &device) {
        (Some(caller), _) => Viewer::Person(caller.id()),
        (None, Some(device)) => Viewer::Device(device.clone()),
        (None, None) => return Err(Problem::unauthorized()),
    };
    let identity = app.lms.identity()?;
    let activity = activity_id(&identity, id);
    let rule = app.lms.settings()?.completion_rule;

    let known = app.lms.find_registration(&viewer, &id.to_string())?;
    app.lms
        .may_begin(&viewer, known.is_none(), client.address, now)
        .map_err(too_often)?;
    let pinned = known.as_ref().and_then(|known| known.version_pinned);
    let progress_of = |registration, actor: &str, version: &VersionInfo| {
        let actor = Ifi::account(&identity, actor);
        let (number, length) = (Some(version.version), version.duration_ms);
        app.analytics.progress(
            &activity,
            number,
            registration,
            &actor,
            length,
            rule_of(rule),
        )
    };
    let has_begun = |version: &VersionInfo| -> Result<bool, Problem> {
        let Some(known) = &known else {
            return Ok(false);
        };
        let progress = progress_of(known.registration, &known.actor, version)?;
        Ok(progress.is_some_and(|progress| progress.started))
    };
    let own = match pinned.and_then(|pinned| video.version(pinned)) {
        Some(version) if version.is_watchable() && has_begun(version)? => Some(version),
        _ => None,
    };
    let version = choose(&video, own, wanted)?.clone();

    let begun = app.lms.start_viewing(
        NewViewing {
            viewer,
            video: id.to_string(),
            activity_id: activity.clone(),
            version: version.version,
            // To look at another version changes nothing for who has begun one.
            pins: own.is_none(),
            viewing_expires: viewing_expires(app, caller.as_ref(), now)?,
            media_expires: later(now, MEDIA_LASTS),
        },
        now,
    )?;
    let registration = &begun.registration;
    let progress = progress_of(registration.registration, &registration.actor, &version)?;
    let said_completed = app.analytics.has_said_completed(
        &activity,
        registration.registration,
        &Ifi::account(&identity, &registration.actor),
    )?;
    let found = Found {
        identity,
        activity,
        rule,
        version,
        progress: progress.unwrap_or_else(nothing_yet),
        said_completed,
        begun,
        device,
        video,
        media_expires: later(now, MEDIA_LASTS),
        viewing_expires: viewing_expires(app, caller.as_ref(), now)?,
        now,
    };
    PlayOut::new(app, client, &found)
}

fn may_play(video: &Video, person: Option<&Person>) -> Result<(), Problem> {
    if access::may_watch(video, person) || access::may_edit(video, person) {
        return Ok(());
    }
    Err(match person {
        None => Problem::unauthorized(),
        Some(_) => Problem::forbidden("You may not watch this video. Its owner can name you."),
    })
}

/// The version asked for; else the one begun; else the newest that plays.
fn choose<'a>(
    video: &'a Video,
    own: Option<&'a VersionInfo>,
    wanted: Option<u32>,
) -> Result<&'a VersionInfo, Problem> {
    if let Some(number) = wanted {
        let version = video.version(number);
        let version = version.ok_or_else(|| Problem::not_found("version"))?;
        return Some(version)
            .filter(|version| version.is_watchable())
            .ok_or_else(not_yet);
    }
    own.or_else(|| video.newest_watchable()).ok_or_else(not_yet)
}

fn not_yet() -> Problem {
    Problem::conflict("This cannot be played yet. Its page says how far it has come.")
        .kind("not-playable", "Not playable yet")
}

fn too_often(wait_s: u64) -> Problem {
    Problem::new(
        Status::TooMany,
        "Too many viewings were begun from here. Wait a moment, then try again.",
    )
    .retry_after(wait_s)
}

fn viewing_expires(
    app: &App,
    caller: Option<&Caller>,
    now: Timestamp,
) -> Result<Timestamp, Problem> {
    let session = match caller.map(|caller| &caller.by) {
        Some(By::Session { token, .. }) => app.lms.session(token, now)?,
        _ => None,
    };
    let end = session.map_or(now, |session| session.expires);
    Ok(later(end, VIEWING_OUTLIVES))
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn nothing_yet() -> Progress {
    Progress {
        version: 0,
        played_segments: String::new(),
        hidden_segments: String::new(),
        muted_segments: String::new(),
        segments: Vec::new(),
        replayed: Vec::new(),
        resume_ms: 0,
        watched: 0.0,
        completed: false,
        started: false,
        time_ms: 0,
        last_seen: Timestamp::UNIX_EPOCH,
        implausible: 0,
    }
}
