//! Tags and escapes within a cue (W3C *WebVTT*, 4.2.2): cleaned so that any reader finds the same text,
//! or taken out for a transcript.
//!
//! Cleaning twice gives what cleaning once gave; a clean text holds no `>` outside a tag, hence never
//! the arrow `-->`.

use super::{Format, clock, time};

/// Escapes that WebVTT knows, and their characters.
const ESCAPES: [(&str, char); 6] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&nbsp;", '\u{a0}'),
    ("&lrm;", '\u{200e}'),
    ("&rlm;", '\u{200f}'),
];

enum Piece<'a> {
    /// A character of the text, already decoded.
    Char(char),
    /// What stands between `<` and `>`.
    Tag(&'a str),
}

/// Known tags stay, unknown ones go, everything else is escaped.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    pieces(text, |piece| match piece {
        Piece::Tag(tag) => {
            if let Some(tag) = known_tag(tag) {
                out.push('<');
                out.push_str(&tag);
                out.push('>');
            }
        }
        Piece::Char(c) => match ESCAPES.iter().find(|(_, plain)| *plain == c) {
            Some((escape, _)) => out.push_str(escape),
            None => out.push(c),
        },
    });
    out
}

/// The first voice and the words of a cue, on one line.
pub(super) fn plain(text: &str) -> (Option<String>, String) {
    let mut speaker = None;
    let mut words = String::new();
    pieces(text, |piece| match piece {
        Piece::Tag(tag) => {
            if let Some(tag) = known_tag(tag)
                && tag.starts_with('v')
                && let Some((_, name)) = tag.split_once(' ')
                && speaker.is_none()
            {
                speaker = Some(name.to_owned());
            }
        }
        Piece::Char('\n' | '\u{a0}') => words.push(' '),
        Piece::Char(c) => words.push(c),
    });
    (
        speaker,
        words.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

fn pieces(text: &str, mut each: impl FnMut(Piece<'_>)) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = rest.find('>')
            && is_tag(&rest[1..end])
        {
            each(Piece::Tag(&rest[1..end]));
            rest = &rest[end + 1..];
        } else if c == '&'
            && let Some((escape, plain)) =
                ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape))
        {
            each(Piece::Char(*plain));
            rest = &rest[escape.len()..];
        } else {
            each(Piece::Char(c));
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// Whether what stands between `<` and `>` is a tag at all, and not "a < b and c > d".
fn is_tag(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    !inner.contains('<') && name.starts_with(|c: char| c.is_ascii_alphanumeric()) || inner == "/"
}

/// The tag in its plain form, if WebVTT knows it.
fn known_tag(inner: &str) -> Option<String> {
    if let Some(ms) = time(inner, Format::WebVtt) {
        return Some(clock(ms));
    }
    let (head, annotation) = match inner.split_once(|c: char| c.is_whitespace()) {
        Some((head, annotation)) => (head, annotation),
        None => (inner, ""),
    };
    if let Some(name) = head.strip_prefix('/') {
        return is_known(name).then(|| format!("/{name}"));
    }
    let mut parts = head.split('.');
    let name = parts.next().filter(|name| is_known(name))?;
    let mut tag = name.to_owned();
    for class in parts {
        if !class.is_empty()
            && class
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        {
            tag.push('.');
            tag.push_str(class);
        }
    }
    if matches!(name, "v" | "lang") {
        let words: Vec<&str> = annotation.split_whitespace().collect();
        let words = words.join(" ").replace('&', "and");
        if !words.is_empty() {
            tag.push(' ');
            tag.push_str(&words);
        }
    }
    // Before the closing `>` these would make an arrow.
    if tag.ends_with('-') {
        tag.truncate(tag.trim_end_matches(['-', ' ', '.']).len());
    }
    Some(tag)
}

fn is_known(name: &str) -> bool {
    matches!(name, "b" | "i" | "u" | "c" | "v" | "lang" | "ruby" | "rt")
}
