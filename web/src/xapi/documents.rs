//! The document resources: `/activities/state`, `/activities/profile`, `/agents/profile` (Comm 2.2, 2.3, 2.6, 2.7).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use lectern_lrs::{Caller, Conditions, Document, DocumentRequest, Resource};

use super::knock::Reader;
use super::{Asked, answer, other_method, reading};
use crate::extract::blocking;
use crate::problem::Problem;

/// Without `Content-Type` (RFC 9110, 8.3).
const UNKNOWN: &str = "application/octet-stream";

pub(super) async fn answer(
    asked: Asked,
    caller: Caller,
    reader: Reader,
    resource: Resource,
) -> Result<Response, Problem> {
    let request = DocumentRequest::parse(resource, &asked.parameters, asked.version)?;
    let lrs = asked.app.lrs.clone();
    let text = |name: HeaderName| {
        asked
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let conditions = Conditions::parse(text(header::IF_MATCH), text(header::IF_NONE_MATCH));
    if asked.method == Method::GET {
        let note = move || match resource {
            Resource::State => reading::of_agent(&asked, &reader, "xapi/activities/state"),
            Resource::AgentProfile => reading::of_agent(&asked, &reader, "xapi/agents/profile"),
            // About nobody.
            Resource::ActivityProfile => Ok(()),
        };
        return match request.id.clone() {
            Some(id) => {
                let document = blocking(move || {
                    let document = lrs.get_document(&caller, &request.place, &id)?;
                    note().map(|()| document)
                })
                .await?;
                Ok(serve(document, &conditions))
            }
            None => {
                let found = blocking(move || {
                    let found = lrs.list_documents(&caller, &request.place, request.since)?;
                    note().map(|()| found)
                })
                .await?;
                let mut response = answer::json(serde_json::json!(found.ids).to_string());
                let date = found.last_modified.and_then(answer::http_date);
                response
                    .headers_mut()
                    .extend(date.map(|date| (header::LAST_MODIFIED, date)));
                Ok(response)
            }
        };
    }
    let content_type = text(header::CONTENT_TYPE).unwrap_or(UNKNOWN);
    match asked.method {
        Method::PUT => {
            lrs.put_document(
                &caller,
                asked.version,
                &request,
                content_type,
                asked.body,
                conditions,
            )
            .await?;
        }
        Method::POST => {
            lrs.post_document(&caller, &request, content_type, asked.body, conditions)
                .await?;
        }
        Method::DELETE if request.id.is_some() => {
            lrs.delete_document(&caller, &request, conditions).await?;
        }
        Method::DELETE if resource == Resource::State => {
            lrs.delete_documents(&caller, &request.place).await?;
        }
        Method::DELETE => return Err(Problem::bad_request("profileId must be given.")),
        _ => return Err(other_method()),
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn serve(document: Document, conditions: &Conditions) -> Response {
    let is_known = conditions.is_not_modified(&document);
    let date = answer::http_date(document.updated);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(document.bytes))
    };
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, &document.content_type);
    set(headers, header::ETAG, &format!("\"{}\"", document.etag));
    headers.extend(date.map(|date| (header::LAST_MODIFIED, date)));
    // A document is whatever was sent: nothing in it may run here.
    set(
        headers,
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    );
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
