//! Captions as people bring them (WebVTT, SubRip, TTML), read strictly and within bounds, and printed as one
//! plain kind of WebVTT (W3C *WebVTT*, sections 4 and 6) that every player takes.
//!
//! A file that is wrong is refused with the number of the line and what to do, never mended by
//! guessing: captions out of step are worse than none. What changes nothing that a viewer reads is
//! mended: byte order marks, line ends, order, UTF-16, `<font>`. Styles, regions and comments are
//! dropped; they can name other files or carry notes that were never meant for learners.

mod markup;
mod subrip;
mod ttml;
mod webvtt;

use std::fmt::Write;

/// Largest file: a 12-hour lecture has about 1 MiB.
pub const MAX_BYTES: usize = 4 << 20;
/// Most cues of a file.
pub const MAX_CUES: usize = 50_000;
/// Longest line, in characters.
pub const MAX_LINE_CHARS: usize = 2_000;
/// Most lines of one cue.
pub const MAX_CUE_LINES: usize = 50;
/// Latest end of a cue.
const MAX_TIME_MS: u64 = 100 * 3_600_000;

/// What the uploader says the file is; its first line decides when it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/vtt`
    WebVtt,
    /// `application/x-subrip`
    SubRip,
    /// `application/ttml+xml`
    Ttml,
}

/// The cues of a caption file, ordered by their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captions {
    cues: Vec<Cue>,
}

/// One caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// The name that the author gave it.
    pub id: Option<String>,
    /// When it appears.
    pub start_ms: u64,
    /// When it goes; later than `start_ms`.
    pub end_ms: u64,
    /// WebVTT cue settings, only known ones, one space between two.
    pub settings: String,
    /// WebVTT cue text: lines without empty ones, escaped, only known tags.
    pub text: String,
}

/// A line of the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it is said.
    pub start_ms: u64,
    /// When it has been said.
    pub end_ms: u64,
    /// Who says it, where the captions name a voice.
    pub speaker: Option<String>,
    /// What is said, without any markup.
    pub text: String,
}

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Error {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what to do, for a person.
    pub message: String,
}

/// Reads a caption file.
pub fn parse(bytes: &[u8], hint: Option<Format>) -> Result<Captions, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(error(
            1,
            format!("the file is larger than {} MiB", MAX_BYTES >> 20),
        ));
    }
    let text = decode(bytes)?;
    // What is XML may lie on one line of any length.
    if hint == Some(Format::Ttml) || ttml::is_xml(&text) {
        return whole(ttml::cues(&text)?, 1);
    }
    let lines: Vec<String> = split_lines(&text);
    if let Some(i) = lines
        .iter()
        .position(|line| line.chars().count() > MAX_LINE_CHARS)
    {
        return Err(error(
            i + 1,
            format!("the line is longer than {MAX_LINE_CHARS} characters"),
        ));
    }
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Err(error(1, "the file is empty"));
    }
    let cues = match (webvtt::has_signature(&lines[0]), hint) {
        (true, _) | (false, Some(Format::WebVtt)) => webvtt::cues(&lines)?,
        (false, _) => subrip::cues(&lines)?,
    };
    whole(cues, lines.len())
}

fn whole(mut cues: Vec<Cue>, last_line: usize) -> Result<Captions, Error> {
    cues.retain(|cue| !cue.text.is_empty());
    if cues.is_empty() {
        return Err(error(last_line, "the file holds no captions"));
    }
    cues.sort_by_key(|cue| cue.start_ms);
    Ok(Captions { cues })
}

impl Captions {
    /// Captions of times and WebVTT texts ([`cue_of_plain`], [`cue_of_tagged`]), in any order; none where
    /// there is nothing to show. What ends before it begins is left out.
    pub fn of_cues(cues: Vec<(u64, u64, String)>) -> Option<Self> {
        let mut cues: Vec<Cue> = cues
            .into_iter()
            .filter(|(start_ms, end_ms, text)| {
                start_ms < end_ms && *end_ms <= MAX_TIME_MS && !text.is_empty()
            })
            .map(|(start_ms, end_ms, text)| Cue {
                id: None,
                start_ms,
                end_ms,
                settings: String::new(),
                text,
            })
            .collect();
        cues.sort_by_key(|cue| cue.start_ms);
        (!cues.is_empty()).then_some(Self { cues })
    }

    /// The cues, ordered by their beginning; at least one.
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// The file that players get.
    pub fn to_vtt(&self) -> String {
        let mut out = String::from("WEBVTT\n");
        for cue in &self.cues {
            out.push('\n');
            if let Some(id) = &cue.id {
                out.push_str(id);
                out.push('\n');
            }
            let (start, end) = (clock(cue.start_ms), clock(cue.end_ms));
            let space = if cue.settings.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{start} --> {end}{space}{}\n{}",
                cue.settings, cue.text
            );
        }
        out
    }

    /// The words alone, to be read or searched.
    pub fn transcript(&self) -> impl Iterator<Item = Line> {
        self.cues.iter().map(|cue| {
            let (speaker, text) = markup::plain(&cue.text);
            Line {
                start_ms: cue.start_ms,
                end_ms: cue.end_ms,
                speaker,
                text,
            }
        })
    }

    /// When the last caption goes.
    pub fn end_ms(&self) -> u64 {
        self.cues.iter().map(|cue| cue.end_ms).max().unwrap_or(0)
    }
}

/// Text of UTF-8 or, with a byte order mark, UTF-16.
fn decode(bytes: &[u8]) -> Result<String, Error> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] if rest.len() % 2 == 0 => utf16(rest, u16::from_le_bytes)
            .map_err(|_| error(1, "the file is broken UTF-16; save it as UTF-8")),
        [0xfe, 0xff, rest @ ..] if rest.len() % 2 == 0 => utf16(rest, u16::from_be_bytes)
            .map_err(|_| error(1, "the file is broken UTF-16; save it as UTF-8")),
        _ => {
            let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(rest) {
                Ok(text) => Ok(text.to_owned()),
                Err(e) => {
                    let before = String::from_utf8_lossy(&rest[..e.valid_up_to()]);
                    let line = split_lines(&before).len().max(1);
                    Err(error(
                        line,
                        "a character is not UTF-8; open the file in an editor and save it as UTF-8",
                    ))
                }
            }
        }
    }
}

/// Lines by CRLF, LF or CR; control characters that no caption needs are left out.
fn split_lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n")
        .split(['\n', '\r'])
        .map(|line| {
            line.chars()
                .map(|c| if c == '\t' { ' ' } else { c })
                .filter(|c| !c.is_control() && *c != '\u{feff}')
                .collect()
        })
        .collect()
}

/// A block of text lines as cue text: markup cleaned, no empty line, no trailing blanks.
fn cue_text(lines: &[String], first_line: usize) -> Result<String, Error> {
    if lines.len() > MAX_CUE_LINES {
        return Err(error(
            first_line,
            format!("the caption has more than {MAX_CUE_LINES} lines; is an empty line missing?"),
        ));
    }
    let cleaned = markup::clean(&lines.join("\n"));
    let kept: Vec<&str> = cleaned
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Ok(kept.join("\n"))
}

/// A cue's text of words alone: `<` and `&` are what they look like.
pub fn cue_of_plain(words: &str) -> String {
    let escaped = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    cue_of_tagged(&escaped)
}

/// A cue's text of words with tags and escapes: known ones stay, others go, as does what is too much.
pub fn cue_of_tagged(words: &str) -> String {
    let lines = split_lines(words);
    let lines: Vec<String> = lines
        .iter()
        .take(MAX_CUE_LINES)
        .map(|line| line.chars().take(MAX_LINE_CHARS / 8).collect())
        .collect();
    cue_text(&lines, 1).unwrap_or_default()
}

/// The two times of a line with `-->`, and what stands behind them.
fn timing(line: &str, number: usize, format: Format) -> Result<(u64, u64, &str), Error> {
    let (start, rest) = line
        .split_once("-->")
        .ok_or_else(|| error(number, "two times with --> between them are expected"))?;
    let rest = rest.trim_start();
    let (end, settings) = rest.split_once(' ').unwrap_or((rest, ""));
    let parse = |text: &str| {
        time(text.trim(), format).ok_or_else(|| {
            let example = match format {
                Format::SubRip => "00:01:02,500",
                _ => "00:01:02.500",
            };
            let shown: String = text.trim().chars().take(40).collect();
            error(
                number,
                format!("\"{shown}\" is no time; a time looks like {example}"),
            )
        })
    };
    let (start_ms, end_ms) = (parse(start)?, parse(end)?);
    if end_ms <= start_ms {
        return Err(error(
            number,
            format!("the caption ends at {}, not after it begins", clock(end_ms)),
        ));
    }
    if end_ms > MAX_TIME_MS {
        return Err(error(number, "the caption ends after more than 100 hours"));
    }
    Ok((start_ms, end_ms, settings.trim()))
}

/// `hh:mm:ss.mmm`; WebVTT lets the hours out, SubRip writes a comma and some a dot.
fn time(text: &str, format: Format) -> Option<u64> {
    let (whole, fraction) = match format {
        Format::SubRip => text.split_once([',', '.'])?,
        _ => text.split_once('.')?,
    };
    let number = |digits: &str, least: usize, most: usize| -> Option<u64> {
        let is_number =
            (least..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    let parts: Vec<&str> = whole.split(':').collect();
    let (hours, minutes, seconds) = match (parts.as_slice(), format) {
        ([hours, minutes, seconds], Format::WebVtt) => (number(hours, 2, 4)?, minutes, seconds),
        ([hours, minutes, seconds], Format::SubRip) => (number(hours, 1, 4)?, minutes, seconds),
        ([minutes, seconds], Format::WebVtt) => (0, minutes, seconds),
        _ => return None,
    };
    let (minutes, seconds) = (number(minutes, 2, 2)?, number(seconds, 2, 2)?);
    let ms = number(fraction, 3, 3)?;
    (minutes < 60 && seconds < 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + ms)
}

fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        ms % 1000
    )
}

fn error(line: usize, message: impl Into<String>) -> Error {
    Error {
        line,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests;
