//! The blocks of a WebVTT file (W3C *WebVTT*, 6.1): header, comments, styles, regions, cues.

use super::{Cue, Error, Format, MAX_CUES, cue_text, error, timing};

pub(super) fn has_signature(line: &str) -> bool {
    line.strip_prefix("WEBVTT")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

pub(super) fn cues(lines: &[String]) -> Result<Vec<Cue>, Error> {
    if !lines.first().is_some_and(|line| has_signature(line)) {
        return Err(error(1, "a WebVTT file begins with the line WEBVTT"));
    }
    let mut at = end_of_block(lines, 0);
    if let Some(i) = lines[..at].iter().position(|line| line.contains("-->")) {
        return Err(error(
            i + 1,
            "an empty line is missing between the header and the first caption",
        ));
    }
    let mut cues = Vec::new();
    while at < lines.len() {
        if lines[at].is_empty() {
            at += 1;
            continue;
        }
        let end = end_of_block(lines, at);
        let block = &lines[at..end];
        if !is_other(&block[0]) {
            if cues.len() == MAX_CUES {
                return Err(error(
                    at + 1,
                    format!("the file has more than {MAX_CUES} captions"),
                ));
            }
            cues.push(cue(block, at + 1)?);
        }
        at = end;
    }
    Ok(cues)
}

/// The first empty line from there on, or the end of the file.
pub(super) fn end_of_block(lines: &[String], from: usize) -> usize {
    lines[from..]
        .iter()
        .position(String::is_empty)
        .map_or(lines.len(), |n| from + n)
}

/// Whether a block is a comment, a style sheet or a region.
fn is_other(first_line: &str) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|word| {
        first_line
            .strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

fn cue(block: &[String], first_line: usize) -> Result<Cue, Error> {
    let times_at = usize::from(!block[0].contains("-->"));
    let Some(times) = block.get(times_at).filter(|line| line.contains("-->")) else {
        return Err(error(
            first_line,
            "a caption begins with its times, such as 00:00:01.000 --> 00:00:04.000",
        ));
    };
    let (start_ms, end_ms, rest) = timing(times, first_line + times_at, Format::WebVtt)?;
    let text_at = times_at + 1;
    if let Some(i) = block[text_at..]
        .iter()
        .position(|line| line.contains("-->"))
    {
        return Err(error(
            first_line + text_at + i,
            "an empty line is missing before this caption's times",
        ));
    }
    let id = block[0].trim();
    Ok(Cue {
        id: (times_at == 1 && !id.is_empty()).then(|| id.to_owned()),
        start_ms,
        end_ms,
        settings: settings(rest),
        text: cue_text(&block[text_at..], first_line + text_at)?,
    })
}

/// Only settings that say where the caption stands, each once; whatever else is there is left out, as
/// every player would.
pub(super) fn settings(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for setting in text.split_ascii_whitespace() {
        let Some((name, value)) = setting.split_once(':') else {
            continue;
        };
        let known = match name {
            "vertical" => matches!(value, "rl" | "lr"),
            "line" => is_position(value, &["start", "center", "end"], true),
            "position" => is_position(value, &["line-left", "center", "line-right"], false),
            "size" => is_percentage(value),
            "align" => matches!(value, "start" | "center" | "end" | "left" | "right"),
            _ => false,
        };
        let twice = kept
            .iter()
            .any(|other| other.split(':').next() == Some(name));
        if known && !twice {
            kept.push(setting);
        }
    }
    kept.join(" ")
}

fn is_position(value: &str, alignments: &[&str], may_be_a_line: bool) -> bool {
    let (place, alignment) = match value.split_once(',') {
        Some((place, alignment)) => (place, Some(alignment)),
        None => (value, None),
    };
    let digits = place.strip_prefix('-').unwrap_or(place);
    let is_line = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (is_percentage(place) || (may_be_a_line && is_line))
        && alignment.is_none_or(|alignment| alignments.contains(&alignment))
}

fn is_percentage(value: &str) -> bool {
    value.strip_suffix('%').is_some_and(|number| {
        number.len() <= 8
            && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && number
                .parse::<f64>()
                .is_ok_and(|n| (0.0..=100.0).contains(&n))
    })
}
