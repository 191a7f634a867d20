//! Times as the API writes them: RFC 3339, UTC, milliseconds.

use jiff::Timestamp;

/// `2026-11-23T18:30:00.123Z`
pub fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_milliseconds_even_when_they_are_zero() {
        assert_eq!(
            text("2026-11-23T18:30:00Z".parse().unwrap()),
            "2026-11-23T18:30:00.000Z"
        );
        assert_eq!(
            text("2026-11-23T18:30:00.123456Z".parse().unwrap()),
            "2026-11-23T18:30:00.123Z"
        );
    }
}
