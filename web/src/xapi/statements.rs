//! `/statements` (Comm 2.1).

use std::io;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use lectern_lrs::{Caller, StatementsBody};
use lectern_xapi::multipart;

use super::knock::Reader;
use super::reading::Note;
use super::{Asked, answer, other_method, reading};
use crate::download::{self, Page};
use crate::extract::media_type;
use crate::problem::Problem;

pub(super) async fn answer(
    mut asked: Asked,
    caller: Caller,
    reader: Reader,
) -> Result<Response, Problem> {
    match asked.method {
        Method::GET => get(asked, caller, reader).await,
        Method::POST => {
            no_parameters(&asked)?;
            let body = body(&mut asked)?;
            let ids = asked
                .app
                .lrs
                .post_statements(&caller, asked.version, body)
                .await?;
            Ok(answer::json(serde_json::json!(ids).to_string()))
        }
        Method::PUT => {
            let [(name, id)] = asked.parameters.as_slice() else {
                return Err(Problem::bad_request(
                    "PUT takes exactly one parameter, statementId.",
                ));
            };
            if name != "statementId" {
                return Err(Problem::bad_request(
                    "PUT takes exactly one parameter, statementId.",
                ));
            }
            let id = id.clone();
            let body = body(&mut asked)?;
            asked
                .app
                .lrs
                .put_statement(&caller, asked.version, &id, body)
                .await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(other_method()),
    }
}

async fn get(asked: Asked, caller: Caller, reader: Reader) -> Result<Response, Problem> {
    let stop = asked.app.shutdown.clone();
    let find = move || {
        let languages = asked.headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|value| value.to_str().ok());
        let lrs = &asked.app.lrs;
        let found = lrs.find_statements(&caller, asked.version, &asked.parameters, languages)?;
        let note = reading::of_statements(&asked, &reader, found.received())?;
        let noted = note.map(Note::begin);
        Ok(Page {
            head: (found.content_type(), found.last_modified()),
            ready: move || noted.map_or(Ok(()), |noted| noted()),
            write: move |to: &mut (dyn io::Write + Send)| found.write(to),
        })
    };
    let ((content_type, modified), body) = download::page(stop, find).await?;
    let content_type = HeaderValue::try_from(content_type).map_err(Problem::internal)?;
    let date = modified.and_then(answer::http_date);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.extend(date.map(|date| (header::LAST_MODIFIED, date)));
    Ok(response)
}

fn no_parameters(asked: &Asked) -> Result<(), Problem> {
    match asked.parameters.first() {
        None => Ok(()),
        Some((name, _)) => Err(Problem::bad_request(format!(
            "POST takes no parameter {name:?}."
        ))),
    }
}

/// What the body is, by its type: statements, or statements with attachments.
fn body(asked: &mut Asked) -> Result<StatementsBody, Problem> {
    let kind = asked
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default();
    let bytes = std::mem::take(&mut asked.body);
    if media_type(&asked.headers) == "application/json" {
        return Ok(StatementsBody::Json(bytes));
    }
    match multipart::boundary(kind) {
        Some(boundary) => Ok(StatementsBody::Multipart {
            bytes,
            boundary: boundary.map_err(lectern_lrs::Error::from)?,
        }),
        None => Err(Problem::bad_request(
            "Send statements as application/json, or with attachments as multipart/mixed.",
        )),
    }
}
