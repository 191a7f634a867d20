//! The DASH manifest of a package (ISO/IEC 23009-1, profile isoff-live:2011), printed from it at each
//! request: the same files as HLS, by `$Number$` with an exact `SegmentTimeline`.
//!
//! While the ladder is being made the manifest is `dynamic`, although nothing is live. Players then ask
//! either the list or the clock where the end is, so both must say the same: `availabilityStartTime` is
//! now less what is listed. It moves from one request to the next, which the standard forbids to live
//! streams; but the ladder is made faster or slower than life, so no fixed time is true, and with this
//! one Shaka Player and dash.js both begin at the beginning and go on (tried). They begin there because
//! `suggestedPresentationDelay` is what is listed and a segment more. Texts are not offered yet:
//! ffmpeg waits for ever for the next segment of a text that has only one.
//!
//! When the package is complete the manifest is `static` and has the texts. (HLS has them from the
//! beginning, and is what our own player uses.)

use std::io;

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::manifest::{MAIN_SOUND, TextTrack, TextTrackKind, sound_names};
use crate::package::{Package, Ratio, Segment, Track, TrackKind};

/// How often players look again while the package grows.
const UPDATE_PERIOD: &str = "PT2S";
const MIN_BUFFER: &str = "PT4S";
/// A bit rate that no video falls below.
const TEXT_BPS: &str = "1000";

/// The manifest. Everything it names lies under `base`, which ends with a slash or is empty: `{key}/`.
pub fn mpd(package: &Package, texts: &[TextTrack], base: &str, now: Timestamp) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    // Writing to memory cannot fail; were it to, an empty manifest is an honest answer.
    match write(&mut writer, package, texts, base, now) {
        Ok(()) => String::from_utf8(writer.into_inner()).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

type Out = Writer<Vec<u8>>;

fn write(
    out: &mut Out,
    package: &Package,
    texts: &[TextTrack],
    base: &str,
    now: Timestamp,
) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut attributes = vec![
        ("xmlns", "urn:mpeg:dash:schema:mpd:2011".to_owned()),
        (
            "profiles",
            "urn:mpeg:dash:profile:isoff-live:2011".to_owned(),
        ),
        ("minBufferTime", MIN_BUFFER.to_owned()),
        (
            "maxSegmentDuration",
            format!("PT{}S", package.target_duration_s.max(1)),
        ),
    ];
    if package.complete {
        attributes.push(("type", "static".to_owned()));
        attributes.push(("mediaPresentationDuration", seconds(package.duration_ms)));
    } else {
        let listed = listed_ms(package);
        let began_ms = now
            .as_millisecond()
            .saturating_sub(i64::try_from(listed).unwrap_or(0));
        let began = Timestamp::from_millisecond(began_ms).unwrap_or(now);
        attributes.push(("type", "dynamic".to_owned()));
        attributes.push(("availabilityStartTime", instant(began)));
        attributes.push(("publishTime", instant(now)));
        attributes.push(("minimumUpdatePeriod", UPDATE_PERIOD.to_owned()));
        attributes.push((
            "suggestedPresentationDelay",
            seconds(listed + 1000 * u64::from(package.target_duration_s)),
        ));
    }
    element(out, "MPD", &attributes).write_inner_content(|out| {
        let period = [("id", "1".to_owned()), ("start", "PT0S".to_owned())];
        element(out, "Period", &period).write_inner_content(|out| {
            if package.video().next().is_some() {
                adaptation_set(
                    out,
                    "1",
                    "video",
                    (None, None),
                    package.video().collect(),
                    package,
                    base,
                )?;
            }
            let sounds = package.audio().zip(sound_names(package));
            for (i, (track, name)) in sounds.enumerate() {
                let TrackKind::Audio { language, .. } = &track.kind else {
                    continue;
                };
                let lang = language.as_ref().map(|language| language.as_str());
                adaptation_set(
                    out,
                    &(i + 2).to_string(),
                    "audio",
                    (lang, Some(&name)),
                    vec![track],
                    package,
                    base,
                )?;
            }
            let offered = if package.complete { texts } else { &[] };
            for (i, track) in offered.iter().enumerate() {
                text_set(out, &(i + 100).to_string(), track, base)?;
            }
            Ok(())
        })?;
        if !package.complete {
            let clock = [
                ("schemeIdUri", "urn:mpeg:dash:utc:direct:2014".to_owned()),
                ("value", instant(now)),
            ];
            element(out, "UTCTiming", &clock).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn adaptation_set(
    out: &mut Out,
    id: &str,
    content: &str,
    (lang, label): (Option<&str>, Option<&str>),
    tracks: Vec<&Track>,
    package: &Package,
    base: &str,
) -> io::Result<()> {
    let mut attributes = vec![
        ("id", id.to_owned()),
        ("contentType", content.to_owned()),
        ("mimeType", format!("{content}/mp4")),
        ("segmentAlignment", "true".to_owned()),
        ("startWithSAP", "1".to_owned()),
    ];
    attributes.extend(lang.map(|lang| ("lang", lang.to_owned())));
    element(out, "AdaptationSet", &attributes).write_inner_content(|out| {
        let is_other = |track: &&Track| label.is_some() && track.id.as_str() != MAIN_SOUND;
        let is_main = !tracks.iter().any(is_other);
        role(out, if is_main { "main" } else { "alternate" })?;
        if let Some(label) = label {
            out.create_element("Label")
                .write_text_content(BytesText::new(label))?;
        }
        for track in tracks {
            representation(out, track, package, base)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn representation(out: &mut Out, track: &Track, package: &Package, base: &str) -> io::Result<()> {
    let mut attributes = vec![
        ("id", track.id.to_string()),
        (
            "bandwidth",
            track.peak_bps(package.target_duration_s).max(1).to_string(),
        ),
        ("codecs", track.codecs.to_string()),
    ];
    let channels = match &track.kind {
        TrackKind::Video {
            width,
            height,
            frame_rate,
        } => {
            attributes.push(("width", width.to_string()));
            attributes.push(("height", height.to_string()));
            attributes.push(("frameRate", rate(*frame_rate)));
            attributes.push(("sar", "1:1".to_owned()));
            None
        }
        TrackKind::Audio {
            channels,
            sample_rate,
            ..
        } => {
            attributes.push(("audioSamplingRate", sample_rate.to_string()));
            Some(*channels)
        }
    };
    element(out, "Representation", &attributes).write_inner_content(|out| {
        if let Some(channels) = channels {
            let scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011".to_owned();
            let attributes = [("schemeIdUri", scheme), ("value", channels.to_string())];
            element(out, "AudioChannelConfiguration", &attributes).write_empty()?;
        }
        let mut template = vec![
            ("timescale", track.timescale.to_string()),
            (
                "initialization",
                format!("{base}$RepresentationID$/init.mp4"),
            ),
            ("media", format!("{base}$RepresentationID$/$Number$.m4s")),
            ("startNumber", "1".to_owned()),
        ];
        if track.presentation_offset > 0 {
            template.push((
                "presentationTimeOffset",
                track.presentation_offset.to_string(),
            ));
        }
        element(out, "SegmentTemplate", &template).write_inner_content(|out| {
            out.create_element("SegmentTimeline")
                .write_inner_content(|out| timeline(out, package.listed(track)))?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

/// Runs of segments of one length become one `S` with a repeat count.
fn timeline(out: &mut Out, segments: &[Segment]) -> io::Result<()> {
    let mut rest = segments;
    let mut expected = None;
    while let Some(first) = rest.first() {
        let run = 1 + rest
            .windows(2)
            .take_while(|pair| {
                pair[1].duration == first.duration
                    && pair[1].start == pair[0].start + pair[0].duration
            })
            .count();
        let mut attributes = Vec::new();
        if expected != Some(first.start) {
            attributes.push(("t", first.start.to_string()));
        }
        attributes.push(("d", first.duration.to_string()));
        if run > 1 {
            attributes.push(("r", (run - 1).to_string()));
        }
        element(out, "S", &attributes).write_empty()?;
        expected = rest.get(run - 1).map(|last| last.start + last.duration);
        rest = rest.get(run..).unwrap_or_default();
    }
    Ok(())
}

/// One WebVTT file for the whole video: what most players understand. Its `BaseURL` is the only one in
/// the manifest, because ffmpeg does not join nested ones.
fn text_set(out: &mut Out, id: &str, track: &TextTrack, base: &str) -> io::Result<()> {
    let attributes = [
        ("id", id.to_owned()),
        ("contentType", "text".to_owned()),
        ("mimeType", "text/vtt".to_owned()),
        ("lang", track.language.to_string()),
    ];
    element(out, "AdaptationSet", &attributes).write_inner_content(|out| {
        role(
            out,
            match track.kind {
                TextTrackKind::Captions => "caption",
                TextTrackKind::Descriptions => "description",
            },
        )?;
        out.create_element("Label")
            .write_text_content(BytesText::new(&track.label))?;
        let attributes = [
            ("id", format!("{}-{}", track.kind.folder(), track.language)),
            ("bandwidth", TEXT_BPS.to_owned()),
        ];
        element(out, "Representation", &attributes).write_inner_content(|out| {
            out.create_element("BaseURL")
                .write_text_content(BytesText::new(&format!("{base}{}", track.vtt_file())))?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn role(out: &mut Out, value: &str) -> io::Result<()> {
    let attributes = [
        ("schemeIdUri", "urn:mpeg:dash:role:2011".to_owned()),
        ("value", value.to_owned()),
    ];
    element(out, "Role", &attributes).write_empty()?;
    Ok(())
}

fn element<'a>(
    out: &'a mut Out,
    name: &'a str,
    attributes: &'a [(&'a str, String)],
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    out.create_element(name)
        .with_attributes(attributes.iter().map(|(k, v)| (*k, v.as_str())))
}

/// The part of the video that every listed track has.
fn listed_ms(package: &Package) -> u64 {
    let length = |track: &Track| {
        let ticks: u64 = package
            .listed(track)
            .iter()
            .map(|segment| segment.duration)
            .sum();
        u64::try_from(u128::from(ticks) * 1000 / u128::from(track.timescale)).unwrap_or(u64::MAX)
    };
    package
        .video()
        .chain(package.audio())
        .map(length)
        .min()
        .unwrap_or(0)
}

fn seconds(ms: u64) -> String {
    format!("PT{}.{:03}S", ms / 1000, ms % 1000)
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn rate(frame_rate: Ratio) -> String {
    match frame_rate.den() {
        1 => frame_rate.num().to_string(),
        den => format!("{}/{den}", frame_rate.num()),
    }
}

#[cfg(test)]
mod tests;
