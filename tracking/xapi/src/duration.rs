//! Durations (ISO 8601:2004, 4.4.3.2; Data 4.6): `P3Y1M29DT4H35M59.14S` or `P4W`, the text kept as sent and never
//! normalised.

use std::fmt;

use crate::invalid::{Invalid, Path};
use crate::json::Json;

const CLAUSE: &str = "Data 4.6";

/// A duration as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration(String);

impl Duration {
    /// Reads one; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P')?;
        if let Some(weeks) = rest.strip_suffix('W') {
            return is_quantity(weeks).then(|| Self(text.to_owned()));
        }
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        if date.is_empty() && time.is_empty() {
            return None;
        }
        let fractional = has_components(date, "YMD")? | has_components(time, "HMS")?;
        // Only the smallest component may have a fraction; one in the date part needs an empty time part.
        if fractional && date.contains(['.', ',']) && !time.is_empty() {
            return None;
        }
        Some(Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For comparison: seconds cut, never rounded, to hundredths (Data 4.6).
    pub fn truncated(&self) -> String {
        let Some(point) = self.0.find(['.', ',']) else {
            return self.0.clone();
        };
        let (whole, rest) = self.0.split_at(point);
        let unit = rest.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        let digits = rest.get(1..rest.len() - unit.len()).unwrap_or_default();
        let kept = digits.get(..2).unwrap_or(digits).trim_end_matches('0');
        if kept.is_empty() {
            format!("{whole}{unit}")
        } else {
            format!("{whole}.{kept}{unit}")
        }
    }

    /// Its length, with a year of 365 days and a month of 30: for charts, not for comparison.
    pub fn approximate_ms(&self) -> u64 {
        let mut in_time = false;
        let mut number = String::new();
        let mut total = 0.0_f64;
        for letter in self.0.chars().skip(1) {
            let seconds = match letter {
                'T' => {
                    in_time = true;
                    continue;
                }
                'Y' => 31_536_000.0,
                'W' => 604_800.0,
                'D' => 86_400.0,
                'H' => 3600.0,
                'M' if in_time => 60.0,
                'M' => 2_592_000.0,
                'S' => 1.0,
                ',' => {
                    number.push('.');
                    continue;
                }
                _ => {
                    number.push(letter);
                    continue;
                }
            };
            total += number.parse::<f64>().unwrap_or(0.0) * seconds * 1000.0;
            number.clear();
        }
        total.clamp(0.0, 9e15) as u64
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn duration(value: &Json<'_>, at: &Path<'_>) -> Result<Duration, Invalid> {
    let text = value.text(at, CLAUSE)?;
    Duration::parse(text).ok_or_else(|| {
        at.invalid(
            CLAUSE,
            "is no ISO 8601 duration such as PT4H35M59.14S or P4W",
        )
    })
}

fn is_quantity(text: &str) -> bool {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=32).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole) && digits(fraction)
}

/// Checks that `text` is quantities with `units` in their order, a fraction at most in the last; says whether one is.
fn has_components(mut text: &str, units: &str) -> Option<bool> {
    let mut fractional = false;
    for unit in units.chars() {
        if let Some((quantity, rest)) = text.split_once(unit) {
            if fractional || !is_quantity(quantity) {
                return None;
            }
            fractional = quantity.contains(['.', ',']);
            text = rest;
        }
    }
    text.is_empty().then_some(fractional)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Duration;

    #[test]
    fn the_forms_of_4_4_3_2_are_read() {
        for good in [
            "PT4H35M59.14S",
            "PT16559.14S",
            "P3Y1M29DT4H35M59.14S",
            "P3Y",
            "P4W",
            "PT0S",
            "P1DT12H",
            "PT0,5H",
            "P1.5D",
            "PT1M",
        ] {
            assert!(Duration::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "P4W1D",
            "P1DT",
            "4H",
            "PT5",
            "PT-5S",
            "P1S",
            "PT1D",
            "PT1.5H3M",
            "P1.5DT3H",
            "PT1S1M",
            "PT.5S",
            "PT5.S",
            "P0001-01-01T00:00:00",
            "pt5s",
            "PT5S ",
        ] {
            assert!(Duration::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn seconds_are_cut_to_hundredths_and_never_rounded() {
        for (text, cut) in [
            ("PT0.12567S", "PT0.12S"),
            ("PT0.1237S", "PT0.12S"),
            ("PT0.12S", "PT0.12S"),
            ("PT5.009S", "PT5S"),
            ("PT1M5,50S", "PT1M5.5S"),
            ("P4W", "P4W"),
        ] {
            assert_eq!(Duration::parse(text).expect(text).truncated(), cut);
        }
    }

    #[test]
    fn lengths_are_in_milliseconds() {
        for (text, ms) in [
            ("PT1M30.5S", 90_500),
            ("PT1H", 3_600_000),
            ("P1DT1S", 86_401_000),
        ] {
            assert_eq!(Duration::parse(text).expect(text).approximate_ms(), ms);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[PT0-9YMWDHS.,é]{0,30}") {
            if let Some(duration) = Duration::parse(&text) {
                let cut = duration.truncated();
                prop_assert!(Duration::parse(&cut).is_some(), "{}", cut);
                let _ = duration.approximate_ms();
            }
        }
    }
}
