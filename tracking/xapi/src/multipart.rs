//! `multipart/mixed` (RFC 2046, 5.1) as statements with attachments travel in it (Comm 1.5.2): first the JSON, then
//! one part for each hash. Reads a body that is whole; the bytes of a part are borrowed from it.

use crate::invalid::{Invalid, LIMIT, Path};

const CLAUSE: &str = "Comm 1.5.2";
/// RFC 2046, 5.1.1.
const MAX_BOUNDARY_BYTES: usize = 70;
/// Parts in one body.
const MAX_PARTS: usize = 1000;
/// Bytes of one part's headers.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// One part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'b> {
    /// Names in lower case, values without the space around them.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub bytes: &'b [u8],
}

impl Part<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The `boundary` of a `Content-Type` that is `multipart/mixed`; `None` when it is another type.
///
/// # Errors
/// The boundary is missing or none.
pub fn boundary(content_type: &str) -> Option<Result<String, Invalid>> {
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !essence.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let given = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    let is_good = |boundary: &String| {
        (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len())
            && !boundary.ends_with(' ')
            && boundary
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte))
    };
    Some(given.filter(is_good).ok_or_else(|| {
        Path::named("Content-Type").invalid(CLAUSE, "must have a boundary of 1 to 70 characters")
    }))
}

/// Reads the parts of a body.
///
/// # Errors
/// The body is not made of parts with this boundary.
pub fn read<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<Part<'b>>, Invalid> {
    let broken = |message: &str| Path::named("body").invalid(CLAUSE, message);
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut rest =
        first(body, &delimiter).ok_or_else(|| broken("does not begin with the boundary"))?;
    let mut parts = Vec::new();
    loop {
        // After a delimiter: `--` ends it all, a line's end begins a part.
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let line = find(rest, b"\n").ok_or_else(|| broken("ends within a boundary"))?;
        if !rest.iter().take(line).all(|byte| b" \t\r".contains(byte)) {
            return Err(broken("has a boundary with more on its line"));
        }
        rest = rest.get(line + 1..).unwrap_or_default();
        if parts.len() == MAX_PARTS {
            return Err(Path::named("body").invalid(LIMIT, "has more than 1000 parts"));
        }
        let (part, next) =
            until(rest, &delimiter).ok_or_else(|| broken("does not end with the boundary"))?;
        parts.push(part_of(part)?);
        rest = next;
    }
}

/// Writes one part; the last is followed by [`end`].
pub fn write(out: &mut Vec<u8>, boundary: &str, headers: &[(&str, &str)], bytes: &[u8]) {
    begin(out, boundary, headers);
    out.extend_from_slice(bytes);
    out.extend_from_slice(END_OF_PART);
}

/// What follows the bytes of a part.
pub const END_OF_PART: &[u8] = b"\r\n";

/// Writes what comes before the bytes of a part; [`END_OF_PART`] comes behind them.
pub fn begin(out: &mut Vec<u8>, boundary: &str, headers: &[(&str, &str)]) {
    out.extend_from_slice(b"--");
    out.extend_from_slice(boundary.as_bytes());
    for (name, value) in headers {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// Writes the end of a body.
pub fn end(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
}

/// What follows the first delimiter, which stands at the beginning of a line; a preamble is passed over.
fn first<'b>(body: &'b [u8], delimiter: &[u8]) -> Option<&'b [u8]> {
    if let Some(rest) = body.strip_prefix(delimiter) {
        return Some(rest);
    }
    let mut from = 0;
    loop {
        let at = from + find(body.get(from..)?, delimiter)?;
        if at > 0 && body.get(at - 1) == Some(&b'\n') {
            return body.get(at + delimiter.len()..);
        }
        from = at + 1;
    }
}

/// A part up to the next delimiter, and what follows that. The line's end before a delimiter belongs to it.
fn until<'b>(body: &'b [u8], delimiter: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let mut from = 0;
    loop {
        let at = from + find(body.get(from..)?, delimiter)?;
        let rest = body.get(at + delimiter.len()..)?;
        let is_whole =
            rest.starts_with(b"--") || matches!(rest.first(), Some(b'\r' | b'\n' | b' ' | b'\t'));
        let before = body.get(..at)?;
        if is_whole
            && let Some(part) = before
                .strip_suffix(b"\n")
                .or_else(|| before.is_empty().then_some(before))
        {
            return Some((part.strip_suffix(b"\r").unwrap_or(part), rest));
        }
        from = at + 1;
    }
}

fn part_of(part: &[u8]) -> Result<Part<'_>, Invalid> {
    let broken = |message: &str| Path::named("body").invalid(CLAUSE, message);
    let mut headers = Vec::new();
    let mut rest = part;
    loop {
        let (line, next) = match find(rest, b"\n") {
            Some(end) => (
                rest.get(..end).unwrap_or_default(),
                rest.get(end + 1..).unwrap_or_default(),
            ),
            None if rest.is_empty() => (rest, rest),
            None => return Err(broken("has a part whose headers do not end")),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        rest = next;
        if line.is_empty() {
            return Ok(Part {
                headers,
                bytes: rest,
            });
        }
        if part.len() - rest.len() > MAX_HEADER_BYTES {
            return Err(Path::named("body").invalid(LIMIT, "has a part with headers over 8 KiB"));
        }
        let line =
            std::str::from_utf8(line).map_err(|_| broken("has a header that is not text"))?;
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| broken("has a part with a header without colon"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let at = from
            + haystack
                .get(from..)?
                .iter()
                .position(|byte| *byte == first)?;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{boundary, end, read, write};

    #[test]
    fn the_boundary_is_one_of_a_mixed_body() {
        let good = |text: &str| boundary(text).and_then(Result::ok);
        assert_eq!(
            good("multipart/mixed; boundary=abc").as_deref(),
            Some("abc")
        );
        assert_eq!(
            good("Multipart/Mixed; charset=x; Boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        assert!(boundary("multipart/form-data; boundary=abc").is_none());
        assert!(boundary("multipart/mixed").is_some_and(|given| given.is_err()));
        assert!(boundary("multipart/mixed; boundary=").is_some_and(|given| given.is_err()));
    }

    #[test]
    fn a_boundary_may_begin_with_dashes_and_a_part_may_hold_what_looks_like_it() {
        let body = b"preamble\r\n-----------314159\r\nContent-Type: application/json\r\n\r\n{}\r\n-----------314159\r\nX-A:1\r\n\r\n--x\r\n-----------3141590\r\n-----------314159--\r\nepilogue";
        let parts = read(body, "---------314159").expect("parts");
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].header("content-type"), Some("application/json"));
        assert_eq!(parts[0].bytes, b"{}");
        assert_eq!(parts[1].bytes, b"--x\r\n-----------3141590");
    }

    #[test]
    fn a_body_that_is_not_made_of_parts_is_refused() {
        for body in [
            "",
            "{}",
            "--b",
            "--b\r\n",
            "--b\r\nA: 1\r\n\r\nx",
            "--b\r\nnonsense\r\n\r\nx\r\n--b--",
            "--bx\r\n\r\n--b--",
        ] {
            assert!(read(body.as_bytes(), "b").is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5)) {
            let mut out = Vec::new();
            for body in &bodies {
                write(&mut out, "x-boundary", &[("A", "1")], body);
            }
            end(&mut out, "x-boundary");
            let parts = read(&out, "x-boundary").expect("parts");
            prop_assert_eq!(parts.iter().map(|part| part.bytes.to_vec()).collect::<Vec<_>>(), bodies);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(body in "(--b|\r|\n|-|:|x){0,60}") {
            let _ = read(body.as_bytes(), "b");
        }
    }
}
