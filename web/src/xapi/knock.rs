//! Who knocks, and by which version's rules: `X-Experience-API-Version` (Comm 3.3) and `Authorization` (Comm 4.0).
//!
//! Basic is a credential of the record store. Bearer is a viewing token of `play`, bound to its viewing, or an API
//! token, bound to its person. Cookies open nothing here, so no page from elsewhere can act for who is signed in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, header};
use lectern_lms::PersonId;
use lectern_lrs::{Bound, Caller};
use lectern_xapi::{Ifi, Version};

use crate::app::App;
use crate::auth;
use crate::client::Client;
use crate::extract::blocking;
use crate::problem::Problem;

pub(super) const VERSION: &str = "x-experience-api-version";

/// The version that the request asks for.
pub(super) fn version(headers: &HeaderMap) -> Result<Version, Problem> {
    let Some(value) = headers.get(VERSION) else {
        return Err(Problem::bad_request(
            "The header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0.",
        )
        .kind("xapi-version", "Which version of xAPI?"));
    };
    Version::from_header(value.to_str().unwrap_or_default()).map_err(|unknown| {
        Problem::bad_request(format!("{unknown}.")).kind("xapi-version", "Which version of xAPI?")
    })
}

/// Who knocks, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reader {
    /// A learner's own device: it reads no record but its own
    Device,
    /// A person by their API token
    Person(PersonId),
    /// `credential:…`
    Credential(String),
}

/// Who knocks.
pub(super) async fn caller(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
) -> Result<(Caller, Reader), Problem> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(refused)?;
    if let Some(token) = auth::bearer(header) {
        return bearer(app, client, token.to_owned()).await;
    }
    let (key, secret) = basic(header).ok_or_else(refused)?;
    let credentials = app.lrs.credentials();
    let caller = credentials.verify(&key, &secret)?.ok_or_else(refused)?;
    // Only a date beside the credential; a full disk must not keep anybody from reading.
    if let Err(error) = credentials.used(&key).await {
        tracing::warn!(event = "xapi.credential_use_not_noted", %error);
    }
    let reader = Reader::Credential(caller.credential.clone());
    Ok((caller, reader))
}

async fn bearer(app: &App, client: &Client, token: String) -> Result<(Caller, Reader), Problem> {
    let (app, client) = (app.clone(), client.clone());
    blocking(move || {
        let identity = app.lms.identity()?;
        if let Some(grant) = app.lms.viewing(&token, app.now())? {
            let caller = Caller::device(Bound {
                actor: Ifi::account(identity, grant.actor),
                registration: Some(grant.registration),
                activity: Some(grant.activity_id),
            });
            return Ok((caller, Reader::Device));
        }
        let person = app.lms.api_token(&token)?.ok_or_else(refused)?;
        auth::check_exposure(&app, &client, &person.roles)?;
        let caller = Caller::token(Ifi::account(identity, person.actor));
        Ok::<_, Problem>((caller, Reader::Person(person.id)))
    })
    .await
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (key, secret) = decoded.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}

fn refused() -> Problem {
    Problem::unauthorized().header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"xAPI\", charset=\"UTF-8\""),
    )
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn a_basic_header_is_a_key_and_a_secret_that_may_hold_colons() {
        assert_eq!(
            basic("basic YTpiOmM="),
            Some(("a".to_owned(), "b:c".to_owned()))
        );
        for wrong in ["Basic", "Basic !", "Basic YQ==", "Digest YTpi", "BasicYTpi"] {
            assert_eq!(basic(wrong), None, "{wrong}");
        }
    }
}
