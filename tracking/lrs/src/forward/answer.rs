//! Reads an upstream's HTTP answer as what it means for forwarding.

use jiff::SignedDuration;
use lectern_egress::{Error, Response};

use super::machine::Answer;

/// As much of an upstream's words as is kept.
const MAX_WORDS: usize = 300;

pub(super) fn read(answered: Result<Response, Error>, count: usize) -> Answer {
    let response = match answered {
        Ok(response) => response,
        Err(error) if error.is_retriable() => {
            return Answer::Unavailable {
                reason: error.to_string(),
                retry_after: None,
            };
        }
        Err(Error::TooLarge { .. }) => {
            return Answer::Misconfigured(
                "the answer is too large for a record store's".to_owned(),
            );
        }
        Err(error) => return Answer::Misconfigured(error.to_string()),
    };
    let reason = format!("{}{}", response.status, words(&response));
    match response.status.as_u16() {
        204 => Answer::Accepted,
        200 if is_id_list(&response, count) => Answer::Accepted,
        200..=299 => Answer::Misconfigured(
            "it answered, but not as a record store does: check the address".to_owned(),
        ),
        409 => Answer::Conflict,
        413 => Answer::TooLarge(reason),
        300..=399 | 401 | 403 | 404 | 405 | 407 => Answer::Misconfigured(reason),
        408 | 425 | 429 | 502 | 503 | 504 => Answer::Unavailable {
            reason,
            retry_after: retry_after(&response),
        },
        400..=499 => Answer::Rejected(reason),
        _ => Answer::Failed(reason),
    }
}

/// A record store answers with the ids (Comm 2.1.2); a sign-in page of a network in between does not.
fn is_id_list(response: &Response, count: usize) -> bool {
    serde_json::from_slice::<Vec<uuid::Uuid>>(&response.body).is_ok_and(|ids| ids.len() == count)
}

fn retry_after(response: &Response) -> Option<SignedDuration> {
    let header = response.headers.get("retry-after")?.to_str().ok()?;
    let seconds: i64 = header.trim().parse().ok()?;
    (seconds >= 0).then(|| SignedDuration::from_secs(seconds))
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use lectern_egress::{Error, Response};

    use super::{Answer, read};

    fn answer(status: u16, body: &'static str) -> Answer {
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        };
        read(Ok(response), 1)
    }

    #[test]
    fn only_the_ids_mean_that_it_is_stored() {
        assert_eq!(
            answer(200, "[\"6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f\"]"),
            Answer::Accepted
        );
        assert_eq!(answer(204, ""), Answer::Accepted);
        for body in ["<html>Please sign in</html>", "[]", "{}", ""] {
            assert!(
                matches!(answer(200, body), Answer::Misconfigured(_)),
                "{body}"
            );
        }
    }

    #[test]
    fn each_status_means_one_thing() {
        assert_eq!(answer(409, ""), Answer::Conflict);
        for status in [400, 415, 422] {
            assert!(
                matches!(answer(status, ""), Answer::Rejected(_)),
                "{status}"
            );
        }
        for status in [301, 401, 403, 404] {
            assert!(
                matches!(answer(status, ""), Answer::Misconfigured(_)),
                "{status}"
            );
        }
        for status in [408, 429, 502, 503, 504] {
            assert!(
                matches!(answer(status, ""), Answer::Unavailable { .. }),
                "{status}"
            );
        }
        assert_eq!(
            answer(500, "out\nof\tcheese"),
            Answer::Failed("500 Internal Server Error: out of cheese".to_owned())
        );
        assert!(matches!(answer(413, ""), Answer::TooLarge(_)));
        assert!(matches!(
            read(Err(Error::TimedOut), 1),
            Answer::Unavailable { .. }
        ));
    }
}
