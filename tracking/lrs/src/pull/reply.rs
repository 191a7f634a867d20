//! What a source's HTTP answer means, before its page is read.

use jiff::Timestamp;
use lectern_egress::{Error, Response};
use lectern_xapi::{Version, parse_timestamp};

use super::machine::Trouble;
use crate::remote::{Unavailable, not_a_record_store, reason, retry_after, unanswered};

const VERSION: &str = "x-experience-api-version";
const THROUGH: &str = "x-experience-api-consistent-through";

/// The answer, when it holds what was asked for.
pub(super) fn read(answered: Result<Response, Error>, now: Timestamp) -> Result<Response, Trouble> {
    let response = match answered {
        Ok(response) => response,
        Err(Error::TooLarge { .. }) => return Err(Trouble::TooLarge),
        Err(error @ Error::TimedOut) => return Err(Trouble::Failed(unanswered(&error))),
        Err(error) => return Err(Trouble::Unavailable(unanswered(&error))),
    };
    let status = response.status.as_u16();
    let said = reason(&response);
    let why = |reason: String| Unavailable {
        reason,
        retry_after: retry_after(&response, now),
    };
    Err(match status {
        200 => {
            return match speaks(&response) {
                Ok(()) => Ok(response),
                Err(reason) => Err(Trouble::Unavailable(why(reason))),
            };
        }
        201..=299 => Trouble::Unavailable(not_a_record_store()),
        401 => Trouble::Unavailable(why("the key or the secret is wrong".to_owned())),
        403 => Trouble::Unavailable(why(format!(
            "the key and the secret are known there, but may not read all statements: {said}"
        ))),
        400 | 404 | 410 | 414 => Trouble::Unknown(why(format!(
            "it does not answer as a record store does; check the address and the version of xAPI: {said}"
        ))),
        500 | 505..=599 => Trouble::Failed(why(said)),
        _ => Trouble::Unavailable(why(said)),
    })
}

/// `X-Experience-API-Consistent-Through`, when it is there and is a time.
pub(super) fn through(response: &Response) -> Option<Timestamp> {
    let header = response.headers.get(THROUGH)?.to_str().ok()?;
    parse_timestamp(header, Version::V2_0_0).or_else(|| parse_timestamp(header, Version::V1_0_3))
}

/// Whether it speaks a version of xAPI that we do. One that does not say is given the benefit of the doubt.
fn speaks(response: &Response) -> Result<(), String> {
    let Some(named) = response.headers.get(VERSION) else {
        return Ok(());
    };
    let named = named.to_str().unwrap_or_default();
    Version::from_header(named).map(drop).map_err(|unknown| {
        format!(
            "it answers in xAPI {:?}, which this box does not speak: it reads 1.0.3 and 2.0.0",
            unknown.asked
        )
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use jiff::{SignedDuration, Timestamp};
    use lectern_egress::{Error, Response};

    use super::super::machine::Trouble;
    use super::{read, through};

    fn response(status: u16, headers: &[(&'static str, &'static str)]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::from_static(b"why"),
        }
    }

    #[test]
    fn each_status_says_whose_turn_it_is() {
        type Is = fn(&Trouble) -> bool;
        let unavailable: Is = |trouble| matches!(trouble, Trouble::Unavailable(_));
        let unknown: Is = |trouble| matches!(trouble, Trouble::Unknown(_));
        let failed: Is = |trouble| matches!(trouble, Trouble::Failed(_));
        for (status, is) in [
            (204, unavailable),
            (301, unavailable),
            (400, unknown),
            (401, unavailable),
            (403, unavailable),
            (404, unknown),
            (410, unknown),
            (408, unavailable),
            (429, unavailable),
            (500, failed),
            (502, unavailable),
            (503, unavailable),
            (504, unavailable),
            (599, failed),
        ] {
            let trouble = read(Ok(response(status, &[])), Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(is(&trouble), "{status}: {trouble:?}");
        }
        let slow = read(Err(Error::TimedOut), Timestamp::UNIX_EPOCH);
        assert!(failed(&slow.unwrap_err()));
        let large = read(
            Err(Error::TooLarge { limit_bytes: 1 }),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(large.unwrap_err(), Trouble::TooLarge);
        let gone = read(
            Err(Error::Connection("refused".into())),
            Timestamp::UNIX_EPOCH,
        );
        assert!(unavailable(&gone.unwrap_err()));
    }

    #[test]
    fn a_wait_that_is_asked_for_and_the_versions_are_read() {
        let busy = response(429, &[("retry-after", "7")]);
        let Trouble::Unavailable(why) = read(Ok(busy), Timestamp::UNIX_EPOCH).unwrap_err() else {
            panic!("not unavailable");
        };
        assert_eq!(why.retry_after, Some(SignedDuration::from_secs(7)));
        for (version, good) in [("1.0.3", true), ("2.0.0", true), ("0.95", false)] {
            let answered = response(200, &[("x-experience-api-version", version)]);
            let read = read(Ok(answered), Timestamp::UNIX_EPOCH);
            assert_eq!(read.is_ok(), good, "{version}");
        }
        assert!(read(Ok(response(200, &[])), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn consistency_is_a_time_or_nothing() {
        let header = "x-experience-api-consistent-through";
        let said = through(&response(200, &[(header, "2026-11-26T10:00:00.123Z")]));
        assert_eq!(said, "2026-11-26T10:00:00.123Z".parse().ok());
        assert_eq!(through(&response(200, &[(header, "now")])), None);
        assert_eq!(through(&response(200, &[])), None);
    }
}
