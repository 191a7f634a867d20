use super::*;

const S: u64 = 1_000_000_000;

fn source(width: u32, height: u32) -> SourceFacts {
    SourceFacts {
        duration_ns: 30 * S,
        video: Some(VideoFacts {
            is_still: false,
            codec: Codec::H264 {
                profile: 100,
                level: 40,
                chroma_format: 1,
                bit_depth: 8,
            },
            width,
            height,
            pixel_aspect: Ratio::new(1, 1).unwrap(),
            turn: Turn::None,
            frame_rate: Ratio::new(24, 1),
            is_interlaced: false,
            is_hdr: false,
            changes_format: false,
            has_broken_times: false,
            bitrate_bps: 1_000_000,
            key_frames_ns: (0..15).map(|i| i * 2 * S).collect(),
            has_open_gops: false,
        }),
        sounds: 1,
    }
}

fn changed(change: impl FnOnce(&mut VideoFacts)) -> SourceFacts {
    let mut facts = source(1920, 1080);
    change(facts.video.as_mut().unwrap());
    facts
}

fn sizes(facts: &SourceFacts) -> Vec<(u32, u32)> {
    choose(facts, &[])
        .unwrap()
        .rungs
        .iter()
        .map(|rung| (rung.width, rung.height))
        .collect()
}

fn encoded(width: u32, height: u32) -> SourceFacts {
    let mut facts = source(width, height);
    facts.video.as_mut().unwrap().codec = Codec::Other("HEVC".into());
    facts
}

#[test]
fn rungs_go_by_the_short_side_and_are_never_larger_than_the_source() {
    for (width, height, expected) in [
        (
            1920,
            1080,
            vec![
                (1920, 1080),
                (1280, 720),
                (854, 480),
                (640, 360),
                (426, 240),
            ],
        ),
        (
            1080,
            1920,
            vec![
                (1080, 1920),
                (720, 1280),
                (480, 854),
                (360, 640),
                (240, 426),
            ],
        ),
        (
            3840,
            2160,
            vec![
                (1920, 1080),
                (1280, 720),
                (854, 480),
                (640, 360),
                (426, 240),
            ],
        ),
        (854, 480, vec![(854, 480), (640, 360), (428, 240)]),
        (640, 480, vec![(640, 480), (480, 360), (320, 240)]),
        (
            1920,
            800,
            vec![(1728, 720), (1152, 480), (864, 360), (576, 240)],
        ),
        (
            1244,
            700,
            vec![(1244, 700), (854, 480), (640, 360), (426, 240)],
        ),
        (853, 479, vec![(852, 478), (642, 360), (428, 240)]),
        (320, 200, vec![(320, 200)]),
        (33, 17, vec![(32, 16)]),
        (1, 1, vec![(2, 2)]),
    ] {
        assert_eq!(
            sizes(&encoded(width, height)),
            expected,
            "{width} × {height}"
        );
    }
}

#[test]
fn pixels_become_square_and_the_picture_upright() {
    let mut facts = encoded(720, 576);
    facts.video.as_mut().unwrap().pixel_aspect = Ratio::new(16, 15).unwrap();
    assert_eq!(sizes(&facts)[0], (768, 576), "720 × 576 is 4:3");

    let mut facts = encoded(1920, 1080);
    facts.video.as_mut().unwrap().turn = Turn::SwappedSides;
    assert_eq!(sizes(&facts)[0], (1080, 1920));
}

#[test]
fn a_source_that_conforms_is_taken_over_for_its_own_rung_alone() {
    let ladder = choose(&source(854, 480), &[]).unwrap();
    let made: Vec<_> = ladder
        .rungs
        .iter()
        .map(|rung| (rung.id.as_str(), rung.made))
        .collect();
    assert_eq!(
        made,
        [
            ("v480", Made::Remuxed),
            ("v360", Made::Encoded),
            ("v240", Made::Encoded)
        ]
    );
    assert!(ladder.is_remuxed());
    assert_eq!(
        ladder.rungs[0].reason.as_str(),
        "Remuxed: the source's own pictures are used untouched (H.264 High 4.0, key frames at most 2 s apart, 1.0 Mb/s)."
    );
}

#[test]
fn a_remuxed_source_between_two_rungs_replaces_the_one_just_below() {
    let ids = |facts: &SourceFacts| -> Vec<String> {
        choose(facts, &[])
            .unwrap()
            .track_ids()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        ids(&source(1920, 800)),
        ["v800", "v480", "v360", "v240", "a1"]
    );
    assert_eq!(
        ids(&source(1244, 700)),
        ["v700", "v480", "v360", "v240", "a1"]
    );
    assert_eq!(ids(&source(320, 200)), ["v200", "a1"]);
}

#[test]
fn whatever_breaks_a_rule_is_encoded_and_the_reason_says_which() {
    let h264 = |profile, level, chroma_format, bit_depth| Codec::H264 {
        profile,
        level,
        chroma_format,
        bit_depth,
    };
    let cases: Vec<(SourceFacts, &str)> = vec![
        (
            changed(|v| v.codec = Codec::Other("HEVC".into())),
            "the source is HEVC",
        ),
        (
            changed(|v| v.codec = h264(110, 40, 1, 10)),
            "10 bits and 4:2:0",
        ),
        (
            changed(|v| v.codec = h264(122, 40, 2, 8)),
            "8 bits and 4:2:2",
        ),
        (
            changed(|v| v.codec = h264(88, 40, 1, 8)),
            "H.264 Extended 4.0",
        ),
        (changed(|v| v.codec = h264(100, 51, 1, 8)), "H.264 High 5.1"),
        (changed(|v| v.codec = h264(100, 9, 1, 8)), "level 1b"),
        (changed(|v| v.turn = Turn::SameSides), "stored turned"),
        (
            changed(|v| v.pixel_aspect = Ratio::new(4, 3).unwrap()),
            "not square",
        ),
        (changed(|v| v.height = 1079), "not even"),
        (
            changed(|v| (v.width, v.height) = (2560, 1440)),
            "has 1440 lines",
        ),
        (changed(|v| v.is_interlaced = true), "interlaced"),
        (changed(|v| v.is_hdr = true), "high dynamic range"),
        (
            changed(|v| v.frame_rate = Ratio::new(120, 1)),
            "more than 60 frames",
        ),
        (changed(|v| v.changes_format = true), "changes its format"),
        (changed(|v| v.has_open_gops = true), "open GOPs"),
        (
            changed(|v| v.key_frames_ns = vec![S, 2 * S]),
            "does not begin with a key frame",
        ),
        (
            changed(|v| v.key_frames_ns = vec![]),
            "does not begin with a key frame",
        ),
        (
            changed(|v| v.key_frames_ns = vec![0, 10_416_666_667, 15 * S, 20 * S, 25 * S]),
            "key frames are up to 10.4 s apart, and a segment may last 6 s at most",
        ),
        (
            changed(|v| v.key_frames_ns = (0..4).map(|i| i * 5 * S).collect()),
            "up to 15 s apart",
        ),
        (
            changed(|v| v.bitrate_bps = 60_000_000),
            "60.0 Mb/s, more than the",
        ),
    ];
    for (facts, expected) in cases {
        let ladder = choose(&facts, &[]).unwrap();
        let top = &ladder.rungs[0];
        assert_eq!(top.made, Made::Encoded, "{expected}");
        assert!(
            top.reason.as_str().contains(expected),
            "{} lacks {expected}",
            top.reason
        );
    }
}

#[test]
fn six_seconds_at_ntsc_rates_still_count_as_six() {
    let facts = changed(|v| v.key_frames_ns = (0..5).map(|i| i * 6_006_000_000).collect());
    assert_eq!(choose(&facts, &[]).unwrap().rungs[0].made, Made::Remuxed);
}

#[test]
fn the_mean_rate_of_a_picture_that_stands_still_bounds_nothing() {
    let quiet = |is_still| {
        changed(|video| {
            video.bitrate_bps = 200_000;
            video.codec = Codec::Other("HEVC".into());
            video.is_still = is_still;
        })
    };
    let best = |facts: &SourceFacts| choose(facts, &[]).unwrap().rungs[0].bitrate_bps;
    assert_eq!(best(&quiet(false)), 400_000);
    assert!(best(&quiet(true)) > 4_000_000);
}

#[test]
fn bit_rates_fall_with_the_size_and_never_exceed_what_the_source_has() {
    let mut facts = encoded(1920, 1080);
    facts.video.as_mut().unwrap().bitrate_bps = 20_000_000;
    let rates: Vec<_> = choose(&facts, &[])
        .unwrap()
        .rungs
        .iter()
        .map(|r| r.bitrate_bps)
        .collect();
    assert!(rates.windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
    assert!((3_500_000..5_000_000).contains(&rates[0]), "{rates:?}");

    let mut poor = changed(|v| v.is_interlaced = true);
    poor.video.as_mut().unwrap().bitrate_bps = 500_000;
    assert_eq!(choose(&poor, &[]).unwrap().rungs[0].bitrate_bps, 600_000);
}

#[test]
fn the_box_can_have_a_shorter_ladder() {
    let ladder = choose(&source(1920, 1080), &[360, 720, 720]).unwrap();
    let sides: Vec<_> = ladder.rungs.iter().map(|rung| rung.height).collect();
    assert_eq!(sides, [720, 360]);
    assert!(ladder.rungs[0].reason.as_str().contains("has 1080 lines"));
}

#[test]
fn sound_alone_is_a_ladder_and_nothing_is_not() {
    let sound = SourceFacts {
        duration_ns: S,
        video: None,
        sounds: 1,
    };
    assert_eq!(choose(&sound, &[]).unwrap().track_ids().len(), 1);
    let nothing = SourceFacts {
        duration_ns: S,
        video: None,
        sounds: 0,
    };
    assert_eq!(choose(&nothing, &[]), Err(LadderError::NothingToPlay));
    let endless = SourceFacts {
        duration_ns: 49 * 3600 * S,
        video: None,
        sounds: 1,
    };
    assert_eq!(
        choose(&endless, &[]),
        Err(LadderError::Length { hours: 49 })
    );
}

#[test]
fn a_picture_beyond_what_a_machine_can_hold_is_refused_before_it_is_decoded() {
    for (width, height, is_refused) in [
        (8192, 4352, false),
        (8192, 4353, true),
        (16_384, 2176, false),
        (16_385, 2, true),
        (40_000, 40_000, true),
        (0, 1080, true),
    ] {
        let found = choose(&encoded(width, height), &[]);
        let refused = matches!(found, Err(LadderError::Size { .. }));
        assert_eq!(refused, is_refused, "{width} x {height}: {found:?}");
    }
    // A pixel that is eight times as wide makes a picture as much wider.
    let stretched = changed(|video| video.pixel_aspect = Ratio::new(8, 1).unwrap());
    assert!(choose(&stretched, &[]).is_ok());
}

#[test]
fn no_size_makes_it_panic() {
    for width in [0, 1, 2, 3, 15, 16, 4096, 65_535, u32::MAX] {
        for height in [0, 1, 2, 3, 1080, u32::MAX] {
            for turn in [Turn::None, Turn::SwappedSides] {
                let mut facts = source(width, height);
                facts.video.as_mut().unwrap().turn = turn;
                let _ = choose(&facts, &[]);
            }
        }
    }
}
