//! The session's cookie: `lectern` on HTTP, `__Host-lectern` on HTTPS.
//!
//! Two names, because browsers refuse to overwrite a `Secure` cookie from HTTP, and so that a
//! session begun in the clear is never taken for one begun in private.

use http::{HeaderMap, HeaderValue, header};

use crate::client::Scheme;
use crate::problem::Problem;

fn name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "lectern",
        Scheme::Https => "__Host-lectern",
    }
}

fn attributes(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "Path=/; HttpOnly; SameSite=Lax",
        Scheme::Https => "Path=/; HttpOnly; SameSite=Lax; Secure",
    }
}

/// The value of the request's cookie `name`, if there is one.
pub(crate) fn value_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The token in the request's session cookie, if there is one.
pub fn session_of(headers: &HeaderMap, scheme: Scheme) -> Option<String> {
    value_of(headers, name(scheme)).map(str::to_owned)
}

/// `Set-Cookie` for a new session.
///
/// # Errors
/// Never for our own tokens, which are plain letters.
pub fn session_cookie(scheme: Scheme, token: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    let text = format!(
        "{}={token}; {}; Max-Age={}",
        name(scheme),
        attributes(scheme),
        seconds.max(0)
    );
    HeaderValue::try_from(text).map_err(Problem::internal)
}

/// `Set-Cookie` that takes it away.
pub fn clear_cookie(scheme: Scheme) -> HeaderValue {
    match scheme {
        Scheme::Http => {
            HeaderValue::from_static("lectern=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
        }
        Scheme::Https => HeaderValue::from_static(
            "__Host-lectern=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_one_scheme_is_not_read_on_the_other() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static("a=b; lectern=plain; __Host-lectern=private"),
        )]);
        assert_eq!(session_of(&headers, Scheme::Http).as_deref(), Some("plain"));
        assert_eq!(
            session_of(&headers, Scheme::Https).as_deref(),
            Some("private")
        );
    }

    #[test]
    fn the_cookie_is_hidden_from_scripts_and_secure_where_it_can_be() {
        let text = |scheme| {
            session_cookie(scheme, "t", 60)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            text(Scheme::Http),
            "lectern=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        assert_eq!(
            text(Scheme::Https),
            "__Host-lectern=t; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
    }
}
