use super::*;

fn id(name: &str) -> TrackId {
    TrackId::new(name).unwrap()
}

fn rung(name: &str, segments: &[(u64, u64, u64)]) -> Track {
    Track {
        id: id(name),
        kind: TrackKind::Video {
            width: 854,
            height: 480,
            frame_rate: Ratio::new(24, 1).unwrap(),
        },
        codecs: Codecs::new("avc1.64001f").unwrap(),
        timescale: 1000,
        presentation_offset: 0,
        made: Made::Encoded,
        reason: "why".into(),
        segments: segments.iter().map(|s| Segment::from(*s)).collect(),
        complete: false,
    }
}

fn package() -> Package {
    Package::planned(
        10_000,
        4,
        vec![0, 4_000_000_000],
        vec![id("v480"), id("v240")],
    )
    .unwrap()
}

#[test]
fn a_package_comes_back_from_json_as_it_was() {
    let mut package = package();
    package
        .add_track(rung("v480", &[(0, 4000, 100_000), (4000, 4000, 50_000)]))
        .unwrap();
    let json = serde_json::to_string(&package).unwrap();
    assert_eq!(serde_json::from_str::<Package>(&json).unwrap(), package);
}

#[test]
fn unknown_fields_are_refused() {
    let json = serde_json::to_string(&package())
        .unwrap()
        .replacen('{', "{\"x\":1,", 1);
    assert!(serde_json::from_str::<Package>(&json).is_err());
}

#[test]
fn a_track_that_was_not_planned_or_is_there_twice_is_refused() {
    let mut package = package();
    assert!(package.add_track(rung("v999", &[])).is_err());
    package.add_track(rung("v480", &[])).unwrap();
    assert!(package.add_track(rung("v480", &[])).is_err());
}

#[test]
fn segments_go_forward_and_have_a_length_and_a_size() {
    let mut package = package();
    package.add_track(rung("v480", &[(0, 4000, 1)])).unwrap();
    for bad in [
        (0, 4000, 1),
        (4000, 0, 1),
        (4000, 4000, 0),
        (4000, 60_001, 1),
        (u64::MAX, 1, 1),
    ] {
        assert!(
            package.add_segment(&id("v480"), bad.into()).is_err(),
            "{bad:?}"
        );
    }
    package
        .add_segment(&id("v480"), (4000, 2000, 1).into())
        .unwrap();
    assert!(
        package.add_segment(&id("v240"), (0, 1, 1).into()).is_err(),
        "not announced"
    );
}

#[test]
fn a_package_is_complete_only_when_every_planned_track_is() {
    let mut package = package();
    package.add_track(rung("v480", &[(0, 4000, 1)])).unwrap();
    package.finish_track(&id("v480")).unwrap();
    assert!(package.finish().is_err());
    package.add_track(rung("v240", &[(0, 4000, 1)])).unwrap();
    package.finish_track(&id("v240")).unwrap();
    package.finish().unwrap();
    assert_eq!(
        package.add_segment(&id("v240"), (4000, 4000, 1).into()),
        Err(PackageError::Complete)
    );
}

#[test]
fn a_package_is_playable_with_the_first_segment_of_a_rung_and_of_the_sound() {
    let mut package = Package::planned(10_000, 4, vec![0], vec![id("v480"), id("a1")]).unwrap();
    assert!(!package.is_playable());
    package.add_track(rung("v480", &[(0, 4000, 1)])).unwrap();
    assert!(!package.is_playable(), "the sound is missing");
    let mut sound = rung("a1", &[(0, 4000, 1)]);
    sound.kind = TrackKind::Audio {
        channels: 2,
        sample_rate: 48_000,
        language: None,
        label: None,
    };
    package.add_track(sound).unwrap();
    assert!(package.is_playable());
}

#[test]
fn bit_rates_are_measured() {
    let track = rung(
        "v480",
        &[
            (0, 4000, 500_000),
            (4000, 4000, 250_000),
            (8000, 100, 100_000),
        ],
    );
    assert_eq!(track.average_bps(), 850_000 * 8 * 1000 / 8100);
    assert_eq!(
        track.peak_bps(4),
        1_000_000,
        "the tail of 0.1 s counts with the segment before it"
    );
}

#[test]
fn boundaries_go_forward() {
    assert!(Package::planned(10_000, 4, vec![0, 0], vec![]).is_err());
    assert!(Package::planned(MAX_DURATION_MS + 1, 4, vec![0], vec![]).is_err());
    assert!(Package::planned(1, 4, vec![0], vec![id("v1"), id("v1")]).is_err());
}

#[test]
fn tracks_are_listed_in_step_and_no_list_ever_shrinks() {
    let mut package = package();
    let four = [
        (0, 4000, 1),
        (4000, 4000, 1),
        (8000, 4000, 1),
        (12_000, 4000, 1),
        (16_000, 4000, 1),
    ];
    package.add_track(rung("v480", &four)).unwrap();
    let listed = |package: &Package, name| {
        package
            .track(&id(name))
            .map_or(0, |track| package.listed(track).len())
    };
    assert_eq!(
        listed(&package, "v480"),
        HEAD_START,
        "the other rung has not begun"
    );
    package.add_track(rung("v240", &[])).unwrap();
    let mut before = HEAD_START;
    for (i, segment) in four.into_iter().enumerate() {
        package.add_segment(&id("v240"), segment.into()).unwrap();
        let now = listed(&package, "v480");
        assert_eq!(now, (i + 1).max(HEAD_START));
        assert_eq!(listed(&package, "v240"), i + 1);
        assert!(now >= before);
        before = now;
    }
    package
        .add_segment(&id("v480"), (20_000, 4000, 1).into())
        .unwrap();
    assert_eq!(listed(&package, "v480"), 5);
    package.finish_track(&id("v240")).unwrap();
    assert_eq!(
        listed(&package, "v480"),
        6,
        "a whole track holds no other back"
    );
}
