//! TTML as captions come in (W3C *TTML1* 3rd edition and *IMSC 1.1* text profile; also EBU-TT-D and DFXP): what is said
//! when, who says it, where it stands, and whether it is slanted, bold or underlined. Colours, fonts, ruby, animation
//! and pictures are left out. Times must count from the beginning of the film (`ttp:timeBase="media"`, the default).

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Cue, Error, MAX_CUES, MAX_TIME_MS, clock, cue_of_tagged, error, webvtt};

/// Elements within one another.
const MAX_DEPTH: usize = 64;
/// TTML1, 6.2.4.
const FRAMES_A_SECOND: f64 = 30.0;
/// Below this share of the picture a caption stands where captions stand anyway.
const LOW_PERCENT: f64 = 78.0;
/// A narrower region is a place of its own.
const NARROW_PERCENT: f64 = 70.0;

/// Whether a text is XML, as no other caption file is.
pub(super) fn is_xml(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("<?xml") || text.starts_with("<tt") || text.starts_with("<!--")
}

pub(super) fn cues(text: &str) -> Result<Vec<Cue>, Error> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Document::default();
    loop {
        let read = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let wrong = |message: String| error(line, message);
        let broken = |e: &dyn std::fmt::Display| wrong(format!("the XML is broken: {e}"));
        match read.map_err(|e| broken(&e))? {
            Event::Start(start) => document.open(&start).map_err(wrong)?,
            Event::End(_) => document.close().map_err(wrong)?,
            Event::Text(words) => document.say(&words.decode().map_err(|e| broken(&e))?),
            Event::CData(words) => document.say(&words.decode().map_err(|e| broken(&e))?),
            Event::GeneralRef(name) => {
                let named = match name.resolve_char_ref().map_err(|e| broken(&e))? {
                    Some(letter) => Some(letter),
                    None => match &*name.decode().map_err(|e| broken(&e))? {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                };
                let letter = named.ok_or_else(|| wrong("an entity is not known".into()))?;
                document.say(letter.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => {
                return Err(wrong("a document type is not allowed; take it out".into()));
            }
            Event::Eof => return document.finish(line),
            _ => {}
        }
    }
}

/// How a text looks, as far as it is kept; none: as what is around it.
#[derive(Debug, Clone, Default)]
struct Look {
    italic: Option<bool>,
    bold: Option<bool>,
    underline: Option<bool>,
    align: Option<String>,
    /// `before`, `center`, `after`, and x, y, width, height in percent: a region's.
    display: Option<String>,
    origin: Option<(f64, f64)>,
    extent: Option<(f64, f64)>,
}

impl Look {
    /// What `above` says, where this says nothing.
    fn over(self, above: &Self) -> Self {
        Self {
            italic: self.italic.or(above.italic),
            bold: self.bold.or(above.bold),
            underline: self.underline.or(above.underline),
            align: self.align.or_else(|| above.align.clone()),
            display: self.display.or_else(|| above.display.clone()),
            origin: self.origin.or(above.origin),
            extent: self.extent.or(above.extent),
        }
    }
}

/// An element that is open.
#[derive(Debug, Clone, Default)]
struct Open {
    name: String,
    /// On the film's time.
    begin_ms: u64,
    end_ms: Option<u64>,
    look: Look,
    region: Option<String>,
    agent: Option<String>,
    keeps_space: bool,
}

/// Words of one paragraph with the same times.
struct Run {
    begin_ms: u64,
    end_ms: Option<u64>,
    text: String,
}

#[derive(Default)]
struct Document {
    rates: Rates,
    styles: HashMap<String, Look>,
    regions: HashMap<String, Look>,
    agents: HashMap<String, String>,
    open: Vec<Open>,
    /// The region, style or agent that is being described.
    described: Option<String>,
    runs: Vec<Run>,
    cues: Vec<Cue>,
}

struct Rates {
    frames: f64,
    ticks: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            frames: FRAMES_A_SECOND,
            ticks: 1.0,
        }
    }
}

impl Document {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("elements lie more than {MAX_DEPTH} deep"));
        }
        let name = text_of(start.local_name().as_ref());
        let attributes = attributes(start)?;
        if self.open.is_empty() {
            if name != "tt" {
                return Err("this is XML, but no TTML: its first element is not <tt>".into());
            }
            self.rates = Rates::of(&attributes)?;
        }
        let above = self.open.last().cloned().unwrap_or_default();
        let said = self.look_of(&attributes);
        let id = attributes.get("id").cloned();
        let get = |name: &str| attributes.get(name).cloned();
        let mut open = Open {
            look: said.clone().over(&above.look),
            region: get("region").or_else(|| above.region.clone()),
            agent: get("agent").or_else(|| above.agent.clone()),
            keeps_space: match get("space").as_deref() {
                Some("preserve") => true,
                Some(_) => false,
                None => above.keeps_space,
            },
            begin_ms: above.begin_ms,
            end_ms: above.end_ms,
            name,
        };
        match open.name.as_str() {
            "style" => match (&id, above.name.as_str()) {
                (_, "region") => self.describe_region(said),
                (Some(id), _) => {
                    self.styles.insert(id.clone(), said);
                }
                (None, _) => {}
            },
            "region" => {
                self.described = id;
                self.describe_region(said);
            }
            "agent" => self.described = id,
            "body" | "div" | "p" | "span" => self.time(&mut open, &above, &attributes)?,
            "br" => self.add("\n", &above),
            _ => {}
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(closed) = self.open.pop() else {
            return Ok(());
        };
        match closed.name.as_str() {
            "region" | "agent" => self.described = None,
            "p" => self.paragraph(&closed)?,
            _ => {}
        }
        Ok(())
    }

    fn describe_region(&mut self, said: Look) {
        if let Some(id) = &self.described {
            let known = self.regions.remove(id).unwrap_or_default();
            self.regions.insert(id.clone(), said.over(&known));
        }
    }

    /// TTML1, 10.4: what begins within something counts from its beginning and ends with it.
    fn time(
        &self,
        open: &mut Open,
        above: &Open,
        attributes: &HashMap<String, String>,
    ) -> Result<(), String> {
        if attributes
            .get("timeContainer")
            .is_some_and(|kind| kind == "seq")
        {
            return Err(
                "timeContainer=\"seq\" is not read; save the file with a time for each caption"
                    .into(),
            );
        }
        let read = |name: &str| match attributes.get(name) {
            None => Ok(None),
            Some(text) => match self.rates.ms(text) {
                Some(ms) => Ok(Some(ms)),
                None => {
                    let shown: String = text.chars().take(40).collect();
                    Err(format!(
                        "\"{shown}\" is no time; a time looks like 00:01:02.500 or 62.5s"
                    ))
                }
            },
        };
        let (begin, end, length) = (read("begin")?, read("end")?, read("dur")?);
        open.begin_ms = above.begin_ms.saturating_add(begin.unwrap_or(0));
        let ends = [
            end.map(|ms| above.begin_ms.saturating_add(ms)),
            length.map(|ms| open.begin_ms.saturating_add(ms)),
            above.end_ms,
        ];
        open.end_ms = ends.into_iter().flatten().min();
        Ok(())
    }

    fn look_of(&self, attributes: &HashMap<String, String>) -> Look {
        let is = |name: &str, value: &str| attributes.get(name).map(|said| said == value);
        let mut look = Look {
            italic: attributes
                .get("fontStyle")
                .map(|style| style == "italic" || style == "oblique"),
            bold: is("fontWeight", "bold"),
            underline: is("textDecoration", "underline"),
            align: attributes.get("textAlign").cloned(),
            display: attributes.get("displayAlign").cloned(),
            origin: attributes.get("origin").and_then(|text| pair(text)),
            extent: attributes.get("extent").and_then(|text| pair(text)),
        };
        // The last one that is named counts most.
        let named = attributes
            .get("style")
            .map(String::as_str)
            .unwrap_or_default();
        for id in named.split_ascii_whitespace().rev() {
            if let Some(style) = self.styles.get(id) {
                look = look.over(style);
            }
        }
        look
    }

    fn say(&mut self, words: &str) {
        let Some(open) = self.open.last().cloned() else {
            return;
        };
        match open.name.as_str() {
            "name" => {
                if let Some(id) = &self.described {
                    let name = words.trim().to_owned();
                    self.agents.entry(id.clone()).or_insert(name);
                }
            }
            "p" | "span" => {
                let said = match open.keeps_space {
                    true => words.to_owned(),
                    false => collapsed(words),
                };
                let mut text = said
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;");
                let look = &open.look;
                for (tag, is_so) in [("u", look.underline), ("i", look.italic), ("b", look.bold)] {
                    if is_so == Some(true) && !text.trim().is_empty() {
                        text = format!("<{tag}>{text}</{tag}>");
                    }
                }
                self.add(&text, &open);
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str, open: &Open) {
        if !matches!(open.name.as_str(), "p" | "span") {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if (run.begin_ms, run.end_ms) == (open.begin_ms, open.end_ms) => {
                run.text.push_str(text);
            }
            _ => self.runs.push(Run {
                begin_ms: open.begin_ms,
                end_ms: open.end_ms,
                text: text.to_owned(),
            }),
        }
    }

    /// One caption for each time that a paragraph's words have.
    fn paragraph(&mut self, closed: &Open) -> Result<(), String> {
        let agent = closed.agent.as_ref().and_then(|id| self.agents.get(id));
        let voice = agent.filter(|name| !name.is_empty());
        let voice = voice.map(|name| format!("<v {}>", name.replace(['<', '>', '&', '\n'], " ")));
        let mut place = closed.look.clone();
        if let Some(region) = closed.region.as_ref().and_then(|id| self.regions.get(id)) {
            place = place.over(region);
        }
        for run in std::mem::take(&mut self.runs) {
            let text = cue_of_tagged(&run.text);
            if text.is_empty() {
                continue;
            }
            let end_ms = run.end_ms.ok_or_else(|| {
                format!(
                    "the caption that begins at {} has no end",
                    clock(run.begin_ms)
                )
            })?;
            if end_ms <= run.begin_ms {
                return Err(format!(
                    "the caption ends at {}, not after it begins",
                    clock(end_ms)
                ));
            }
            if end_ms > MAX_TIME_MS {
                return Err("the caption ends after more than 100 hours".into());
            }
            if self.cues.len() >= MAX_CUES {
                return Err(format!("the file holds more than {MAX_CUES} captions"));
            }
            self.cues.push(Cue {
                id: None,
                start_ms: run.begin_ms,
                end_ms,
                settings: webvtt::settings(&settings(&place)),
                text: match &voice {
                    Some(voice) => cue_of_tagged(&format!("{voice}{text}")),
                    None => text,
                },
            });
        }
        Ok(())
    }

    fn finish(self, line: usize) -> Result<Vec<Cue>, Error> {
        match self.open.is_empty() {
            true => Ok(self.cues),
            false => Err(error(
                line,
                "the file is cut short: an element does not end",
            )),
        }
    }
}

/// WebVTT's words for a place (W3C *WebVTT*, 4.4); none for where captions stand anyway.
fn settings(look: &Look) -> String {
    let mut all = Vec::new();
    if let (Some((x, y)), Some((width, height))) = (look.origin, look.extent) {
        let (line, anchor) = match look.display.as_deref() {
            Some("after") => (y + height, ",end"),
            Some("center") => (y + height / 2.0, ",center"),
            _ => (y, ""),
        };
        if line < LOW_PERCENT {
            all.push(format!("line:{}%{anchor}", rounded(line)));
        }
        if width < NARROW_PERCENT {
            all.push(format!("position:{}%,center", rounded(x + width / 2.0)));
            all.push(format!("size:{}%", rounded(width)));
        }
    }
    if let Some(align) = look.align.as_deref().filter(|align| *align != "center") {
        all.push(format!("align:{align}"));
    }
    all.join(" ")
}

fn rounded(percent: f64) -> f64 {
    (percent.clamp(0.0, 100.0) * 100.0).round() / 100.0
}

/// `10% 80%`; other units say nothing without the size of the picture.
fn pair(text: &str) -> Option<(f64, f64)> {
    let mut parts = text.split_ascii_whitespace();
    let mut next = || {
        let number: f64 = parts.next()?.strip_suffix('%')?.parse().ok()?;
        (0.0..=100.0).contains(&number).then_some(number)
    };
    Some((next()?, next()?))
}

fn collapsed(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter.is_ascii_whitespace() {
            true if text.ends_with(' ') => {}
            true => text.push(' '),
            false => text.push(letter),
        }
    }
    text
}

/// By their local names: the prefixes of `ttp:`, `tts:`, `ttm:` and `xml:` are the author's choice.
fn attributes(start: &BytesStart<'_>) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| format!("the XML is broken: {e}"))?;
        let value = attribute
            .unescape_value()
            .map_err(|e| format!("the XML is broken: {e}"))?;
        let name = text_of(attribute.key.local_name().as_ref());
        found.insert(name, value.trim().to_owned());
    }
    Ok(found)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Rates {
    /// TTML1, 6.2.
    fn of(attributes: &HashMap<String, String>) -> Result<Self, String> {
        let base = attributes.get("timeBase").map_or("media", String::as_str);
        if base != "media" {
            return Err(format!(
                "its times count by {base:?}; save the file with times from the beginning (\"media\")"
            ));
        }
        let number = |name: &str| -> Result<Option<f64>, String> {
            let Some(text) = attributes.get(name) else {
                return Ok(None);
            };
            let number = text.parse().ok().filter(|n| (0.001..=1e10).contains(n));
            number
                .map(Some)
                .ok_or_else(|| format!("{name} is no rate: {text:?}"))
        };
        let said = number("frameRate")?;
        let mut frames = said.unwrap_or(FRAMES_A_SECOND);
        if let Some(text) = attributes.get("frameRateMultiplier") {
            let mut parts = text.split([' ', ':']).map(str::parse::<f64>);
            let share = match (parts.next(), parts.next()) {
                (Some(Ok(above)), Some(Ok(below))) if above > 0.0 && below > 0.0 => above / below,
                _ => return Err(format!("frameRateMultiplier is no share: {text:?}")),
            };
            frames *= share;
        }
        let ticks = number("tickRate")?;
        Ok(Self {
            frames,
            ticks: ticks.or(said.map(|_| frames)).unwrap_or(1.0),
        })
    }

    /// TTML1, 10.3.1: `00:01:02.5`, `00:01:02:12` (frames), `62.5s`, `1.5m`, `25f`, `900t`.
    fn ms(&self, text: &str) -> Option<u64> {
        let seconds = match text.contains(':') {
            true => self.clock(text)?,
            false => {
                let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
                let (number, unit) = text.split_at(unit);
                let number = decimal(number)?;
                match unit {
                    "h" => number * 3600.0,
                    "m" => number * 60.0,
                    "s" => number,
                    "ms" => number / 1000.0,
                    "f" => number / self.frames,
                    "t" => number / self.ticks,
                    _ => return None,
                }
            }
        };
        let ms = (seconds * 1000.0).round();
        (0.0..=1e12).contains(&ms).then_some(ms as u64)
    }

    fn clock(&self, text: &str) -> Option<f64> {
        let parts: Vec<&str> = text.split(':').collect();
        let ([hours, minutes, seconds] | [hours, minutes, seconds, _]) = parts.as_slice() else {
            return None;
        };
        let whole = |text: &str, below: f64| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number: f64 = text.parse().ok().filter(|_| is_number)?;
            (number < below).then_some(number)
        };
        let frames = match parts.get(3) {
            Some(frames) => decimal(frames)? / self.frames,
            None => 0.0,
        };
        let seconds = match parts.get(3) {
            Some(_) => whole(seconds, 60.0)?,
            None => decimal(seconds).filter(|seconds| *seconds < 60.0)?,
        };
        Some(whole(hours, 10_000.0)? * 3600.0 + whole(minutes, 60.0)? * 60.0 + seconds + frames)
    }
}

fn decimal(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_number)
}
