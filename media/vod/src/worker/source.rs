//! The way into a source: `filesrc ! parsebin`, which yields each stream parsed but not
//! decoded, for the probe and for the work alike; and the words for what GStreamer reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::elements::make;
use super::encode::{pad, segment_from};
use super::failure::Failure;

/// The source, opened anew through the descriptor that the daemon passed.
pub const INPUT: &str = "/proc/self/fd/3";

/// Picture or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A picture that moves.
    Video,
    /// Sound.
    Audio,
    /// Subtitles that are text.
    Text,
    /// Pictures of subtitles, data, attachments.
    Other,
}

/// The way into the source.
pub struct Source {
    /// `parsebin`: pads come and go.
    pub parse: gst::Element,
    /// The `typefind` in it.
    pub typefind: gst::Element,
    /// Bytes read so far, those read twice counted twice.
    pub read: Arc<AtomicU64>,
}

/// Adds the source to a pipeline.
pub fn add_source(pipeline: &gst::Pipeline) -> Result<Source, Failure> {
    let file = make("filesrc")?;
    file.set_property("location", INPUT);
    file.set_property("blocksize", 65_536_u32);
    let parse = make("parsebin")?;
    let typefind = parse
        .downcast_ref::<gst::Bin>()
        .and_then(|bin| bin.by_name("typefind"))
        .ok_or_else(|| Failure::Machine("parsebin has no typefind".into()))?;
    let all = [&file, &parse];
    pipeline
        .add_many(all)
        .map_err(|e| Failure::Machine(e.to_string()))?;
    gst::Element::link_many(all).map_err(|e| Failure::Machine(e.to_string()))?;
    let read = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&read);
    // Pulled or pushed: a demuxer that looks for its index shows no buffer on any pad of its own.
    pad(&file, "src")?.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let bytes = info.buffer().map_or(0, |buffer| buffer.size() as u64);
        count.fetch_add(bytes, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    Ok(Source {
        parse,
        typefind,
        read,
    })
}

/// Does something with a pipeline that follows no clock, and stops it whatever came of that.
pub fn with_pipeline<T>(
    work: impl FnOnce(&gst::Pipeline) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let pipeline = gst::Pipeline::new();
    pipeline.use_clock(None::<&gst::Clock>);
    let outcome = work(&pipeline);
    let _ = pipeline.set_state(gst::State::Null);
    outcome
}

/// Makes the times of a Matroska stream its running times.
///
/// The demuxer first says that the film begins with its first block, and takes it back when another
/// stream's first block is earlier; what it pushed in between would be off by the difference.
pub fn make_plain(pad: &gst::Pad, container: &str) {
    if !matches!(container, "Matroska" | "WebM") {
        return;
    }
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &mut info.data
            && let gst::EventView::Segment(_) = event.view()
        {
            *event = segment_from(0);
        }
        gst::PadProbeReturn::Ok
    });
}

/// What a pad of `parsebin` carries, as far as its caps are known.
pub fn kind_of(pad: &gst::Pad) -> Kind {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    match caps.structure(0).map(|s| s.name().as_str()) {
        Some(name) if name.starts_with("video/") || name.starts_with("image/") => Kind::Video,
        Some(name) if name.starts_with("audio/") => Kind::Audio,
        Some(
            "text/x-raw"
            | "application/x-ass"
            | "application/x-ssa"
            | "application/x-subtitle-vtt"
            | "application/x-subtitle-unknown",
        ) => Kind::Text,
        _ => Kind::Other,
    }
}

/// The identity of a pad's stream, the same in each pass over the file.
pub fn stream_of(pad: &gst::Pad) -> String {
    pad.stream_id().map(|id| id.to_string()).unwrap_or_default()
}

/// Codec in words.
pub fn codec_words(caps: &gst::StructureRef) -> String {
    let version = |field| caps.get::<i32>(field).ok();
    let words = match caps.name().as_str() {
        "video/x-h264" => "H.264",
        "video/x-h265" => "HEVC (H.265)",
        "video/x-h266" => "VVC (H.266)",
        "video/x-av1" => "AV1",
        "video/x-vp8" => "VP8",
        "video/x-vp9" => "VP9",
        "video/x-prores" => "Apple ProRes",
        "video/x-theora" => "Theora",
        "video/x-dv" => "DV",
        "video/x-raw" => "uncompressed",
        "video/mpeg" => match version("mpegversion") {
            Some(1) => "MPEG-1",
            Some(2) => "MPEG-2",
            _ => "MPEG-4 Part 2",
        },
        "video/x-wmv" => "Windows Media Video",
        "image/jpeg" => "Motion JPEG",
        "image/png" => "PNG",
        "audio/mpeg" => match (version("mpegversion"), version("layer")) {
            (Some(1), Some(3)) => "MP3",
            (Some(1), _) => "MPEG-1 audio",
            _ => "AAC",
        },
        "audio/x-opus" => "Opus",
        "audio/x-vorbis" => "Vorbis",
        "audio/x-flac" => "FLAC",
        "audio/x-ac3" => "AC-3",
        "audio/x-eac3" => "E-AC-3",
        "audio/x-dts" => "DTS",
        "audio/x-alac" => "Apple Lossless",
        "audio/x-wma" => "Windows Media Audio",
        "audio/x-raw" => "PCM",
        other => other
            .split('/')
            .nth(1)
            .unwrap_or(other)
            .trim_start_matches("x-"),
    };
    words.to_owned()
}

/// The container in words; an error when the bytes are of a kind that is no video at all.
pub fn container_words(caps: &gst::StructureRef) -> Result<String, Failure> {
    let name = caps.name();
    let words = match name.as_str() {
        "video/quicktime" => match caps.get::<&str>("variant") {
            Ok("iso") | Ok("iso-fragmented") | Ok("mss-fragmented") => "MP4",
            Ok("3gpp") | Ok("3g2") => "3GP",
            _ => "QuickTime",
        },
        "video/x-matroska" | "audio/x-matroska" => "Matroska",
        "video/webm" | "audio/webm" => "WebM",
        "video/mpegts" => "MPEG transport stream",
        "video/mpeg" => "MPEG program stream",
        "video/x-msvideo" => "AVI",
        "video/x-ms-asf" => "Windows Media",
        "video/x-flv" => "Flash Video",
        "application/ogg" | "video/ogg" | "audio/ogg" => "Ogg",
        "audio/x-wav" => "WAV",
        "audio/x-aiff" => "AIFF",
        "audio/x-flac" => "FLAC",
        "audio/mpeg" => "MP3 or AAC",
        "application/x-id3" | "application/x-apetag" => "MP3",
        "audio/x-m4a" => "M4A",
        "image/jpeg" => return Err(Failure::StillPicture("JPEG")),
        "image/png" => return Err(Failure::StillPicture("PNG")),
        "image/gif" => return Err(Failure::StillPicture("GIF")),
        "image/webp" => return Err(Failure::StillPicture("WebP")),
        other if other.starts_with("image/") => return Err(Failure::StillPicture("an image")),
        "application/pdf" => return Err(Failure::OtherKind("a PDF document")),
        "application/zip" => return Err(Failure::OtherKind("a ZIP archive or an office document")),
        "application/x-hls" | "application/dash+xml" | "text/uri-list" | "application/sdp" => {
            return Err(Failure::OtherKind("a playlist"));
        }
        other
            if other.starts_with("text/")
                || other.ends_with("xml")
                || other.contains("subtitle") =>
        {
            return Err(Failure::OtherKind("a text"));
        }
        "application/msword" => return Err(Failure::OtherKind("an office document")),
        other if other.starts_with("audio/midi") || other.contains("mod") => {
            return Err(Failure::NotMedia);
        }
        other => other
            .split('/')
            .nth(1)
            .unwrap_or(other)
            .trim_start_matches("x-"),
    };
    Ok(words.to_owned())
}

/// What an error of a pipeline that reads the source means for the person who uploaded it.
pub fn failure_of(error: &gst::message::Error) -> Failure {
    let cause = error.error();
    let from = error
        .src()
        .map(|src| src.name().to_string())
        .unwrap_or_default();
    let debug = error
        .debug()
        .map(|text| text.to_string())
        .unwrap_or_default();
    eprintln!("worker: pipeline error from {from}: {cause} ({debug})");
    match cause.kind::<gst::StreamError>() {
        Some(gst::StreamError::TypeNotFound | gst::StreamError::WrongType) => {
            return Failure::NotMedia;
        }
        Some(gst::StreamError::CodecNotFound) => {
            return Failure::UnknownCodec {
                kind: "file",
                codec: "an unknown format".into(),
            };
        }
        Some(
            gst::StreamError::Demux
            | gst::StreamError::Decode
            | gst::StreamError::Format
            | gst::StreamError::Failed,
        ) => {
            return Failure::Damaged(String::new());
        }
        _ => {}
    }
    match cause.kind::<gst::ResourceError>() {
        Some(gst::ResourceError::NoSpaceLeft) => Failure::NoRoom,
        Some(gst::ResourceError::Read | gst::ResourceError::Seek) => {
            Failure::Damaged(String::new())
        }
        _ => Failure::Damaged(String::new()),
    }
}
