//! The words of a record store that does not do what it was asked, as people read them.

use jiff::{SignedDuration, Timestamp};
use lectern_egress::{Error, Response};

/// As much of the other side's words as is kept.
const MAX_WORDS: usize = 300;

/// Why nothing can be done with it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub reason: String,
    /// When it asks to come again.
    pub retry_after: Option<SignedDuration>,
}

/// There was no answer.
pub(crate) fn unanswered(error: &Error) -> Unavailable {
    let reason = match error {
        Error::TooLarge { .. } => "the answer is too large for a record store's".to_owned(),
        error => error.to_string(),
    };
    Unavailable {
        reason,
        retry_after: None,
    }
}

/// It answered with a sign-in page, or whatever else is at this address.
pub(crate) fn not_a_record_store() -> Unavailable {
    Unavailable {
        reason: "it answered, but not as a record store does: check the address".to_owned(),
        retry_after: None,
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(response: &Response, now: Timestamp) -> Option<SignedDuration> {
    let header = response.headers.get("retry-after")?.to_str().ok()?.trim();
    let wait = match header.parse() {
        Ok(seconds) => SignedDuration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(header).ok()?;
            Timestamp::try_from(date).ok()?.duration_since(now)
        }
    };
    (!wait.is_negative()).then_some(wait)
}

/// The status, and what it says besides.
pub(crate) fn reason(response: &Response) -> String {
    format!("{}{}", response.status, words(response))
}

fn words(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let text: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_WORDS)
        .collect();
    if text.is_empty() || text.starts_with('<') {
        String::new()
    } else {
        format!(": {text}")
    }
}
