//! The blocks of a SubRip file: a number, two times, text, an empty line. No standard says so; this is
//! what its writers share.

use super::webvtt::end_of_block;
use super::{Cue, Error, Format, MAX_CUES, cue_text, error, timing};

pub(super) fn cues(lines: &[String]) -> Result<Vec<Cue>, Error> {
    // A line of blanks is an empty line here: editors leave them.
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let mut cues: Vec<Cue> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].is_empty() {
            at += 1;
            continue;
        }
        if cues.len() == MAX_CUES {
            return Err(error(
                at + 1,
                format!("the file has more than {MAX_CUES} captions"),
            ));
        }
        let is_number = lines[at].trim().bytes().all(|b| b.is_ascii_digit());
        let times_at = at + usize::from(is_number);
        let Some(times) = lines.get(times_at).filter(|line| line.contains("-->")) else {
            let message = if cues.is_empty() && !is_number {
                "this is neither WebVTT (first line WEBVTT) nor SubRip (first line 1)"
            } else {
                "a caption begins with its number and its times, such as 00:00:01,000 --> 00:00:04,000"
            };
            return Err(error(at + 1, message));
        };
        let (start_ms, end_ms, _) = timing(times, times_at + 1, Format::SubRip)?;
        let end = end_of_block(&lines, times_at);
        let text = without_overrides(&lines[times_at + 1..end]);
        cues.push(Cue {
            id: None,
            start_ms,
            end_ms,
            settings: String::new(),
            text: cue_text(&text, times_at + 2)?,
        });
        at = end;
    }
    Ok(cues)
}

/// Leaves out `{\an8}` and its kind, which some writers borrowed from another format.
fn without_overrides(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let mut kept = String::new();
            let mut rest = line.as_str();
            while let Some(open) = rest.find("{\\") {
                let Some(close) = rest[open..].find('}') else {
                    break;
                };
                kept.push_str(&rest[..open]);
                rest = &rest[open + close + 1..];
            }
            kept + rest
        })
        .collect()
}
