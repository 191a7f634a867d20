//! HLS playlists of a package (RFC 8216 and its second edition, draft-pantos-hls-rfc8216bis), printed
//! from it at each request.
//!
//! While the ladder is being made the playlists are `EVENT`: they only grow, and `EXT-X-START` sends
//! players to the beginning, not to the end where a live player would go. When the package is complete
//! they are `VOD` and end. (`EXT-X-START` stands in the media playlists alone: ffmpeg takes a
//! multivariant playlist that has it for an empty media playlist.) `EXT-X-TARGETDURATION` was chosen
//! before the first segment and stays.
//!
//! Printed by hand, read back with the crate `m3u8-rs` in the tests: that crate keeps durations as
//! `f32`, which is too coarse for `EXTINF` over two hours, and the text is short.

use std::fmt::Write;

use crate::manifest::{MAIN_SOUND, TextTrack, TextTrackKind, sound_names};
use crate::names::{Sentence, TrackId};
use crate::package::{Package, Segment, Track, TrackKind};

/// fMP4 needs 6; Apple's authoring rules ask for 7.
const VERSION: u32 = 7;
/// Players begin with the first variant listed: the best one that common Wi-Fi carries.
const FIRST_VARIANT_BPS: u64 = 2_500_000;
const CAPTIONS_ARE_FOR_THE_DEAF: &str =
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
const MACHINE_MADE: &str = "public.machine-generated";

/// The multivariant playlist. Everything it names lies under `base`, which ends with a slash or is
/// empty: `{key}/`.
pub fn multivariant(package: &Package, texts: &[TextTrack], base: &str) -> String {
    let is_caption = |track: &&TextTrack| track.kind == TextTrackKind::Captions;
    let captions: Vec<&TextTrack> = texts.iter().filter(is_caption).collect();
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:{VERSION}\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for (track, name) in package.audio().zip(sound_names(package)) {
        let is_default = track.id.as_str() == MAIN_SOUND;
        text.push_str(&audio_media(track, &name, is_default, base));
    }
    for caption in &captions {
        text.push_str(&caption_media(caption, base));
    }

    let peak = |track: &Track| track.peak_bps(package.target_duration_s);
    let sound = Sound {
        codecs: package.audio().next().map(|track| track.codecs.as_str()),
        peak_bps: package.audio().map(peak).max().unwrap_or(0),
        average_bps: package.audio().map(Track::average_bps).max().unwrap_or(0),
    };
    let mut rungs: Vec<&Track> = package.video().collect();
    rungs.sort_by_key(|track| std::cmp::Reverse(peak(track)));
    if let Some(first) = rungs
        .iter()
        .position(|track| peak(track) <= FIRST_VARIANT_BPS)
    {
        rungs[..=first].rotate_right(1);
    }
    for track in rungs {
        variant(&mut text, track, peak(track), &sound, &captions, base);
    }
    if let Some(track) = package.audio().next() {
        // For networks that carry no picture, and for those who only want to listen.
        let alone = Sound {
            codecs: sound.codecs,
            peak_bps: 0,
            average_bps: 0,
        };
        variant(&mut text, track, peak(track), &alone, &captions, base);
    }
    text
}

/// A track's media playlist, at `{track}/index.m3u8` beside the files that it names; none when the
/// track has no segment yet.
pub fn media(package: &Package, track: &TrackId) -> Option<String> {
    let track = package
        .track(track)
        .filter(|track| !track.segments.is_empty())?;
    let segments = package.listed(track);
    let longest = segments
        .iter()
        .map(|segment| whole_seconds(*segment, track.timescale))
        .max();
    let target = package.target_duration_s.max(longest.unwrap_or(0));
    let mut text = head(target, package.complete);
    text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    if !package.complete {
        text.push_str("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n");
    }
    text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    // Ends are rounded, not lengths, so that rounding never adds up.
    let mut ticks = 0;
    let mut printed_us = 0;
    for (i, segment) in segments.iter().enumerate() {
        ticks += segment.duration;
        let end_us = microseconds(ticks, track.timescale);
        let length_us = end_us - printed_us;
        printed_us = end_us;
        let number = i + 1;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "#EXTINF:{}.{:06},\n{number}.m4s\n",
            length_us / 1_000_000,
            length_us % 1_000_000
        );
    }
    if package.complete {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    Some(text)
}

/// The playlist of a caption document, which is one segment as long as the video. It is whole from the
/// beginning, whether the pictures are or not.
pub fn captions_playlist(package: &Package, caption: &TextTrack) -> String {
    let seconds = package.duration_ms / 1000;
    let file = caption.vtt_file();
    let name = file.rsplit('/').next().unwrap_or(&file);
    format!(
        "{}#EXTINF:{seconds}.{:03},\n{name}\n#EXT-X-ENDLIST\n",
        head(
            u32::try_from(package.duration_ms.div_ceil(1000))
                .unwrap_or(u32::MAX)
                .max(1),
            true
        ),
        package.duration_ms % 1000,
    )
}

struct Sound<'a> {
    codecs: Option<&'a str>,
    peak_bps: u64,
    average_bps: u64,
}

fn head(target_duration_s: u32, is_whole: bool) -> String {
    format!(
        "#EXTM3U\n#EXT-X-VERSION:{VERSION}\n#EXT-X-TARGETDURATION:{target_duration_s}\n\
         #EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:{}\n",
        if is_whole { "VOD" } else { "EVENT" }
    )
}

fn variant(
    text: &mut String,
    track: &Track,
    peak_bps: u64,
    sound: &Sound<'_>,
    captions: &[&TextTrack],
    base: &str,
) {
    let _ = write!(
        text,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}",
        peak_bps + sound.peak_bps,
        track.average_bps() + sound.average_bps
    );
    match &track.kind {
        TrackKind::Video {
            width,
            height,
            frame_rate,
        } => {
            let codecs = [Some(track.codecs.as_str()), sound.codecs];
            let codecs: Vec<&str> = codecs.into_iter().flatten().collect();
            let _ = write!(
                text,
                ",CODECS=\"{}\",RESOLUTION={width}x{height},FRAME-RATE={:.3},VIDEO-RANGE=SDR",
                codecs.join(","),
                frame_rate.as_f64()
            );
        }
        TrackKind::Audio { .. } => {
            let _ = write!(text, ",CODECS=\"{}\"", track.codecs);
        }
    }
    if sound.codecs.is_some() {
        text.push_str(",AUDIO=\"audio\"");
    }
    if !captions.is_empty() {
        text.push_str(",SUBTITLES=\"captions\"");
    }
    let _ = writeln!(text, ",CLOSED-CAPTIONS=NONE\n{base}{}/index.m3u8", track.id);
}

fn audio_media(track: &Track, name: &str, is_default: bool, base: &str) -> String {
    let TrackKind::Audio {
        channels, language, ..
    } = &track.kind
    else {
        return String::new();
    };
    let language = match language {
        Some(language) => format!(",LANGUAGE=\"{language}\""),
        None => String::new(),
    };
    format!(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"{name}\"{language},DEFAULT={},\
         AUTOSELECT=YES,CHANNELS=\"{channels}\",URI=\"{base}{}/index.m3u8\"\n",
        if is_default { "YES" } else { "NO" },
        track.id
    )
}

fn caption_media(caption: &TextTrack, base: &str) -> String {
    let mut characteristics = CAPTIONS_ARE_FOR_THE_DEAF.to_owned();
    if caption.is_machine_made {
        let _ = write!(characteristics, ",{MACHINE_MADE}");
    }
    // A quoted string holds neither quotes nor line ends (RFC 8216, 4.2).
    let name = Sentence::new(&caption.label).as_str().replace('"', "'");
    format!(
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME=\"{name}\",LANGUAGE=\"{}\",\
         DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=\"{characteristics}\",URI=\"{base}{}\"\n",
        caption.language,
        caption.playlist_file()
    )
}

fn microseconds(ticks: u64, timescale: u32) -> u64 {
    let timescale = u128::from(timescale.max(1));
    let us = (u128::from(ticks) * 1_000_000 + timescale / 2) / timescale;
    u64::try_from(us).unwrap_or(u64::MAX)
}

fn whole_seconds(segment: Segment, timescale: u32) -> u32 {
    let seconds = (microseconds(segment.duration, timescale) + 500_000) / 1_000_000;
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
