//! Tries an address, a key and a secret, for the person who has just typed them. Writes nothing there.

use http::Method;
use http::header::HeaderMap;
use lectern_egress::{Egress, Reach, Request, Response};
use serde::Serialize;
use serde_json::Value;

/// Where requests go, and with what.
#[derive(Clone)]
pub(crate) struct Door {
    /// The endpoint, without a slash at its end.
    pub url: String,
    /// As [`super::headers`] makes them.
    pub headers: HeaderMap,
    pub reach: Reach,
}

impl Door {
    /// A GET of what lies behind the endpoint.
    pub fn get(&self, path: &str) -> Request {
        let url = format!("{}{path}", self.url);
        let mut request = Request::new(Method::GET, url, self.reach);
        request.headers = self.headers.clone();
        request
    }
}

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Whether it can be expected to work.
    pub ok: bool,
    /// What was found, for a person.
    pub message: String,
    /// The versions that it names.
    pub versions: Vec<String>,
}

/// What a key means that is known there and may not read.
pub(crate) struct Forbidden {
    pub ok: bool,
    pub message: &'static str,
}

/// `GET /about`, as JSON; anything when it does not answer so.
pub(crate) async fn about(egress: &Egress, door: &Door) -> Result<Value, lectern_egress::Error> {
    let about = egress.send(door.get("/about")).await?;
    Ok(serde_json::from_slice(&about.body).unwrap_or_default())
}

impl Trial {
    /// Asks for the versions and, with key and secret, for one statement.
    pub(crate) async fn run(egress: &Egress, door: &Door, forbidden: Forbidden) -> Self {
        let about = match about(egress, door).await {
            Ok(about) => about,
            Err(error) => return Self::new(false, error, Vec::new()),
        };
        let versions = versions(&about);
        let read = match egress.send(door.get("/statements?limit=1")).await {
            Ok(read) => read,
            Err(error) => return Self::new(false, error, versions),
        };
        let (ok, message) = match read.status.as_u16() {
            200 if is_list(&read) => (true, "the address, the key and the secret are right"),
            403 => (forbidden.ok, forbidden.message),
            401 => (false, "the key or the secret is wrong"),
            200..=299 => (
                false,
                "it answered, but not as a record store does: check the address",
            ),
            404 => (false, "there is no record store at this address"),
            _ => return Self::new(false, format!("it answered {}", read.status), versions),
        };
        Self::new(ok, message, versions)
    }

    fn new(ok: bool, message: impl ToString, versions: Vec<String>) -> Self {
        Self {
            ok,
            message: message.to_string(),
            versions,
        }
    }
}

fn is_list(read: &Response) -> bool {
    serde_json::from_slice::<Value>(&read.body)
        .is_ok_and(|answer| answer.get("statements").is_some())
}

fn versions(about: &Value) -> Vec<String> {
    let named = about.get("version").and_then(Value::as_array);
    named
        .into_iter()
        .flatten()
        .filter_map(|version| version.as_str().map(|text| text.chars().take(16).collect()))
        .take(16)
        .collect()
}
