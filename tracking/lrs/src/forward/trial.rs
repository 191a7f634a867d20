//! Tries an upstream's address, key and secret, for the person who has just typed them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{HeaderName, Method};
use lectern_egress::{Egress, Request, Response};
use lectern_store::Json;
use lectern_xapi::Version;
use serde::Serialize;
use uuid::Uuid;

use super::upstream::{Entered, UPSTREAMS, Upstreams, unknown};
use crate::error::Error;
use crate::seal;

const VERSION: HeaderName = HeaderName::from_static("x-experience-api-version");

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Whether statements can be expected to arrive.
    pub ok: bool,
    /// What was found, for a person.
    pub message: String,
    /// The versions that the upstream names.
    pub versions: Vec<String>,
}

impl Upstreams {
    /// Asks an upstream for its versions and, with key and secret, for one statement. Writes nothing there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Sealing`], [`Error::Store`]; what the upstream says is in the answer.
    pub async fn test(&self, id: Uuid, egress: &Egress) -> Result<Trial, Error> {
        let found = self.lrs.store().snapshot()?.get(&UPSTREAMS, &id)?;
        let Json(entered) = found.ok_or_else(|| unknown(id))?;
        let headers = headers(
            &entered,
            &seal::open(self.sealing_key().as_ref(), id, &entered.sealed_secret)?,
        )?;
        let about = ask(egress, &entered, "/about", &headers).await;
        let versions = about.as_ref().map(versions).unwrap_or_default();
        let trial = |ok: bool, message: String| Trial {
            ok,
            message,
            versions: versions.clone(),
        };
        if let Err(error) = about {
            return Ok(trial(false, error.to_string()));
        }
        let read = match ask(egress, &entered, "/statements?limit=1", &headers).await {
            Ok(read) => read,
            Err(error) => return Ok(trial(false, error.to_string())),
        };
        Ok(match read.status.as_u16() {
            200 if serde_json::from_slice::<serde_json::Value>(&read.body)
                .is_ok_and(|answer| answer.get("statements").is_some()) =>
            {
                trial(true, "the address, the key and the secret are right".to_owned())
            }
            403 => trial(true, "the key and the secret are known there; they may not read, whether they may write the first batch will show".to_owned()),
            401 => trial(false, "the key or the secret is wrong".to_owned()),
            200..=299 => trial(false, "it answered, but not as a record store does: check the address".to_owned()),
            404 => trial(false, "there is no record store at this address".to_owned()),
            _ => trial(false, format!("it answered {}", read.status)),
        })
    }
}

/// What every request to this upstream carries.
pub(super) fn headers(entered: &Entered, secret: &str) -> Result<HeaderMap, Error> {
    basic(&entered.key, secret, entered.version())
}

/// What a request to a record store carries: who asks, and in which version.
pub(crate) fn basic(key: &str, secret: &str, version: Version) -> Result<HeaderMap, Error> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")));
    let mut basic = HeaderValue::from_str(&basic)
        .map_err(|_| Error::parameter("secret", "limit", "cannot be sent in a header"))?;
    basic.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, basic);
    headers.insert(VERSION, HeaderValue::from_static(version.header()));
    Ok(headers)
}

async fn ask(
    egress: &Egress,
    entered: &Entered,
    path: &str,
    headers: &HeaderMap,
) -> Result<Response, lectern_egress::Error> {
    let mut request = Request::new(
        Method::GET,
        format!("{}{path}", entered.url),
        entered.reach(),
    );
    request.headers = headers.clone();
    egress.send(request).await
}

fn versions(about: &Response) -> Vec<String> {
    let about: serde_json::Value = serde_json::from_slice(&about.body).unwrap_or_default();
    let named = about.get("version").and_then(serde_json::Value::as_array);
    named
        .into_iter()
        .flatten()
        .filter_map(|version| version.as_str().map(|text| text.chars().take(16).collect()))
        .take(16)
        .collect()
}
