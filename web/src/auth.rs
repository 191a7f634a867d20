//! Who asks: a session's cookie or an API token, and what a session must show besides.
//!
//! Viewing tokens (`play`) and LRS credentials are no sign-in; `/xapi` and `/media` look at those.

pub(crate) mod cookie;

pub use cookie::{clear_cookie, session_cookie, session_of};

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use lectern_lms::{AuditEvent, Person, PersonId, PlainHttp, Role};

use crate::app::App;
use crate::client::Client;
use crate::problem::Problem;

/// The header that an unsafe request with the cookie carries.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A person who is signed in, as the guard found them.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who
    pub person: Person,
    /// By what
    pub by: By,
}

/// What a caller showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The cookie of a session
    Session {
        /// The session's token
        token: String,
        /// What unsafe requests must carry
        csrf: String,
    },
    /// An API token
    ApiToken,
}

impl Caller {
    /// Who.
    pub fn id(&self) -> PersonId {
        self.person.id
    }

    /// Whether they have this role.
    pub fn is(&self, role: Role) -> bool {
        self.person.roles.contains(&role)
    }

    /// Writes down what they did (`thing.deed`), on whom or what; durable when it returns. Blocking.
    ///
    /// # Errors
    /// The store fails; then what was to be audited is not done or not answered.
    pub fn audit(
        &self,
        app: &App,
        what: &str,
        on: Option<String>,
        detail: Option<String>,
    ) -> Result<(), Problem> {
        let event = AuditEvent {
            who: self.id().to_string(),
            what: what.to_owned(),
            on,
            detail,
        };
        Ok(app.lms.audit(event, app.now())?)
    }

    /// Whether they have one of these roles.
    pub fn is_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.is(*role))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::unauthorized)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// Finds out who asks. A wrong token is refused; a session that has ended is nobody.
///
/// # Errors
/// 401 for an `Authorization` header that names nobody.
pub fn authenticate(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or_else(Problem::unauthorized)?;
        let person = app
            .lms
            .api_token(token)?
            .ok_or_else(Problem::unauthorized)?;
        return Ok(Some(Caller {
            person,
            by: By::ApiToken,
        }));
    }
    let Some(token) = session_of(headers, client.scheme) else {
        return Ok(None);
    };
    let Some(session) = app.lms.session(&token, app.now())? else {
        return Ok(None);
    };
    Ok(Some(Caller {
        person: session.person,
        by: By::Session {
            token,
            csrf: session.csrf,
        },
    }))
}

/// The token in `Authorization: Bearer …` (RFC 6750, 2.1).
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
        .filter(|token| !token.is_empty())
}

/// Refuses an unsafe request with the cookie that another site may have caused.
///
/// # Errors
/// 403 when the token is missing or wrong, or the browser says that another site asks.
pub fn check_csrf(caller: &Caller, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let By::Session { csrf, .. } = &caller.by else {
        return Ok(());
    };
    if method.is_safe() {
        return Ok(());
    }
    let sent = headers
        .get(CSRF_HEADER)
        .map(|value| value.as_bytes())
        .unwrap_or_default();
    if !same(sent, csrf.as_bytes()) {
        return Err(Problem::forbidden(
            "The request has no valid X-CSRF-Token. Reload the page; `GET /api/v1/session` gives the token.",
        )
        .kind("csrf", "The page is out of date"));
    }
    check_site(headers)
}

/// Refuses what another site's page sends.
///
/// # Errors
/// 403 when the browser says so.
pub fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(
            Problem::forbidden("Another site's page may not do that here.")
                .kind("cross-site", "Another site asked"),
        ),
    }
}

/// Over plain HTTP from elsewhere than loopback only learners sign in (setting `plain_http`).
///
/// # Errors
/// 403 that names the HTTPS address.
pub fn check_exposure(app: &App, client: &Client, roles: &BTreeSet<Role>) -> Result<(), Problem> {
    if !client.is_exposed() {
        return Ok(());
    }
    let is_fine = match app.plain_http() {
        PlainHttp::All => true,
        PlainHttp::Learners => roles.iter().all(|role| *role == Role::Learner),
        PlainHttp::None => false,
    };
    if is_fine {
        Ok(())
    } else {
        Err(https_needed(app, client))
    }
}

/// 403 that names the HTTPS address and says how to trust it.
pub fn https_needed(app: &App, client: &Client) -> Problem {
    let problem = |detail: String| {
        Problem::forbidden(detail).kind("https-required", "This needs a private connection")
    };
    match app.https_url(client) {
        Some(url) => problem(format!(
            "Over plain HTTP anyone between could read this. Open {url} instead; {}/trust says how this device \
             comes to trust the box.",
            client.origin()
        ))
        .with("https_url", url)
        .with("ca", "/ca.crt"),
        None => problem(
            "Over plain HTTP anyone between could read this, and this box serves no HTTPS to you. Start it with \
             --https on an address of this network, or do this on the box itself."
                .to_owned(),
        ),
    }
}

/// Compares without telling by its time where the first difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |differing, (a, b)| differing | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_taken_in_any_case_of_its_scheme_and_never_empty() {
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Bearer  "), None);
        assert_eq!(bearer("Basic abc"), None);
    }

    #[test]
    fn another_sites_page_is_told_by_the_browser() {
        let from = |site: &'static str| {
            HeaderMap::from_iter([(
                header::HeaderName::from_static("sec-fetch-site"),
                site.parse().unwrap(),
            )])
        };
        assert!(check_site(&HeaderMap::new()).is_ok());
        assert!(check_site(&from("same-origin")).is_ok());
        for site in ["cross-site", "same-site", "rubbish"] {
            assert!(check_site(&from(site)).is_err(), "{site}");
        }
    }
}
