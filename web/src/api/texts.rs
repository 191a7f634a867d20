//! Captions and descriptions: brought as WebVTT, SubRip or TTML, kept as WebVTT, with a revision for each text.

mod languages;
mod work;

use languages::language_name;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lectern_library::{Library, TextInfo, TextKind, VideoId};
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

/// What the texts are for: what is heard, or what is seen
#[derive(Debug, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = TextTrackKind)]
enum KindName {
    Captions,
    Descriptions,
}

/// Captions or descriptions in one language
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TextTrack)]
pub(crate) struct TextTrackOut {
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

/// A video's texts of one kind, by language. Blocking.
pub(crate) fn of(
    library: &Library,
    kind: TextKind,
    video: VideoId,
) -> Result<Vec<TextTrackOut>, Problem> {
    let infos = library.texts(kind).list(video)?;
    Ok(infos
        .into_iter()
        .map(|info| describe(kind, video, info))
        .collect())
}

/// What menus call a text: by its language's own name, and as what it is where nobody has read it over.
pub(crate) fn label(info: &TextInfo) -> String {
    let name = language_name(&info.language);
    match info.machine {
        Some(_) => format!("{name} (automatic)"),
        None => name,
    }
}

fn describe(kind: TextKind, video: VideoId, info: TextInfo) -> TextTrackOut {
    TextTrackOut {
        label: label(&info),
        revision: info.revision,
        updated: time::text(info.updated),
        url: format!("/api/v1/videos/{video}/{}/{}", kind.name(), info.language),
        machine_made: info.machine.is_some(),
        language: info.language,
    }
}

/// A video's captions or descriptions
#[utoipa::path(get, path = "/api/v1/videos/{id}/{kind}", tag = "videos", params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), Page), responses(
    (status = 200, description = "A page, by language", body = List<TextTrackOut>),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments((id, kind)): Segments<(String, TextKind)>,
    Params(page): Params<Page>,
) -> Result<List<TextTrackOut>, Problem> {
    let limit = page.limit();
    let after: Option<String> = page.after()?;
    blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        let mut items = of(&app.library, kind, video.id)?;
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

/// Captions or descriptions in one language, as WebVTT
#[utoipa::path(get, path = "/api/v1/videos/{id}/{kind}/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47"), Which), responses(
    (status = 200, description = "The newest text, or the one that is named", body = String, content_type = "text/vtt"),
    (status = 404, description = "None in that language", body = ProblemDocument, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
    Params(which): Params<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        Ok::<_, Problem>(
            app.library
                .texts(kind)
                .get(video.id, &language, which.revision)?,
        )
    })
    .await?;
    let etag = format!("\"{}.{}\"", text.info.language, text.info.revision);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = match known {
        Some(known) if known == etag => StatusCode::NOT_MODIFIED.into_response(),
        _ => (
            [(header::CONTENT_TYPE, "text/vtt; charset=utf-8")],
            text.vtt,
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

/// Bring captions or descriptions in one language; a text that was there is replaced
#[utoipa::path(put, path = "/api/v1/videos/{id}/{kind}/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47")),
    request_body(content((String = "text/vtt"), (String = "application/x-subrip"), (String = "application/ttml+xml"))), responses(
    (status = 200, description = "Replaced", body = TextTrackOut),
    (status = 201, description = "Added", body = TextTrackOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, description = "Neither WebVTT, SubRip nor TTML", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "The text or the language is wrong; `line` says where", body = ProblemDocument, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<TextTrackOut>), Problem> {
    let format = format(&headers)?;
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let vtt = parse(&body, Some(format)).map_err(refused)?.to_vtt();
        let texts = app.library.texts(kind);
        let is_new = texts.get(video.id, &language, None).is_err();
        texts.put(
            video.id,
            &language,
            vtt,
            &caller.id().to_string(),
            app.now(),
        )?;
        let info = texts.get(video.id, &language, None)?.info;
        caller.audit(
            &app,
            match kind {
                TextKind::Captions => "captions.put",
                TextKind::Descriptions => "descriptions.put",
            },
            Some(video.id.to_string()),
            Some(info.language.clone()),
        )?;
        let status = if is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok::<_, Problem>((status, Json(describe(kind, video.id, info))))
    })
    .await
}

/// Remove the captions or descriptions in one language
#[utoipa::path(delete, path = "/api/v1/videos/{id}/{kind}/{language}", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "None in that language", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        app.library.texts(kind).remove(video.id, &language)?;
        caller.audit(
            &app,
            match kind {
                TextKind::Captions => "captions.remove",
                TextKind::Descriptions => "descriptions.remove",
            },
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
            "Send the text as WebVTT (`Content-Type: text/vtt`), SubRip (`application/x-subrip`) or TTML (`application/ttml+xml`).",
        )),
    }
}

fn refused(error: lectern_vod::captions::Error) -> Problem {
    Problem::new(
        Status::Unprocessable,
        format!("Line {} of the text: {}.", error.line, error.message),
    )
    .kind("captions", "This text cannot be read")
    .with("line", error.line)
}
