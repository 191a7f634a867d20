//! Captions: brought as WebVTT, SubRip or TTML, kept as WebVTT, with a revision for each text.

mod languages;
mod work;

use languages::language_name;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lectern_library::{CaptionInfo, Library, VideoId};
use lectern_vod::captions::{Format, parse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use super::videos::{editable, visible};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, blocking, media_type};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put, remove))
        .merge(work::routes())
}

/// Captions in one language
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Captions)]
pub(crate) struct CaptionsOut {
    /// BCP 47
    pub(crate) language: String,
    /// As menus show it: the language's own name
    pub(crate) label: String,
    /// Counts up with each text
    pub(crate) revision: u32,
    /// When this text came
    #[schema(format = DateTime)]
    pub(crate) updated: String,
    /// Where the WebVTT is
    pub(crate) url: String,
    /// Whether a machine wrote it and no person has read it over
    pub(crate) machine_made: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// A text that is still kept; the newest where none is named
    revision: Option<u32>,
}

/// A video's captions, by language. Blocking.
pub(crate) fn of(library: &Library, video: VideoId) -> Result<Vec<CaptionsOut>, Problem> {
    let infos = library.captions(video)?;
    Ok(infos
        .into_iter()
        .map(|info| describe(video, info))
        .collect())
}

/// What menus call captions: by their language's own name, and as what they are where nobody has read them over.
pub(crate) fn label(info: &CaptionInfo) -> String {
    let name = language_name(&info.language);
    match info.machine {
        Some(_) => format!("{name} (automatic)"),
        None => name,
    }
}

fn describe(video: VideoId, info: CaptionInfo) -> CaptionsOut {
    CaptionsOut {
        label: label(&info),
        revision: info.revision,
        updated: time::text(info.updated),
        url: format!("/api/v1/videos/{video}/captions/{}", info.language),
        machine_made: info.machine.is_some(),
        language: info.language,
    }
}

/// A video's captions
#[utoipa::path(get, path = "/api/v1/videos/{id}/captions", tag = "videos", params(("id" = uuid::Uuid, Path), Page), responses(
    (status = 200, description = "A page, by language", body = List<CaptionsOut>),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments(id): Segments<String>,
    Params(page): Params<Page>,
) -> Result<List<CaptionsOut>, Problem> {
    let limit = page.limit();
    let after: Option<String> = page.after()?;
    blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        let mut items = of(&app.library, video.id)?;
        items.retain(|item| after.as_ref().is_none_or(|after| item.language > *after));
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let last = items.last().filter(|_| !is_last);
        let next = last
            .map(|item| extract::cursor(&item.language))
            .transpose()?;
        Ok::<_, Problem>(List { items, next })
    })
    .await
}

/// Captions in one language, as WebVTT
#[utoipa::path(get, path = "/api/v1/videos/{id}/captions/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("language" = String, Path, description = "BCP 47"), Which), responses(
    (status = 200, description = "The newest text, or the one that is named", body = String, content_type = "text/vtt"),
    (status = 404, description = "None in that language", body = ProblemDocument, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments((id, language)): Segments<(String, String)>,
    Params(which): Params<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let captions = blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        Ok::<_, Problem>(
            app.library
                .caption_text(video.id, &language, which.revision)?,
        )
    })
    .await?;
    let etag = format!("\"{}.{}\"", captions.info.language, captions.info.revision);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = match known {
        Some(known) if known == etag => StatusCode::NOT_MODIFIED.into_response(),
        _ => (
            [(header::CONTENT_TYPE, "text/vtt; charset=utf-8")],
            captions.vtt,
        )
            .into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}

/// Bring captions in one language; a text that was there is replaced
#[utoipa::path(put, path = "/api/v1/videos/{id}/captions/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("language" = String, Path, description = "BCP 47")),
    request_body(content((String = "text/vtt"), (String = "application/x-subrip"), (String = "application/ttml+xml"))), responses(
    (status = 200, description = "Replaced", body = CaptionsOut),
    (status = 201, description = "Added", body = CaptionsOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, description = "Neither WebVTT, SubRip nor TTML", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "The text or the language is wrong; `line` says where", body = ProblemDocument, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Segments((id, language)): Segments<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<CaptionsOut>), Problem> {
    let format = format(&headers)?;
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let vtt = parse(&body, Some(format)).map_err(refused)?.to_vtt();
        let is_new = app.library.caption_text(video.id, &language, None).is_err();
        app.library.put_captions(
            video.id,
            &language,
            vtt,
            &caller.id().to_string(),
            app.now(),
        )?;
        let info = app.library.caption_text(video.id, &language, None)?.info;
        caller.audit(
            &app,
            "captions.put",
            Some(video.id.to_string()),
            Some(info.language.clone()),
        )?;
        let status = if is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok::<_, Problem>((status, Json(describe(video.id, info))))
    })
    .await
}

/// Remove the captions in one language
#[utoipa::path(delete, path = "/api/v1/videos/{id}/captions/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("language" = String, Path, description = "BCP 47")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "None in that language", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments((id, language)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        app.library.remove_captions(video.id, &language)?;
        caller.audit(
            &app,
            "captions.remove",
            Some(video.id.to_string()),
            Some(language),
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    match media_type(headers).as_str() {
        "text/vtt" => Ok(Format::WebVtt),
        "application/x-subrip" => Ok(Format::SubRip),
        "application/ttml+xml" => Ok(Format::Ttml),
        _ => Err(Problem::new(
            Status::UnsupportedMedia,
            "Send captions as WebVTT (`Content-Type: text/vtt`), SubRip (`application/x-subrip`) or TTML (`application/ttml+xml`).",
        )),
    }
}

fn refused(error: lectern_vod::captions::Error) -> Problem {
    Problem::new(
        Status::Unprocessable,
        format!("Line {} of the captions: {}.", error.line, error.message),
    )
    .kind("captions", "These captions cannot be read")
    .with("line", error.line)
}
