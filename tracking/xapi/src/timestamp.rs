//! Timestamps (Data 4.5; 2.0 4.2.7): ISO 8601 under 1.0.3, RFC 3339 under 2.0. The text is kept as sent; here it
//! becomes an instant. The offset `-00:00` ("zone unknown") is refused by both versions.

use jiff::Timestamp;
use jiff::civil;

use crate::invalid::{Invalid, Path};
use crate::json::Json;
use crate::version::Version;

const CLAUSE: &str = "Data 4.5";

/// Reads a timestamp as the version allows it; `None` when it is none.
pub fn parse_timestamp(text: &str, version: Version) -> Option<Timestamp> {
    // Both separators are in RFC 3339's own examples; ISO 8601 knows only T.
    let split =
        text.find(|letter| letter == 'T' || (letter == 't' && version == Version::V2_0_0))?;
    let (date, rest) = (text.get(..split)?, text.get(split + 1..)?);
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (rest.get(..zone_at)?, rest.get(zone_at..)?);
    let extended = date.contains('-');
    if !extended && version == Version::V2_0_0 {
        return None;
    }
    let date = parse_date(date)?;
    let time = parse_clock(clock, version)?;
    let offset = parse_zone(zone, version)?;
    let seconds = civil::DateTime::from_parts(date, time)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    seconds
        .checked_sub(jiff::SignedDuration::from_secs(offset))
        .ok()
}

/// Prints an instant as we write them into statements: RFC 3339, UTC, microseconds, always the same width, so that
/// `stored` sorts as text.
pub fn print_timestamp(at: Timestamp) -> String {
    format!("{at:.6}")
}

pub(crate) fn timestamp(
    value: &Json<'_>,
    at: &Path<'_>,
    version: Version,
) -> Result<Timestamp, Invalid> {
    let text = value.text(at, CLAUSE)?;
    parse_timestamp(text, version).ok_or_else(|| {
        at.invalid(
            CLAUSE,
            match version {
                Version::V1_0_3 => "is no ISO 8601 timestamp (and the offset may not be -00:00)",
                Version::V2_0_0 => "is no RFC 3339 timestamp (and the offset may not be -00:00)",
            },
        )
    })
}

fn parse_date(text: &str) -> Option<civil::Date> {
    let (year, month, day) = match text.len() {
        10 if text.get(4..5)? == "-" && text.get(7..8)? == "-" => {
            (text.get(..4)?, text.get(5..7)?, text.get(8..)?)
        }
        8 => (text.get(..4)?, text.get(4..6)?, text.get(6..)?),
        _ => return None,
    };
    civil::Date::new(number(year)?, number(month)?, number(day)?).ok()
}

fn parse_clock(text: &str, version: Version) -> Option<civil::Time> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let (hour, minute, second) = match whole.len() {
        8 if whole.get(2..3)? == ":" && whole.get(5..6)? == ":" => {
            (whole.get(..2)?, whole.get(3..5)?, whole.get(6..)?)
        }
        6 if version == Version::V1_0_3 => (whole.get(..2)?, whole.get(2..4)?, whole.get(4..)?),
        5 if version == Version::V1_0_3 && whole.get(2..3)? == ":" && fraction.is_empty() => {
            (whole.get(..2)?, whole.get(3..)?, "00")
        }
        4 if version == Version::V1_0_3 && fraction.is_empty() => {
            (whole.get(..2)?, whole.get(2..)?, "00")
        }
        _ => return None,
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() > 64 {
        return None;
    }
    let mut nanos: i32 = 0;
    for place in 0..9 {
        let digit = fraction.as_bytes().get(place).map_or(0, |byte| byte - b'0');
        nanos = nanos * 10 + i32::from(digit);
    }
    // A leap second is real time; the instant is that of the second before.
    let second: i8 = number(second)?;
    let second = if second == 60 { 59 } else { second };
    civil::Time::new(number(hour)?, number(minute)?, second, nanos).ok()
}

/// Seconds east of UTC.
fn parse_zone(text: &str, version: Version) -> Option<i64> {
    let sign = match text.as_bytes().first() {
        // 1.0.3 only says SHOULD for the zone; such a time is taken for UTC, as its Data 4.5 suggests.
        None => return (version == Version::V1_0_3).then_some(0),
        Some(b'Z') if text.len() == 1 => return Some(0),
        Some(b'z') if text.len() == 1 && version == Version::V2_0_0 => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return None,
    };
    let digits = text.get(1..)?;
    let (hours, minutes) = match digits.len() {
        5 if digits.get(2..3)? == ":" => (digits.get(..2)?, digits.get(3..)?),
        4 if version == Version::V1_0_3 => (digits.get(..2)?, digits.get(2..)?),
        2 if version == Version::V1_0_3 => (digits, "00"),
        _ => return None,
    };
    let (hours, minutes): (i64, i64) = (number(hours)?, number(minutes)?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    (hours < 24 && minutes < 60 && !(sign < 0 && seconds == 0)).then_some(seconds)
}

fn number<N: std::str::FromStr>(digits: &str) -> Option<N> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{parse_timestamp, print_timestamp};
    use crate::version::Version::{V1_0_3, V2_0_0};

    #[test]
    fn the_same_instant_in_every_spelling_of_iso_8601() {
        let wanted = "2008-09-15T15:53:00.601Z".parse().ok();
        for text in [
            "2008-09-15T15:53:00.601Z",
            "2008-09-15T15:53:00.601+00:00",
            "2008-09-15T17:53:00.601+02:00",
            "2008-09-15T10:23:00.601-05:30",
        ] {
            assert_eq!(parse_timestamp(text, V1_0_3), wanted, "{text}");
            assert_eq!(parse_timestamp(text, V2_0_0), wanted, "{text}");
        }
        for text in [
            "20080915T155300.601Z",
            "2008-09-15T15:53:00,601+0000",
            "2008-09-15T17:53:00.601+02",
            "2008-09-15T15:53:00.601",
        ] {
            assert_eq!(parse_timestamp(text, V1_0_3), wanted, "{text}");
        }
    }

    #[test]
    fn rfc_3339_asks_for_the_long_form_and_a_zone() {
        for text in [
            "20080915T155300Z",
            "2008-09-15T15:53:00",
            "2008-09-15T15:53Z",
            "2008-09-15T15:53:00+0200",
        ] {
            assert!(parse_timestamp(text, V1_0_3).is_some(), "{text}");
            assert!(parse_timestamp(text, V2_0_0).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused_by_both() {
        for text in [
            "",
            "should fail",
            "01/011/2015",
            "2008-09-15",
            "2008-09-15T15:53:00.601-00",
            "2008-09-15T15:53:00.601-0000",
            "2008-09-15T15:53:00.601-00:00",
            "2008-13-15T15:53:00Z",
            "2008-02-30T15:53:00Z",
            "2008-09-15T25:53:00Z",
            "2008-09-15T15:53:00.Z",
            "2008-09-15T15:53:00+25:00",
            "2008-09-15T15:53:00Zulu",
            "99999-09-15T15:53:00Z",
        ] {
            assert!(parse_timestamp(text, V1_0_3).is_none(), "{text}");
            assert!(parse_timestamp(text, V2_0_0).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree_to_the_microsecond(micros in 0_i64..4_000_000_000_000_000) {
            let at = jiff::Timestamp::from_microsecond(micros).expect("in range");
            let text = print_timestamp(at);
            prop_assert_eq!(text.len(), 27);
            prop_assert_eq!(parse_timestamp(&text, V2_0_0), Some(at));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9TZ:+.\\-é]{0,40}") {
            let _ = parse_timestamp(&text, V1_0_3);
            let _ = parse_timestamp(&text, V2_0_0);
        }
    }
}
