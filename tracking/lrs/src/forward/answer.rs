//! Reads an upstream's HTTP answer as what it means for forwarding.

use jiff::{SignedDuration, Timestamp};
use lectern_egress::{Error, Response};
use lectern_xapi::equivalent;

use super::machine::{Answer, Found};
use crate::remote::{Unavailable, not_a_record_store, reason, retry_after, unanswered};

/// The answer to a batch of `count` statements, after so long.
pub(super) fn read(
    answered: Result<Response, Error>,
    count: usize,
    took: SignedDuration,
    now: Timestamp,
) -> Answer {
    let response = match answered {
        Ok(response) => response,
        Err(error @ Error::TimedOut) => return Answer::TimedOut(error.to_string()),
        Err(error) => return Answer::Unavailable(unanswered(&error)),
    };
    let reason = reason(&response);
    match response.status.as_u16() {
        204 => Answer::Accepted { took },
        200 if is_id_list(&response, count) => Answer::Accepted { took },
        200..=299 => Answer::Unavailable(not_a_record_store()),
        409 => Answer::Conflict,
        413 => Answer::TooLarge(reason),
        // Nobody's statement is at fault.
        300..=399 | 401 | 403 | 404 | 405 | 407 | 408 | 425 | 429 | 502..=504 => {
            Answer::Unavailable(Unavailable {
                reason,
                retry_after: retry_after(&response, now),
            })
        }
        400..=499 => Answer::Rejected(reason),
        _ => Answer::Failed(reason),
    }
}

/// The answer to the question for the statement under an id: whether it is `text`.
pub(super) fn found(answered: Result<Response, Error>, text: &str, now: Timestamp) -> Found {
    let response = match answered {
        Ok(response) => response,
        Err(error) => return Found::Unavailable(unanswered(&error)),
    };
    let reason = format!(
        "it says that the id is stored there; asked for it, it said {}",
        reason(&response)
    );
    match response.status.as_u16() {
        200 => match std::str::from_utf8(&response.body) {
            Ok(theirs) if equivalent(theirs, text) => Found::Same,
            Ok(theirs) if is_statement(theirs) => Found::Other,
            _ => Found::Unavailable(not_a_record_store()),
        },
        401 | 403 => Found::Unreadable,
        300..=399 | 407 | 408 | 425 | 429 | 502..=504 => Found::Unavailable(Unavailable {
            reason,
            retry_after: retry_after(&response, now),
        }),
        _ => Found::Failed(reason),
    }
}

fn is_statement(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|found| found.get("actor").is_some())
}

/// A record store answers with the ids (Comm 2.1.2); a sign-in page of a network in between does not.
fn is_id_list(response: &Response, count: usize) -> bool {
    serde_json::from_slice::<Vec<uuid::Uuid>>(&response.body).is_ok_and(|ids| ids.len() == count)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use jiff::{SignedDuration, Timestamp};
    use lectern_egress::{Error, Response};

    use super::{Answer, Found, Unavailable, found, read};

    const STATEMENT: &str = r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"}}"#;
    const OTHER: &str = r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/w"},"object":{"id":"http://a/o"}}"#;

    const TOOK: SignedDuration = SignedDuration::ZERO;

    fn now() -> Timestamp {
        "2026-11-23T18:00:00Z".parse().unwrap()
    }

    fn response(status: u16, body: &'static str) -> Response {
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn answer(status: u16, body: &'static str) -> Answer {
        read(Ok(response(status, body)), 1, TOOK, now())
    }

    #[test]
    fn only_the_ids_mean_that_it_is_stored() {
        assert_eq!(
            answer(200, "[\"6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f\"]"),
            Answer::Accepted { took: TOOK }
        );
        assert_eq!(answer(204, ""), Answer::Accepted { took: TOOK });
        for body in ["<html>Please sign in</html>", "[]", "{}", ""] {
            assert!(
                matches!(answer(200, body), Answer::Unavailable(_)),
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
        for status in [301, 401, 403, 404, 408, 429, 502, 503, 504] {
            assert!(
                matches!(answer(status, ""), Answer::Unavailable(_)),
                "{status}"
            );
        }
        assert_eq!(
            answer(500, "out\nof\tcheese"),
            Answer::Failed("500 Internal Server Error: out of cheese".to_owned())
        );
        assert!(matches!(answer(413, ""), Answer::TooLarge(_)));
        assert!(matches!(
            read(Err(Error::TimedOut), 1, TOOK, now()),
            Answer::TimedOut(_)
        ));
    }

    #[test]
    fn only_what_may_not_be_read_is_taken_for_ours_unread() {
        let asked = |status, body| found(Ok(response(status, body)), STATEMENT, now());
        assert_eq!(asked(200, STATEMENT), Found::Same);
        assert_eq!(asked(200, OTHER), Found::Other);
        for status in [401, 403] {
            assert_eq!(asked(status, ""), Found::Unreadable, "{status}");
        }
        for (status, body) in [(200, "<html>"), (302, ""), (408, ""), (429, ""), (503, "")] {
            assert!(
                matches!(asked(status, body), Found::Unavailable(_)),
                "{status}"
            );
        }
        for status in [404, 400, 500] {
            assert!(matches!(asked(status, ""), Found::Failed(_)), "{status}");
        }
        assert!(matches!(
            found(Err(Error::TimedOut), STATEMENT, now()),
            Found::Unavailable(_)
        ));
    }

    #[test]
    fn a_time_to_come_again_is_seconds_or_a_date() {
        for (header, seconds) in [
            ("90", Some(90)),
            ("-1", None),
            ("soon", None),
            ("Mon, 23 Nov 2026 18:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 17:59:59 GMT", None),
        ] {
            let mut busy = response(503, "");
            let value = HeaderValue::from_static(header);
            busy.headers.insert(RETRY_AFTER, value);
            let Answer::Unavailable(Unavailable { retry_after, .. }) =
                read(Ok(busy), 1, TOOK, now())
            else {
                panic!("{header}");
            };
            assert_eq!(
                retry_after,
                seconds.map(SignedDuration::from_secs),
                "{header}"
            );
        }
    }
}
