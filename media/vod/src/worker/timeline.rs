//! One presentation timeline for all renditions, starting at 0: which frames are shown when, which of
//! them are key frames, where segments begin, and where each sound sample lies. Pure: times in,
//! decisions out. Times are nanoseconds from the video's start.

use std::collections::VecDeque;

use crate::package::Ratio;

/// Ticks a second of every video track: 24, 25, 29.97, 30, 50 and 60 frames a second are whole ticks,
/// and every frame is put on a tick, so that durations add up without a gap.
pub const VIDEO_TIMESCALE: u32 = 90_000;
/// Time between key frames where we choose them.
pub const GOP_NS: u64 = 2_000_000_000;
/// Frames closer than this to a planned time count as being there (rounding of container clocks).
pub const SLACK_NS: u64 = 1_000_000;
/// A source that shows nothing new for longer gets its last frame repeated, so that there is
/// something to cut at.
pub const MAX_STILL_NS: u64 = 500_000_000;
/// Densest frame rate of a rendition; what comes faster is thinned.
const MIN_FRAME_NS: u64 = 1_000_000_000 / 62;

/// Sound that is longer than the picture by less than this is an encoder's padding: it is cut with it, and
/// shows no frozen picture.
pub const BARELY_NS: u64 = 150_000_000;

/// How long after the expected end a frame or a sample may still come.
const BEYOND_NS: u64 = 10_000_000_000;

/// Where key frames and segments begin, the same for every rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cuts {
    /// Key frames; `None` means each [`GOP_NS`].
    pub keys: Option<Vec<u64>>,
    /// Beginnings of segments ([`crate::ladder::cuts`]), the first is 0.
    pub segments: Vec<u64>,
}

/// Walks along planned times: tells whether a frame is the first at or after the next one.
#[derive(Debug, Clone)]
pub struct Marks {
    plan: Plan,
    next: usize,
}

#[derive(Debug, Clone)]
enum Plan {
    Every(u64),
    List(std::sync::Arc<[u64]>),
}

impl Marks {
    /// The key frames of a plan.
    pub fn keys(cuts: &Cuts) -> Self {
        let plan = match &cuts.keys {
            None => Plan::Every(GOP_NS),
            Some(keys) => Plan::List(keys.as_slice().into()),
        };
        Self { plan, next: 0 }
    }

    /// The beginnings of segments of a plan.
    pub fn segments(cuts: &Cuts) -> Self {
        Self {
            plan: Plan::List(cuts.segments.as_slice().into()),
            next: 0,
        }
    }

    /// A mark each so many nanoseconds, from 0 on.
    pub fn every(step: u64) -> Self {
        Self {
            plan: Plan::Every(step.max(1)),
            next: 0,
        }
    }

    /// Whether the sample at `at` is the first one of the next mark. Marks without a sample of their
    /// own are passed over.
    pub fn hit(&mut self, at: u64) -> bool {
        let mut hit = false;
        while self
            .peek()
            .is_some_and(|mark| at.saturating_add(SLACK_NS) >= mark)
        {
            self.next += 1;
            hit = true;
        }
        hit
    }

    fn peek(&self) -> Option<u64> {
        match &self.plan {
            Plan::Every(step) => step.checked_mul(self.next as u64),
            Plan::List(list) => list.get(self.next).copied(),
        }
    }
}

/// How frames follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At a steady rate: each frame goes to the nearest place of an even grid, and holes are filled.
    Steady(Ratio),
    /// As they come, thinned above [`MIN_FRAME_NS`] and repeated each [`MAX_STILL_NS`].
    Varying,
    /// Exactly as they come: another rendition is the source's own bits. With a rate, each goes to the
    /// nearest place of an even grid, for containers that round to milliseconds.
    Untouched(Option<Ratio>),
}

/// Decides when each decoded frame is shown.
#[derive(Debug)]
pub struct Frames {
    start: u64,
    limit: u64,
    pace: Pace,
    last: Option<u64>,
    last_place: u64,
}

/// What becomes of a decoded frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// Times at which the frame *before* is shown once more.
    pub repeats: Vec<u64>,
    /// When this frame is shown; `None` drops it.
    pub at: Option<u64>,
}

impl Frames {
    /// `start`: the source time that becomes 0. `duration`: what comes long after it is dropped.
    pub fn new(start: u64, duration: u64, pace: Pace) -> Self {
        let limit = duration.saturating_add(BEYOND_NS);
        Self {
            start,
            limit,
            pace,
            last: None,
            last_place: 0,
        }
    }

    /// A source time on the video's clock.
    pub fn on_our_clock(&self, source: u64) -> u64 {
        on_tick(source.saturating_sub(self.start))
    }

    /// The next frame, by its time in the source.
    pub fn next(&mut self, source: u64) -> Shown {
        const DROPPED: Shown = Shown {
            repeats: Vec::new(),
            at: None,
        };
        let Some(last) = self.last else {
            // The first frame is shown from the very start, also if the sound begins before it.
            self.last = Some(0);
            return Shown {
                repeats: Vec::new(),
                at: Some(0),
            };
        };
        let at = self.on_our_clock(source);
        if at > self.limit {
            return DROPPED;
        }
        match self.pace {
            Pace::Steady(rate) => {
                let place = place_of(at, rate);
                if place <= self.last_place {
                    return DROPPED;
                }
                let repeats = (self.last_place + 1..place)
                    .map(|n| time_of(n, rate))
                    .collect();
                self.last_place = place;
                let at = time_of(place, rate);
                self.last = Some(at);
                Shown {
                    repeats,
                    at: Some(at),
                }
            }
            Pace::Varying => {
                if at < last.saturating_add(MIN_FRAME_NS * 3 / 4) {
                    return DROPPED;
                }
                let repeats = self.still_until(at);
                self.last = Some(at);
                Shown {
                    repeats,
                    at: Some(at),
                }
            }
            Pace::Untouched(grid) => {
                let at = on_grid(at, grid);
                if at <= last {
                    return DROPPED;
                }
                self.last = Some(at);
                Shown {
                    repeats: Vec::new(),
                    at: Some(at),
                }
            }
        }
    }

    /// Repeats of the last frame that reach to the end of the sound.
    pub fn end(&mut self, end: u64) -> Vec<u64> {
        let end = end.min(self.limit);
        match self.pace {
            Pace::Steady(rate) => {
                // Half a place that is left is a place.
                let eighth = 500_000_000 * u64::from(rate.den()) / u64::from(rate.num()).max(1) / 4;
                let places = place_of(end.saturating_add(eighth), rate).saturating_sub(1);
                (self.last_place + 1..=places)
                    .map(|n| time_of(n, rate))
                    .collect()
            }
            Pace::Varying => self.still_until(end),
            Pace::Untouched(_) => Vec::new(),
        }
    }

    fn still_until(&mut self, until: u64) -> Vec<u64> {
        let mut repeats = Vec::new();
        while let Some(last) = self.last
            && until.saturating_sub(last) > MAX_STILL_NS + SLACK_NS
        {
            // On the grid of half seconds, where key frames and segments are planned.
            let at = on_tick((last / MAX_STILL_NS + 1) * MAX_STILL_NS);
            let at = if at <= last { last + MAX_STILL_NS } else { at };
            if at.saturating_add(MIN_FRAME_NS) >= until {
                break;
            }
            repeats.push(at);
            self.last = Some(at);
        }
        repeats
    }
}

/// A time at the nearest place of a grid, if there is one.
pub fn on_grid(at: u64, grid: Option<Ratio>) -> u64 {
    grid.map_or(at, |rate| time_of(place_of(at, rate), rate))
}

/// The place on a steady grid that is nearest to a time.
fn place_of(at: u64, rate: Ratio) -> u64 {
    let unit = u128::from(rate.den()) * 1_000_000_000;
    // What lies in the middle, as every second frame of a film that is thinned does, belongs to the place before it.
    let nearly_half = unit * 7 / 16;
    u64::try_from((u128::from(at) * u128::from(rate.num()) + nearly_half) / unit)
        .unwrap_or(u64::MAX)
}

/// When the frame at that place is shown.
fn time_of(place: u64, rate: Ratio) -> u64 {
    let ns = u128::from(place) * u128::from(rate.den()) * 1_000_000_000 / u128::from(rate.num());
    on_tick(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// The nearest whole tick of the video timescale, in nanoseconds.
pub fn on_tick(ns: u64) -> u64 {
    let ticks = (u128::from(ns) * u128::from(VIDEO_TIMESCALE) + 500_000_000) / 1_000_000_000;
    ticks_to_ns(u64::try_from(ticks).unwrap_or(u64::MAX), VIDEO_TIMESCALE)
}

/// Ticks as nanoseconds, rounded up: the muxer rounds down when it turns them back.
pub fn ticks_to_ns(ticks: u64, timescale: u32) -> u64 {
    let ns = (u128::from(ticks) * 1_000_000_000).div_ceil(u128::from(timescale.max(1)));
    u64::try_from(ns).unwrap_or(u64::MAX)
}

/// Puts decoded sound on an unbroken grid of samples: holes become silence, overlaps are cut.
#[derive(Debug)]
pub struct Samples {
    start: u64,
    rate: u32,
    limit: u64,
    written: u64,
    /// By how much the last blocks were late, in samples; early ones are negative
    late: VecDeque<i64>,
}

/// What to do with one decoded block.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    /// Silent samples to write first.
    pub silence: u64,
    /// Samples of the block to leave out at its front.
    pub skip: u64,
}

impl Samples {
    /// Container clocks jitter; only a larger step than this is a real hole or overlap at once.
    const TOLERANCE_NS: u64 = 40_000_000;
    /// What stays off by more than this is no jitter: sound and picture would be apart from there on.
    const LASTING_NS: u64 = 8_000_000;
    /// For so many blocks.
    const LASTING_BLOCKS: usize = 16;

    /// `start`: the source time that becomes 0.
    pub fn new(start: u64, duration: u64, rate: u32) -> Self {
        let limit = duration.saturating_add(BEYOND_NS);
        Self {
            start,
            rate,
            limit,
            written: 0,
            late: VecDeque::new(),
        }
    }

    /// The source time that follows what was placed, for a block that has none.
    pub fn next_start(&self) -> u64 {
        self.start
            .saturating_add(ticks_to_ns(self.written, self.rate))
    }

    /// A block of `samples` that begins at `source`.
    pub fn next(&mut self, source: u64, samples: u64) -> Placed {
        let rate = u128::from(self.rate);
        let to_samples =
            |ns: u64| u64::try_from(u128::from(ns) * rate / 1_000_000_000).unwrap_or(u64::MAX);
        let tolerance = to_samples(Self::TOLERANCE_NS);
        let (silence, skip) = if source < self.start {
            (
                0,
                to_samples(self.start - source)
                    .saturating_add(self.written)
                    .min(samples),
            )
        } else {
            let wanted = to_samples(source - self.start);
            if source - self.start > self.limit {
                (0, samples)
            } else if self.written == 0 {
                (wanted, 0)
            } else if wanted > self.written.saturating_add(tolerance) {
                (wanted - self.written, 0)
            } else if wanted.saturating_add(tolerance) < self.written {
                (0, (self.written - wanted).min(samples))
            } else {
                self.lasting(wanted, samples)
            }
        };
        if silence > 0 || skip > 0 {
            self.late.clear();
        }
        self.written = self
            .written
            .saturating_add(silence)
            .saturating_add(samples - skip);
        Placed { silence, skip }
    }

    /// Makes good what all of the last blocks were late or early by.
    fn lasting(&mut self, wanted: u64, samples: u64) -> (u64, u64) {
        self.late
            .push_back(wanted.cast_signed() - self.written.cast_signed());
        if self.late.len() <= Self::LASTING_BLOCKS {
            return (0, 0);
        }
        self.late.pop_front();
        let least = self.late.iter().copied().min().unwrap_or(0);
        let most = self.late.iter().copied().max().unwrap_or(0);
        let bound = u128::from(Self::LASTING_NS) * u128::from(self.rate) / 1_000_000_000;
        let bound = i64::try_from(bound).unwrap_or(i64::MAX);
        if least > bound {
            (least.unsigned_abs(), 0)
        } else if most < -bound {
            (0, most.unsigned_abs().min(samples))
        } else {
            (0, 0)
        }
    }

    /// Silence that reaches to the end of the picture.
    pub fn end(&mut self, end: u64) -> u64 {
        let wanted =
            u64::try_from(u128::from(end) * u128::from(self.rate) / 1_000_000_000).unwrap_or(0);
        let silence = wanted.saturating_sub(self.written);
        self.written += silence;
        silence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn steady(num: u32, den: u32) -> Pace {
        Pace::Steady(Ratio::new(num, den).unwrap())
    }

    #[test]
    fn frames_of_a_steady_source_lie_on_an_even_grid() {
        let mut frames = Frames::new(S, 100 * S, steady(30_000, 1001));
        for n in 0..1000_u64 {
            // A container that rounds to milliseconds.
            let shown = frames.next(S + n * 1001 / 30 * 1_000_000);
            assert!(shown.repeats.is_empty());
            assert_eq!(shown.at, Some(ticks_to_ns(n * 3003, VIDEO_TIMESCALE)));
        }
    }

    #[test]
    fn a_hole_in_a_steady_source_is_filled_at_its_rate() {
        let mut frames = Frames::new(0, 100 * S, steady(25, 1));
        frames.next(0);
        let shown = frames.next(S / 5);
        assert_eq!(
            shown
                .repeats
                .iter()
                .map(|at| at / 1_000_000)
                .collect::<Vec<_>>(),
            [40, 80, 120, 160]
        );
        assert_eq!(frames.end(S / 2).len(), 7);
    }

    #[test]
    fn a_picture_that_stands_still_is_repeated_each_half_second() {
        let mut frames = Frames::new(0, 100 * S, Pace::Varying);
        frames.next(0);
        let shown = frames.next(3 * S + 200_000_000);
        assert_eq!(shown.repeats, [1, 2, 3, 4, 5, 6].map(|n| n * S / 2));
        assert_eq!(shown.at, Some(3_200_000_000));
    }

    #[test]
    fn frames_that_come_too_fast_or_go_back_are_dropped() {
        let mut frames = Frames::new(0, 100 * S, Pace::Varying);
        frames.next(0);
        assert_eq!(frames.next(2_000_000).at, None);
        assert!(frames.next(17_000_000).at.is_some());
        assert_eq!(frames.next(10_000_000).at, None);
    }

    #[test]
    fn beside_a_remuxed_rung_no_frame_is_added_or_left_out() {
        let mut frames = Frames::new(0, 100 * S, Pace::Untouched(None));
        frames.next(0);
        assert!(frames.next(2_000_000).at.is_some());
        assert!(frames.next(9 * S).repeats.is_empty());
        assert!(frames.end(20 * S).is_empty());
    }

    #[test]
    fn milliseconds_are_put_back_on_the_grid() {
        let grid = Ratio::new(24, 1);
        let mut frames = Frames::new(0, 100 * S, Pace::Untouched(grid));
        for n in 0..100_u64 {
            let rounded = (n * 1000 + 12) / 24 * 1_000_000;
            assert_eq!(
                frames.next(rounded).at,
                Some(ticks_to_ns(n * 3750, VIDEO_TIMESCALE))
            );
        }
    }

    #[test]
    fn a_clock_that_jumps_far_ahead_makes_no_years_of_film() {
        for pace in [steady(60, 1), Pace::Varying, Pace::Untouched(None)] {
            let mut frames = Frames::new(0, 30 * S, pace);
            frames.next(0);
            assert_eq!(
                frames.next(u64::MAX / 2),
                Shown {
                    repeats: vec![],
                    at: None
                }
            );
            assert!(frames.end(u64::MAX / 2).len() < 41 * 60);
        }
        let mut samples = Samples::new(0, 30 * S, 48_000);
        assert_eq!(
            samples.next(u64::MAX / 2, 480),
            Placed {
                silence: 0,
                skip: 480
            }
        );
    }

    #[test]
    fn sound_that_stays_late_is_made_good_and_jitter_is_not() {
        const BLOCK: u64 = 1024;
        let mut samples = Samples::new(0, 100 * S, 48_000);
        let at = |n: u64, off_ms: u64| n * BLOCK * S / 48_000 + off_ms * 1_000_000;
        for n in 0..50 {
            let placed = samples.next(at(n, 20 * (n % 2)), BLOCK);
            assert_eq!((placed.silence, placed.skip), (0, 0), "jitter at {n}");
        }
        let silence: u64 = (50..100)
            .map(|n| samples.next(at(n, 30), BLOCK).silence)
            .sum();
        assert!((1430..=1440).contains(&silence), "{silence} samples");
        let skipped: u64 = (100..150).map(|n| samples.next(at(n, 0), BLOCK).skip).sum();
        assert!((1430..=1440).contains(&skipped), "{skipped} samples");
    }

    #[test]
    fn key_frames_are_the_first_frames_at_or_after_their_time() {
        let mut marks = Marks::keys(&Cuts {
            keys: None,
            segments: vec![0],
        });
        let hits: Vec<u64> = (0..200_u64)
            .map(|n| n * 1001 * S / 30_000)
            .filter(|at| marks.hit(*at))
            .collect();
        assert_eq!(hits.len(), 4);
        assert_eq!(hits[1], 60 * 1001 * S / 30_000);
    }

    #[test]
    fn sound_with_a_hole_gets_silence_and_an_overlap_is_cut() {
        let mut samples = Samples::new(S, 100 * S, 48_000);
        assert_eq!(
            samples.next(S + S / 2, 480),
            Placed {
                silence: 24_000,
                skip: 0
            }
        );
        assert_eq!(
            samples.next(S + S / 2 + 12_000_000, 480),
            Placed {
                silence: 0,
                skip: 0
            }
        );
        assert_eq!(
            samples.next(2 * S, 480),
            Placed {
                silence: 48_000 - 24_960,
                skip: 0
            }
        );
        assert_eq!(
            samples.next(S + S / 2, 480),
            Placed {
                silence: 0,
                skip: 480
            }
        );
        assert_eq!(samples.end(2 * S), 96_000 - 48_480);
    }

    #[test]
    fn sound_before_the_first_picture_is_left_out() {
        let mut samples = Samples::new(S, 100 * S, 48_000);
        assert_eq!(
            samples.next(S / 2, 48_000),
            Placed {
                silence: 0,
                skip: 24_000
            }
        );
        assert_eq!(
            samples.next(S + S / 2, 10),
            Placed {
                silence: 0,
                skip: 0
            }
        );
    }
}
