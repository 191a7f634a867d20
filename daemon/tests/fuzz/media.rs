//! Captions that people upload, and what the worker says: it has read a hostile file.

use lectern_vod::captions::{self, Format};
use lectern_vod::chapters::Chapters;
use lectern_vod::package::Package;
use lectern_vod::protocol::{Job, Message, read_frame, write_frame};
use lectern_vod::speech::{SpeechJob, SpeechMessage, captions_of};
use lectern_vod::{dash, hls};

use crate::driver::fuzz;

#[test]
fn captions_are_read_or_refused_and_what_is_printed_reads_back() {
    let words = [
        "WEBVTT",
        "\n\n",
        "\r\n",
        "-->",
        " --> ",
        "00:00:01.000",
        "00:00:01,000",
        "NOTE",
        "STYLE",
        "REGION",
        "<v ",
        "<b>",
        "</c>",
        "<00:00.500>",
        "&amp;",
        "&lt",
        "align:start",
        "line:-1",
        "{\\an8}",
        "<tt>",
        "<p begin=\"1s\" end=\"2s\">",
        "</p></tt>",
        "<br/>",
        "<span dur=\"5f\">",
        "&#x41;",
        "\u{feff}",
        "\0",
    ];
    fuzz("captions", &words, |bytes| {
        for hint in [
            None,
            Some(Format::WebVtt),
            Some(Format::SubRip),
            Some(Format::Ttml),
        ] {
            match captions::parse(bytes, hint) {
                Ok(captions) => {
                    let printed = captions.to_vtt();
                    let again = captions::parse(printed.as_bytes(), None);
                    assert_eq!(again.as_ref(), Ok(&captions));
                    assert!(
                        captions
                            .transcript()
                            .all(|line| line.start_ms < line.end_ms)
                    );
                }
                Err(error) => assert!(error.line >= 1 && !error.message.is_empty()),
            }
        }
    });
}

#[test]
fn frames_of_a_worker_are_read_or_refused() {
    let words = [
        "\"probed\"",
        "\"segment\"",
        "\"track\"",
        "\"done\"",
        "\"package\"",
        "null",
        "[0,1,2]",
        "{",
        "}",
        "1e999",
        "-1",
        "\"../..\"",
        "\"v480\"",
        "18446744073709551616",
        "\\u0000",
    ];
    fuzz("messages", &words, |bytes| {
        // As they come, then as the body of a frame with an honest length.
        let mut rest = bytes;
        while let Ok(Some(_)) = read_frame::<Message>(&mut rest) {}
        let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(bytes);
        let _ = read_frame::<Job>(&mut framed.as_slice());
        if let Ok(Some(message)) = read_frame::<Message>(&mut framed.as_slice()) {
            // Equal but for the last digit of the share of progress, which JSON may round.
            if !matches!(message, Message::Progress { .. }) {
                let mut again = Vec::new();
                write_frame(&mut again, &message).unwrap();
                assert_eq!(
                    read_frame(&mut again.as_slice()).unwrap().as_ref(),
                    Some(&message)
                );
            }
            let _ = Package::default().apply(&message);
        }
    });
}

#[test]
fn whatever_a_speech_worker_says_becomes_captions_or_nothing() {
    let words = [
        "\"heard\"",
        "\"began\"",
        "\"lines\"",
        "\"progress\"",
        "[]",
        "null",
        "-1",
        "18446744073709551615",
        "256",
        "-->",
        "\\n\\n",
        "\\u0000",
        "<v ",
    ];
    fuzz("speech", &words, |bytes| {
        let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(bytes);
        let _ = read_frame::<SpeechJob>(&mut framed.as_slice());
        for mut rest in [bytes, framed.as_slice()] {
            while let Ok(Some(message)) = read_frame::<SpeechMessage>(&mut rest) {
                let SpeechMessage::Heard { lines, .. } = message else {
                    continue;
                };
                if let Some((vtt, marks)) = captions_of(&lines) {
                    assert!(captions::parse(vtt.as_bytes(), Some(Format::WebVtt)).is_ok());
                    assert!(serde_json::from_str::<Vec<(u64, u8)>>(&marks).is_ok());
                }
            }
        }
    });
}

#[test]
fn chapters_are_read_or_refused_and_are_in_order() {
    let words = [
        "\"start_ms\"",
        "\"title\"",
        "{",
        "}",
        ",",
        "0",
        "-1",
        "1e99",
        "172800001",
        "\\u0000",
        "\"\"",
    ];
    fuzz("chapters", &words, |bytes| {
        let Ok(chapters) = serde_json::from_slice::<Chapters>(bytes) else {
            return;
        };
        let list = chapters.list();
        assert!(!list.is_empty());
        assert!(
            list.windows(2)
                .all(|pair| pair[0].start_ms < pair[1].start_ms)
        );
        let mended = Chapters::mended(list.to_vec(), u64::MAX);
        assert_eq!(mended.as_ref(), Some(&chapters));
    });
}

#[test]
fn any_package_that_is_accepted_can_be_printed() {
    let words = [
        "true",
        "false",
        "null",
        "[0,1,1]",
        "4294967295",
        "0",
        "\"a1\"",
        "\"v1\"",
        ",",
    ];
    let now = "2026-11-23T18:30:00Z".parse().unwrap();
    fuzz("packages", &words, |bytes| {
        let Ok(package) = serde_json::from_slice::<Package>(bytes) else {
            return;
        };
        let _ = (package.is_playable(), package.renditions());
        let _ = hls::multivariant(&package, &[], "k/");
        let _ = dash::mpd(&package, &[], "k/", now);
        for track in &package.tracks {
            if let Some(list) = hls::media(&package, &track.id) {
                assert!(list.starts_with("#EXTM3U\n"));
            }
        }
    });
}
