//! Writing down what is said: the models that IT installs, and the videos whose speech becomes draft captions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_library::{BlobHash, SpeechModel, Video};
use lectern_vod::speech::model::{self, Refused};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use super::videos::{editable, upload};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(system, change))
        .routes(routes!(install))
        .routes(routes!(remove))
        .routes(routes!(of_video, ask, cancel))
}

/// What speech is recognised with
#[derive(Serialize, ToSchema)]
#[schema(as = Speech)]
struct SpeechOut {
    /// Newest first
    models: Vec<ModelOut>,
    /// Whether new videos without captions get a draft by themselves
    automatic: bool,
    /// Videos that wait, or are being heard
    waiting: usize,
}

/// A model for recognising speech
#[derive(Serialize, ToSchema)]
#[schema(as = SpeechModel)]
struct ModelOut {
    /// SHA-256 of the file
    id: String,
    /// What the file was called
    name: String,
    /// What it is, as its maker calls it: `base`, `small`
    size: String,
    /// Whether it knows more than English
    multilingual: bool,
    /// Of the file
    bytes: u64,
    /// When it came
    #[schema(format = DateTime)]
    installed: String,
    /// Whether it is the one that is used
    active: bool,
}

/// What to change; what is not named stays
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SpeechChange)]
struct SpeechChange {
    /// The model to use from now on
    active: Option<String>,
    /// Whether new videos without captions get a draft by themselves
    automatic: Option<bool>,
}

/// A model to be installed
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSpeechModel)]
struct ModelIn {
    /// The finished upload
    #[schema(value_type = uuid::Uuid)]
    upload: String,
}

/// How far it is
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SpeechState)]
enum SpeechState {
    /// Never asked for, or done
    None,
    /// In the queue
    Waiting,
    /// A worker is at it
    Running,
    /// Given up; `error` says why
    Failed,
}

/// A video's speech
#[derive(Serialize, ToSchema)]
#[schema(as = VideoSpeech)]
struct VideoSpeechOut {
    /// Whether a model is installed
    available: bool,
    /// How far it is
    state: SpeechState,
    /// 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    progress: f64,
    /// The language it is, or will be, written down in; empty where the model guesses it
    language: String,
    /// Why it waits, when it does not only wait for its turn
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    /// Why it was given up
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What is asked for
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVideoSpeech)]
struct SpeechIn {
    /// The language spoken, BCP 47; the video's own when not named
    language: Option<String>,
}

fn describe(model: SpeechModel) -> ModelOut {
    ModelOut {
        id: model.hash.to_string(),
        name: model.name,
        size: model.size,
        multilingual: model.is_multilingual,
        bytes: model.bytes,
        installed: time::text(model.installed),
        active: model.is_active,
    }
}

fn whole(app: &App) -> Result<SpeechOut, Problem> {
    let models = app.library.speech_models()?;
    Ok(SpeechOut {
        models: models.into_iter().map(describe).collect(),
        automatic: app.library.is_speech_automatic()?,
        waiting: app.library.speech_waiting()?,
    })
}

fn model_id(id: &str) -> Result<BlobHash, Problem> {
    id.parse().map_err(|_| Problem::not_found("model"))
}

/// The models for recognising speech
#[utoipa::path(get, path = "/api/v1/system/speech", tag = "system", responses(
    (status = 200, description = "As it is", body = SpeechOut)))]
async fn system(State(app): State<App>) -> Result<Json<SpeechOut>, Problem> {
    blocking(move || whole(&app)).await.map(Json)
}

/// Choose the model, or whether drafts are made by themselves
#[utoipa::path(patch, path = "/api/v1/system/speech", tag = "system", request_body = SpeechChange, responses(
    (status = 200, description = "As it is now", body = SpeechOut),
    (status = 404, description = "No such model", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Strict(change): Strict<SpeechChange>,
) -> Result<Json<SpeechOut>, Problem> {
    blocking(move || {
        let active = change.active.as_deref().map(model_id).transpose()?;
        app.library.set_speech(active, change.automatic)?;
        caller.audit(&app, "speech.change", change.active, None)?;
        whole(&app)
    })
    .await
    .map(Json)
}

/// Install a model from a finished upload; it is used from now on
#[utoipa::path(post, path = "/api/v1/system/speech/models", tag = "system", request_body = ModelIn, responses(
    (status = 201, description = "Installed", body = ModelOut),
    (status = 404, description = "No such upload of yours", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "No model that this box can use", body = ProblemDocument, content_type = "application/problem+json")))]
async fn install(
    State(app): State<App>,
    caller: Caller,
    Strict(asked): Strict<ModelIn>,
) -> Result<(StatusCode, Json<ModelOut>), Problem> {
    blocking(move || {
        let (upload, owner) = (upload(&asked.upload)?, caller.id().to_string());
        let file = app.library.model_file(upload, &owner, app.now())?;
        let whole = std::fs::File::open(&file.path).map_err(Refused::from);
        let found = whole.and_then(model::read).map_err(refused)?;
        let hash = app.library.install_speech_model(
            upload,
            &owner,
            found.size.name(),
            found.is_multilingual,
            app.now(),
        )?;
        let detail = format!("Whisper {}, {}", found.size.name(), file.name);
        caller.audit(&app, "speech.install", Some(hash.to_string()), Some(detail))?;
        let models = app.library.speech_models()?;
        let model = models.into_iter().find(|model| model.hash == hash);
        let model = model.ok_or_else(|| Problem::not_found("model"))?;
        Ok::<_, Problem>((StatusCode::CREATED, Json(describe(model))))
    })
    .await
}

fn refused(error: Refused) -> Problem {
    match error {
        Refused::Io(error) => Problem::internal(error),
        error => Problem::new(Status::Unprocessable, error.to_string())
            .kind("speech-model", "This model cannot be used"),
    }
}

/// Remove a model
#[utoipa::path(delete, path = "/api/v1/system/speech/models/{id}", tag = "system",
    params(("id" = String, Path, description = "SHA-256 of the file")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such model", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.library.remove_speech_model(model_id(&id)?)?;
        caller.audit(&app, "speech.remove", Some(id), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far a video's speech is written down
#[utoipa::path(get, path = "/api/v1/videos/{id}/speech", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "For those who may change the video", body = VideoSpeechOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn of_video(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<VideoSpeechOut>, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        look(&app, &video)
    })
    .await
    .map(Json)
}

fn look(app: &App, video: &Video) -> Result<VideoSpeechOut, Problem> {
    let models = app.library.speech_models()?;
    let available = models.iter().any(|model| model.is_active);
    let Some(info) = app.library.speech(video.id)? else {
        return Ok(VideoSpeechOut {
            available,
            state: SpeechState::None,
            progress: 0.0,
            language: video.language.clone(),
            waiting_for: None,
            error: None,
        });
    };
    let duration_ms = video
        .version(info.version)
        .and_then(|version| version.duration_ms);
    let whole = duration_ms.unwrap_or(0).max(1) as f64;
    let state = match (&info.error, info.is_running) {
        (Some(_), _) => SpeechState::Failed,
        (None, true) => SpeechState::Running,
        (None, false) => SpeechState::Waiting,
    };
    let hold = app.library.hold();
    let waiting_for = match state {
        SpeechState::Waiting if !available => Some(
            "No speech model is installed. An administrator installs one under System, Speech.",
        ),
        SpeechState::Waiting if hold.is_some() => hold.as_ref().map(|hold| hold.why.as_str()),
        SpeechState::Waiting if app.library.awaits_job(app.now())? => {
            Some("Videos that wait to be prepared come first.")
        }
        _ => None,
    };
    Ok(VideoSpeechOut {
        available,
        state,
        progress: (info.through_ms as f64 / whole).clamp(0.0, 1.0),
        language: info.language,
        waiting_for: waiting_for.map(str::to_owned),
        error: info.error,
    })
}

/// Have draft captions made of what is said; ones that a person has brought stay as they are
#[utoipa::path(post, path = "/api/v1/videos/{id}/speech", tag = "videos", params(("id" = uuid::Uuid, Path)),
    request_body = SpeechIn, responses(
    (status = 202, description = "In the queue", body = VideoSpeechOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "No model, or no version that is ready", body = ProblemDocument, content_type = "application/problem+json")))]
async fn ask(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    Strict(asked): Strict<SpeechIn>,
) -> Result<(StatusCode, Json<VideoSpeechOut>), Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let language = asked.language.as_deref();
        app.library.ask_speech(video.id, language, app.now())?;
        caller.audit(
            &app,
            "speech.ask",
            Some(video.id.to_string()),
            asked.language.clone(),
        )?;
        Ok::<_, Problem>((StatusCode::ACCEPTED, Json(look(&app, &video)?)))
    })
    .await
}

/// Stop writing down what is said, and forget what was heard so far
#[utoipa::path(delete, path = "/api/v1/videos/{id}/speech", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "Stopped"),
    (status = 404, description = "No such video, or nothing to stop", body = ProblemDocument, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        if !app.library.cancel_speech(video.id)? {
            return Err(Problem::not_found("draft in the making"));
        }
        caller.audit(&app, "speech.cancel", Some(video.id.to_string()), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
