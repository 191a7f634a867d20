//! `Range` and `If-Range` (RFC 9110, 13 and 14) for one part of a file. Several parts in one request
//! are answered with the whole, as the standard allows. Pure.

/// What of a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it
    Whole,
    /// From the first to the last byte, both included
    Bytes { first: u64, last: u64 },
    /// Nothing: the part lies outside
    Outside,
}

/// Reads a `Range` header for a file of `length` bytes. What is not understood is ignored.
pub(super) fn parse(value: Option<&str>, length: u64) -> Part {
    let Some(spec) = value.and_then(|value| value.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Part::Whole;
    };
    let digits = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u64>().ok(),
        false => None,
    };
    let end = length.saturating_sub(1);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => Part::Whole,
        (true, false) => match digits(last) {
            None => Part::Whole,
            Some(0) => Part::Outside,
            Some(_) if length == 0 => Part::Outside,
            Some(count) => Part::Bytes {
                first: length.saturating_sub(count),
                last: end,
            },
        },
        (false, _) => match (digits(first), last.is_empty(), digits(last)) {
            (Some(first), true, _) if first < length => Part::Bytes { first, last: end },
            (Some(first), false, Some(last)) if first <= last && first < length => Part::Bytes {
                first,
                last: last.min(end),
            },
            (Some(first), false, Some(last)) if first > last => Part::Whole,
            (Some(first), _, _)
                if first >= length && (last.is_empty() || digits(last).is_some()) =>
            {
                Part::Outside
            }
            _ => Part::Whole,
        },
    }
}

/// Whether a list of entity tags (`If-None-Match`) names this one; weakly, RFC 9110, 13.1.2.
pub(super) fn names(list: Option<&str>, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.is_some_and(|list| {
        list.trim() == "*" || list.split(',').any(|tag| opaque(tag) == opaque(etag))
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, names, parse};

    #[test]
    fn one_part_is_sent_as_asked_and_anything_else_is_the_whole() {
        let bytes = |first, last| Part::Bytes { first, last };
        let rows = [
            (None, Part::Whole),
            (Some("bytes=0-0"), bytes(0, 0)),
            (Some("bytes=0-99"), bytes(0, 99)),
            (Some("bytes=10-"), bytes(10, 99)),
            (Some("bytes=90-1000"), bytes(90, 99)),
            (Some("bytes=-10"), bytes(90, 99)),
            (Some("bytes=-1000"), bytes(0, 99)),
            (Some("bytes=-0"), Part::Outside),
            (Some("bytes=100-"), Part::Outside),
            (Some("bytes=100-200"), Part::Outside),
            (Some("bytes=18446744073709551615-"), Part::Outside),
            (Some("bytes=5-2"), Part::Whole),
            (Some("bytes=0-1,3-4"), Part::Whole),
            (Some("bytes=a-b"), Part::Whole),
            (Some("bytes=0-b"), Part::Whole),
            (Some("bytes=+1-2"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("bytes="), Part::Whole),
            (Some("items=0-1"), Part::Whole),
            (Some("bytes=99999999999999999999-"), Part::Whole),
        ];
        for (value, expected) in rows {
            assert_eq!(parse(value, 100), expected, "{value:?}");
        }
        assert_eq!(parse(Some("bytes=0-"), 0), Part::Outside);
        assert_eq!(parse(Some("bytes=-1"), 0), Part::Outside);
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list() {
        assert!(names(Some("\"a\", W/\"b\""), "\"b\""));
        assert!(names(Some("*"), "\"b\""));
        assert!(!names(Some("\"a\""), "\"b\""));
        assert!(!names(None, "\"b\""));
    }
}
