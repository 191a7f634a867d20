//! The sample lecture: what an empty box offers, so that the first minute teaches.

use std::fs::File;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_library::{NewUpload, NewVideo, TextKind, Visibility};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Sample};
use crate::auth::Caller;
use crate::extract::blocking;
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add))
}

/// The video made
#[derive(Serialize, ToSchema)]
struct SampleAdded {
    /// Its id
    #[schema(value_type = uuid::Uuid)]
    id: String,
}

/// Add the sample lecture
#[utoipa::path(post, path = "/api/v1/sample", tag = "videos", responses(
    (status = 201, description = "Added; it is being encoded", body = SampleAdded),
    (status = 404, description = "This build has none", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk is full", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
) -> Result<(StatusCode, Json<SampleAdded>), Problem> {
    let Some(sample) = app.config.sample.clone() else {
        return Err(Problem::not_found("sample lecture in this build"));
    };
    let id = blocking(move || import(&app, &caller, &sample)).await?;
    Ok((StatusCode::CREATED, Json(SampleAdded { id })))
}

fn import(app: &App, caller: &Caller, sample: &Sample) -> Result<String, Problem> {
    let now = app.now();
    let unreadable = |error: std::io::Error| {
        Problem::not_found("sample lecture in this build")
            .because(format!("{}: {error}", sample.film.display()))
    };
    let mut film = File::open(&sample.film).map_err(unreadable)?;
    let length = film.metadata().map_err(unreadable)?.len();
    let owner = caller.id().to_string();
    let name = sample
        .film
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let new = NewUpload {
        length,
        name,
        owner: owner.clone(),
        metadata: String::new(),
    };
    let upload = app.library.import(new, &mut film, now)?;
    let video = app.library.create_video(
        NewVideo {
            title: sample.title.clone(),
            language: sample.language.clone(),
            visibility: Visibility::Members,
            owner,
            upload: upload.id,
        },
        now,
    )?;
    if let Some(path) = &sample.captions {
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        app.library
            .texts(TextKind::Captions)
            .offer(video, &sample.language, text, now)?;
    }
    caller.audit(
        app,
        "video.add",
        Some(video.to_string()),
        Some("the sample lecture".to_owned()),
    )?;
    Ok(video.to_string())
}
