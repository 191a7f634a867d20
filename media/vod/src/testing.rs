//! A package for the manifests' tests.

use crate::manifest::{TextTrack, TextTrackKind};
use crate::names::{Codecs, Language, TrackId};
use crate::package::{Made, Package, Ratio, Track, TrackKind};

/// Two rungs and a sound track of 10 s, the better rung remuxed with an offset of two frames.
pub(crate) fn package(complete: bool) -> Package {
    let id = |name: &str| TrackId::new(name).unwrap();
    let mut package = Package::planned(
        10_000,
        4,
        vec![0, 4_004_000_000, 8_008_000_000],
        vec![id("v480"), id("v240"), id("a1")],
    )
    .unwrap();
    let ntsc = Ratio::new(24_000, 1001).unwrap();
    let video = |name, width, height, offset: u64, sizes: [u64; 3]| Track {
        id: id(name),
        kind: TrackKind::Video {
            width,
            height,
            frame_rate: ntsc,
        },
        codecs: Codecs::new("avc1.64001f").unwrap(),
        timescale: 90_000,
        presentation_offset: offset,
        made: if offset > 0 {
            Made::Remuxed
        } else {
            Made::Encoded
        },
        reason: "why".into(),
        segments: vec![
            (offset, 360_360, sizes[0]).into(),
            (offset + 360_360, 360_360, sizes[1]).into(),
            (offset + 720_720, 179_280, sizes[2]).into(),
        ],
        complete,
    };
    package
        .add_track(video("v480", 854, 480, 7508, [600_000, 400_000, 100_000]))
        .unwrap();
    package
        .add_track(video("v240", 426, 240, 0, [150_000, 100_000, 30_000]))
        .unwrap();
    package
        .add_track(Track {
            id: id("a1"),
            kind: TrackKind::Audio {
                channels: 2,
                sample_rate: 48_000,
                language: Some(Language::new("en").unwrap()),
                label: None,
            },
            codecs: Codecs::new("mp4a.40.2").unwrap(),
            timescale: 48_000,
            presentation_offset: 0,
            made: Made::Encoded,
            reason: "why".into(),
            segments: vec![
                (0, 192_512, 64_000).into(),
                (192_512, 192_512, 64_000).into(),
                (385_024, 94_976, 32_000).into(),
            ],
            complete,
        })
        .unwrap();
    if complete {
        package.finish().unwrap();
    }
    package
}

/// English captions and unread German ones.
pub(crate) fn captions() -> Vec<TextTrack> {
    let track = |language, label: &str, revision, is_machine_made| TextTrack {
        kind: TextTrackKind::Captions,
        language: Language::new(language).unwrap(),
        label: label.to_owned(),
        revision,
        is_machine_made,
    };
    vec![
        track("en", "English \"CC\"\n", 3, false),
        track("de-CH", "Deutsch", 1, true),
    ]
}
