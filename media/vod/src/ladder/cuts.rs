//! Where segments begin, the same on every rung. Times are nanoseconds from the video's start.

/// The length that a segment should have.
pub const SEGMENT_NS: u64 = 4_000_000_000;
/// The length that a segment may have.
pub const MAX_SEGMENT_NS: u64 = 6_000_000_000;
/// Time between key frames where we place them.
pub const GOP_NS: u64 = 2_000_000_000;
/// Container clocks are rounded, and 6 s at 29.97 frames a second are 6.006 s.
pub const TOLERANCE_NS: u64 = 50_000_000;
/// A last segment shorter than this is joined to the one before it.
const SHORTEST_TAIL_NS: u64 = 500_000_000;
/// The sound is cut at its own frames, at most one (64 ms at 16 kHz) off the picture's boundary.
const AUDIO_SLACK_NS: u64 = 64_000_000;

/// Beginnings of segments where we place the key frames: every 4 s.
pub fn even(duration_ns: u64) -> Vec<u64> {
    let mut starts = vec![0];
    let mut next = SEGMENT_NS;
    while next.saturating_add(SHORTEST_TAIL_NS) < duration_ns {
        starts.push(next);
        next += SEGMENT_NS;
    }
    starts
}

/// Beginnings of segments at a source's own key frames: each segment as near to 4 s as they allow, and
/// never above 6 s as long as no two key frames are further apart. `key_frames_ns` ascends from about 0.
pub fn at_key_frames(key_frames_ns: &[u64], duration_ns: u64) -> Vec<u64> {
    let mut starts = vec![0];
    let mut start = 0;
    let mut keys = key_frames_ns
        .iter()
        .copied()
        .filter(|key| *key > TOLERANCE_NS)
        .peekable();
    loop {
        let whole_rest = duration_ns.saturating_sub(start);
        if whole_rest <= SEGMENT_NS + SHORTEST_TAIL_NS {
            return starts;
        }
        let mut best: Option<u64> = None;
        while let Some(key) = keys.peek().copied() {
            let too_long = key - start > MAX_SEGMENT_NS + TOLERANCE_NS;
            let worse = best.is_some_and(|best| {
                (best - start).abs_diff(SEGMENT_NS) <= (key - start).abs_diff(SEGMENT_NS)
            });
            if best.is_some() && (too_long || worse) {
                break;
            }
            best = Some(key);
            keys.next();
        }
        match best {
            Some(best) if best + SHORTEST_TAIL_NS < duration_ns => {
                starts.push(best);
                start = best;
            }
            _ => return starts,
        }
    }
}

/// `EXT-X-TARGETDURATION`: no segment of any track, rounded to whole seconds, is longer. Known before
/// the first segment exists, because it may never change. `frame_ns`: the longest time between two
/// frames, by which a segment may end late.
pub fn target_duration_s(starts_ns: &[u64], duration_ns: u64, frame_ns: u64) -> u32 {
    let ends = starts_ns.iter().skip(1).copied().chain([duration_ns]);
    let longest = starts_ns
        .iter()
        .zip(ends)
        .map(|(start, end)| end.saturating_sub(*start))
        .max()
        .unwrap_or(0);
    let bound = longest + frame_ns.max(AUDIO_SLACK_NS);
    u32::try_from((bound + 500_000_000) / 1_000_000_000)
        .unwrap_or(u32::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: u64 = 1_000_000_000;

    fn keys(step_ms: u64, count: u64) -> Vec<u64> {
        (0..count).map(|i| i * step_ms * 1_000_000).collect()
    }

    fn in_ms(starts: &[u64]) -> Vec<u64> {
        starts.iter().map(|ns| ns / 1_000_000).collect()
    }

    #[test]
    fn our_own_segments_begin_every_four_seconds() {
        assert_eq!(
            in_ms(&even(30 * S)),
            [0, 4000, 8000, 12000, 16000, 20000, 24000, 28000]
        );
        assert_eq!(in_ms(&even(8 * S)), [0, 4000]);
        assert_eq!(
            in_ms(&even(8 * S + S / 4)),
            [0, 4000],
            "a tail of 0.25 s joins the last segment"
        );
        assert_eq!(in_ms(&even(1)), [0]);
    }

    #[test]
    fn segments_follow_the_sources_key_frames() {
        for (step_ms, count, expected) in [
            (2000, 8, vec![0, 4000, 8000, 12000]),
            (3000, 5, vec![0, 3000, 6000, 9000, 12000]),
            (5000, 4, vec![0, 5000, 10_000, 15_000]),
            (6000, 3, vec![0, 6000, 12_000]),
            (40, 300, vec![0, 4000, 8000]),
        ] {
            let keys = keys(step_ms, count);
            let starts = at_key_frames(&keys, step_ms * count * 1_000_000);
            assert_eq!(in_ms(&starts), expected, "every {step_ms} ms");
        }
        assert_eq!(at_key_frames(&[0], 3 * S), [0]);
        assert_eq!(
            in_ms(&at_key_frames(&[0, S, 69 * S / 10], 12 * S)),
            [0, 1000, 6900]
        );
    }

    #[test]
    fn the_target_duration_bounds_sound_and_slow_pictures_too() {
        assert_eq!(target_duration_s(&even(30 * S), 30 * S, S / 24), 4);
        assert_eq!(target_duration_s(&even(30 * S), 30 * S, S / 2), 5);
        assert_eq!(target_duration_s(&[0], S / 10, S / 24), 1);
        assert_eq!(target_duration_s(&[0, 6_006_000_000], 12 * S, S / 24), 6);
    }

    proptest! {
        #[test]
        fn no_segment_is_longer_than_six_seconds_when_no_gop_is(
            gaps in prop::collection::vec(1_u64..=6000, 1..200)
        ) {
            let mut keys = vec![0];
            for gap in &gaps {
                keys.push(keys.last().unwrap() + gap * 1_000_000);
            }
            let duration = keys.pop().unwrap();
            prop_assume!(duration > 0);
            let starts = at_key_frames(&keys, duration);
            prop_assert_eq!(starts[0], 0);
            for start in &starts[1..] {
                prop_assert!(keys.contains(start));
            }
            let mut ends = starts[1..].to_vec();
            ends.push(duration);
            for (start, end) in starts.iter().zip(ends) {
                prop_assert!(end > *start);
                // The last may have swallowed a tail below half a second.
                let slack = TOLERANCE_NS + if end == duration { SHORTEST_TAIL_NS } else { 0 };
                prop_assert!(end - start <= MAX_SEGMENT_NS + slack, "{} to {}", start, end);
            }
            let target = u64::from(target_duration_s(&starts, duration, 0));
            prop_assert!(starts.windows(2).all(|w| (w[1] - w[0] + S / 2) / S <= target));
        }
    }
}
