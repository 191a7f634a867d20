//! Subtitles that lie in the source: taken out while the rungs are made, and handed to the daemon as one
//! WebVTT document each, which it keeps as captions of the video. Pictures of subtitles are not read.

use std::sync::{Arc, Mutex};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::decode::{add, add_coded_queue};
use super::encode::link;
use super::failure::Failure;
use super::probe::{Facts, Text};
use super::shelf::Shelf;
use crate::captions::{Captions, MAX_CUES, cue_of_plain, cue_of_tagged};
use crate::protocol::{Message, SourceText};

/// The longest text of one caption that is read.
const MOST_TEXT_BYTES: usize = 8 << 10;
/// Of all together.
const MOST_BYTES: usize = crate::captions::MAX_BYTES / 2;
/// A caption that says of no end is shown so long.
const UNENDED_MS: u64 = 5000;

/// How subtitles are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words alone.
    Plain,
    /// Words with tags such as `<i>`, and `&amp;` for `&`.
    Tagged,
    /// Advanced SubStation Alpha, as Matroska holds it: fields before the words, `{\…}` among them.
    Ass,
    /// As WebM holds WebVTT: an identifier, settings and the words, each on lines of its own.
    WebmVtt,
}

impl Form {
    /// By what GStreamer's demuxers say; none for what is not read.
    pub fn of(caps: &gst::StructureRef, is_webm: bool) -> Option<Self> {
        match caps.name().as_str() {
            "text/x-raw" => match caps.get::<&str>("format") {
                Ok("pango-markup") => Some(Self::Tagged),
                _ => Some(Self::Plain),
            },
            "application/x-ass" | "application/x-ssa" => Some(Self::Ass),
            "application/x-subtitle-vtt" => Some(Self::Tagged),
            "application/x-subtitle-unknown" if is_webm => Some(Self::WebmVtt),
            _ => None,
        }
    }

    /// The words of one block as WebVTT.
    fn words(self, block: &str) -> String {
        match self {
            Self::Plain => cue_of_plain(block),
            Self::Tagged => cue_of_tagged(block),
            Self::Ass => cue_of_plain(&without_fields(block)),
            Self::WebmVtt => {
                let mut lines = block.splitn(3, '\n');
                cue_of_tagged(lines.nth(2).unwrap_or_default())
            }
        }
    }
}

/// Leaves out what ASS writes before the words and among them.
fn without_fields(block: &str) -> String {
    // ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
    let words = block.splitn(9, ',').nth(8).unwrap_or_default();
    let mut kept = String::new();
    let mut rest = words;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}') else {
            break;
        };
        kept.push_str(&rest[..open]);
        rest = &rest[open + close + 1..];
    }
    kept.push_str(rest);
    kept.replace("\\N", "\n")
        .replace("\\n", "\n")
        .replace("\\h", " ")
}

/// Adds what collects a text; returns where its stream goes in.
pub fn add_text(
    pipeline: &gst::Pipeline,
    text: &Text,
    facts: &Facts,
    shelf: &Shelf,
) -> Result<gst::Element, Failure> {
    let queue = add_coded_queue(pipeline)?;
    let collected = Arc::new(Mutex::new(Collected {
        text: text.clone(),
        start_ns: facts.start_ns,
        end_ms: facts.ladder.duration_ns.div_ceil(1_000_000),
        cues: Vec::new(),
        bytes: 0,
    }));
    let at_end = Arc::clone(&collected);
    let shelf = shelf.clone();
    let sink = AppSink::builder()
        .sync(false)
        .async_(false)
        .max_buffers(4)
        .callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    let mut collected = collected.lock().map_err(|_| gst::FlowError::Error)?;
                    collected.take(&sample);
                    Ok(gst::FlowSuccess::Ok)
                })
                .eos(move |_| {
                    if let Ok(mut collected) = at_end.lock()
                        && let Some(text) = collected.finish()
                    {
                        shelf.tell(Message::Text(text));
                    }
                })
                .build(),
        )
        .build();
    add(pipeline, sink.upcast_ref())?;
    link(&queue, sink.upcast_ref())?;
    Ok(queue)
}

struct Collected {
    text: Text,
    start_ns: u64,
    end_ms: u64,
    /// Beginning, end, words.
    cues: Vec<(u64, u64, String)>,
    bytes: usize,
}

impl Collected {
    fn take(&mut self, sample: &gst::Sample) {
        let (Some(buffer), Some(segment)) = (sample.buffer(), sample.segment()) else {
            return;
        };
        let Some(segment) = segment.downcast_ref::<gst::ClockTime>() else {
            return;
        };
        let at = buffer.pts().and_then(|pts| segment.to_running_time(pts));
        let (Some(at), Ok(map)) = (at, buffer.map_readable()) else {
            return;
        };
        if map.len() > MOST_TEXT_BYTES || self.bytes + map.len() > MOST_BYTES {
            return;
        }
        let end = buffer.duration().map(|length| at + length);
        let on_our_clock =
            |at: gst::ClockTime| at.nseconds().saturating_sub(self.start_ns) / 1_000_000;
        let start_ms = on_our_clock(at);
        let end_ms = end.map_or(start_ms + UNENDED_MS, on_our_clock);
        let block = String::from_utf8_lossy(&map);
        let block = block.trim_end_matches('\0').replace("\r\n", "\n");
        let words = self.text.form.words(&block);
        if !words.is_empty() && self.cues.len() < MAX_CUES && start_ms < self.end_ms {
            self.bytes += words.len();
            self.cues.push((start_ms, end_ms.min(self.end_ms), words));
        }
    }

    fn finish(&mut self) -> Option<SourceText> {
        let captions = Captions::of_cues(std::mem::take(&mut self.cues))?;
        Some(SourceText {
            language: self.text.language.clone(),
            label: self.text.label.clone(),
            vtt: captions.to_vtt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_gives_its_words() {
        for (form, block, words) in [
            (Form::Plain, "a < b\n\n & c", "a &lt; b\n&amp; c"),
            (
                Form::Tagged,
                "<i>one</i> &amp; <font color=red>two</font>",
                "<i>one</i> &amp; two",
            ),
            (
                Form::Ass,
                "0,0,Default,,0,0,0,,Hello {\\i1}there{\\i0}\\Nyou, man",
                "Hello there\nyou, man",
            ),
            (Form::Ass, "too,few,fields", ""),
            (Form::WebmVtt, "7\nalign:start\nHello\nyou", "Hello\nyou"),
            (Form::WebmVtt, "\n\n<v Ann>Hi", "<v Ann>Hi"),
        ] {
            assert_eq!(form.words(block), words, "{form:?} {block:?}");
        }
    }
}
