//! What a page over plain HTTP from elsewhere answers: learners' pages as they are, the others with
//! the HTTPS address and how to trust the box (`docs/contract.md`, *Sign-in and networks*).
//!
//! The set-up wizard is allowed until the box has a certificate. A convenience, not the defence:
//! that is `auth::check_exposure`, which every request passes.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lectern_lms::PlainHttp;

use crate::app::App;
use crate::client::Client;

/// Pages that a learner's work is made of, and those that explain.
const LEARNERS: [&str; 7] = [
    "",
    "signin",
    "watch",
    "account",
    "definitions",
    "trust",
    "assets",
];
/// How a device comes to trust the box, and the files that every page loads.
const ALWAYS: [&str; 3] = ["trust", "assets", "definitions"];

/// The answer in place of a page, when the page is not for this connection.
pub(crate) fn instead(app: &App, client: &Client, path: &str) -> Option<Response> {
    if !client.is_exposed() {
        return None;
    }
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    let is_fine = is_file
        || ALWAYS.contains(&first)
        || match app.plain_http() {
            PlainHttp::All => true,
            PlainHttp::Learners => {
                LEARNERS.contains(&first) || (first == "setup" && !app.has_certificate())
            }
            PlainHttp::None => first == "setup" && !app.has_certificate(),
        };
    (!is_fine).then(|| page(app, client, path))
}

fn page(app: &App, client: &Client, path: &str) -> Response {
    let where_to = match app.https_url(client) {
        Some(url) => {
            let link = escaped(&format!("{url}{path}"));
            format!(
                "<p>Open it here instead: <a href=\"{link}\">{link}</a></p>\
                 <h2>If the browser warns</h2>\
                 <p>This box is its own certificate authority. Install <a href=\"/ca.crt\">its certificate</a> on this \
                 device once; <a href=\"/trust\">how to do that</a>. A set-up link works there too: put this address \
                 in place of the one before the <code>#</code>.</p>"
            )
        }
        None => "<p>This box serves no HTTPS to you. Start it with <code>--https</code> on an address of this network, \
                 or open this page on the box itself.</p>"
            .to_owned(),
    };
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Private connection needed</title>\
         <style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;\
         color-scheme:light dark}}</style></head><body><main><h1>This page needs a private connection</h1>\
         <p>Over plain HTTP anyone between this device and the box could read passwords and change what you see. \
         Watching works; this page does not.</p>{where_to}</main></body></html>"
    );
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let kept = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (StatusCode::FORBIDDEN, [kind, kept], html).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
