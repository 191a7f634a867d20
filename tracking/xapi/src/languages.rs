//! `Accept-Language`: which language a reader wants of those there are.

use std::cmp::Ordering;

/// What `Accept-Language` asks for (RFC 9110, 12.5.4; RFC 4647 lookup), best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Languages(Vec<(String, f32)>);

/// The most ranges we look at.
const MAX_RANGES: usize = 32;

impl Languages {
    /// Reads the header; what is malformed in it is passed over.
    pub fn parse(header: &str) -> Self {
        let mut ranges: Vec<(String, f32)> = header
            .split(',')
            .take(MAX_RANGES)
            .filter_map(|range| {
                let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
                let quality = parameters
                    .trim()
                    .strip_prefix("q=")
                    .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
                let tag = tag.trim().to_ascii_lowercase();
                (!tag.is_empty() && quality > 0.0 && quality <= 1.0).then_some((tag, quality))
            })
            .collect();
        ranges.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
        Self(ranges)
    }

    /// The tag of those offered that fits best, or the first of them.
    pub(crate) fn choose<'t>(&self, offered: &[&'t str]) -> Option<&'t str> {
        for (range, _) in &self.0 {
            // `en-US` asks for en-US, then for en, then for any en-…; `*` is happy with anything.
            let mut wanted = range.as_str();
            loop {
                if let Some(tag) = offered.iter().find(|tag| tag.eq_ignore_ascii_case(wanted)) {
                    return Some(tag);
                }
                match wanted.rsplit_once('-') {
                    Some((shorter, _)) => wanted = shorter,
                    None => break,
                }
            }
            let begins = |tag: &&&str| {
                tag.get(..wanted.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(wanted))
                    && tag.as_bytes().get(wanted.len()) == Some(&b'-')
            };
            if let Some(tag) = offered.iter().find(begins) {
                return Some(tag);
            }
            if range == "*" {
                break;
            }
        }
        offered.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Languages;

    #[test]
    fn the_best_of_what_is_offered_is_chosen_and_never_nothing() {
        let offered = ["en-GB", "de", "fr-CA"];
        for (asked, chosen) in [
            ("de", "de"),
            ("de-CH, en;q=0.9", "de"),
            ("en", "en-GB"),
            ("fr", "fr-CA"),
            ("FR-ca;q=0.1, ja", "fr-CA"),
            ("ja, *;q=0.5", "en-GB"),
            ("", "en-GB"),
            ("de;q=0, en;q=x", "en-GB"),
        ] {
            assert_eq!(
                Languages::parse(asked).choose(&offered),
                Some(chosen),
                "{asked}"
            );
        }
        assert_eq!(Languages::default().choose(&[]), None);
    }
}
