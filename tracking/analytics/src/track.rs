//! One of a registration's growing lists (played, hidden or muted): what is new in it, and what was taken of it before.
//!
//! Two devices may watch at once, each sending its own list: what both began from, then its own additions. So the new
//! part is the *multiset difference* against everything seen of this registration, and what was seen is the largest
//! multiplicity that any list had. It follows that a list may come twice, late or in another order and never counts
//! twice, and that a replay (the same segment twice in one list) does.
//!
//! Some players let the last segment grow: `0[.]9`, said by `completed` in the middle of playing, is `0[.]10` in the next
//! list. Such a segment is remembered as cut in two (0–9 and 9–10), wherever it appears later; `passes` takes the halves
//! together again.

use crate::span::Span;
use std::collections::HashMap;

/// At most so many segments of one list are kept: beyond it a registration's further segments are not counted. A
/// lecture watched normally has a few dozen.
pub const MAX_SEGMENTS: usize = 10_000;
/// At most so many grown segments are remembered.
const MAX_CUTS: usize = 1_000;

/// What is known of one list of one registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Segments that count, in the order they became known.
    pub counted: Vec<Span>,
    /// Implausible ones: seen, kept, not counted.
    pub refused: Vec<Span>,
    /// A grown segment and where it was cut.
    pub cuts: Vec<(Span, u32)>,
}

/// Where a session's list ended when it was last seen: the place of its last segment and that segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Index in the list as sent.
    pub index: u32,
    /// The last segment.
    pub span: Span,
    /// Timestamp of the statement, Unix milliseconds.
    pub at_ms: i64,
}

impl Track {
    /// A list as sent, in the pieces in which its segments were counted. `tail` is the same session's list before; a
    /// list older than that says nothing new by its last segment, which may be a pass that went on.
    pub fn pieces_of(&mut self, said: &[Span], tail: Option<Tail>, at_ms: i64) -> Vec<Span> {
        let mut said = &said[..said.len().min(MAX_SEGMENTS)];
        let is_late = tail.is_some_and(|tail| at_ms < tail.at_ms);
        if let Some((last, before)) = said.split_last()
            && is_late
            && self.is_part_of_known(*last)
        {
            said = before;
        }
        if let Some(tail) = tail.filter(|_| !is_late)
            && let Some(grown) = said.get(tail.index as usize)
            && grown.from == tail.span.from
            && grown.to > tail.span.to
        {
            self.cut(*grown, tail.span.to);
        }
        self.cut_as_known(said)
    }

    /// Those of `pieces` that were not seen before, in their order.
    #[must_use]
    pub fn new_in(&self, pieces: &[Span]) -> Vec<Span> {
        let mut seen: HashMap<Span, usize> = HashMap::new();
        for span in self.counted.iter().chain(&self.refused) {
            *seen.entry(*span).or_default() += 1;
        }
        let mut room = MAX_SEGMENTS.saturating_sub(self.counted.len() + self.refused.len());
        let mut new = pieces.to_vec();
        new.retain(|span| {
            if let Some(times) = seen.get_mut(span).filter(|times| **times > 0) {
                *times -= 1;
                return false;
            }
            let fits = room > 0;
            room = room.saturating_sub(1);
            fits
        });
        new
    }

    /// A refused segment counts after all.
    pub fn acquit(&mut self, span: Span) {
        if let Some(place) = self.refused.iter().position(|refused| *refused == span) {
            self.counted.push(self.refused.remove(place));
        }
    }

    /// Whether a longer pass from the same place is known.
    fn is_part_of_known(&self, short: Span) -> bool {
        let wholes = self.cuts.iter().map(|(whole, _)| whole);
        let known = self.counted.iter().chain(&self.refused).chain(wholes);
        known
            .into_iter()
            .any(|long| long.from == short.from && long.to > short.to)
    }

    fn cut(&mut self, whole: Span, at: u32) {
        if self.cuts.len() < MAX_CUTS && !self.cuts.iter().any(|(known, _)| *known == whole) {
            self.cuts.push((whole, at));
        }
    }

    /// Each grown segment in the pieces in which it was counted.
    fn cut_as_known(&self, said: &[Span]) -> Vec<Span> {
        if self.cuts.is_empty() {
            return said.to_vec();
        }
        let cuts: HashMap<Span, u32> = self.cuts.iter().copied().collect();
        let mut pieces = Vec::with_capacity(said.len());
        for span in said {
            let begin = pieces.len();
            let mut head = *span;
            while let Some(&at) = cuts.get(&head) {
                pieces.extend(Span::new(at, head.to));
                // Strictly shorter each time: a cut lies within its segment.
                let Some(shorter) = Span::new(head.from, at).filter(|shorter| shorter.to < head.to)
                else {
                    break;
                };
                head = shorter;
            }
            pieces.push(head);
            pieces[begin..].reverse();
        }
        pieces
    }
}

/// The tail of a list as sent, to recognise its growing later.
#[must_use]
pub fn tail_of(said: &[Span], at_ms: i64) -> Option<Tail> {
    let index = said.len().min(MAX_SEGMENTS).checked_sub(1)?;
    Some(Tail {
        index: u32::try_from(index).ok()?,
        span: said[index],
        at_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(list: &[(u32, u32)]) -> Vec<Span> {
        list.iter()
            .filter_map(|&(from, to)| Span::new(from, to))
            .collect()
    }

    fn take(track: &mut Track, said: &[(u32, u32)], tail: Option<Tail>) -> Vec<Span> {
        take_at(track, said, tail, 0)
    }

    fn take_at(
        track: &mut Track,
        said: &[(u32, u32)],
        tail: Option<Tail>,
        at_ms: i64,
    ) -> Vec<Span> {
        let pieces = track.pieces_of(&spans(said), tail, at_ms);
        let new = track.new_in(&pieces);
        track.counted.extend(&new);
        new
    }

    #[test]
    fn two_devices_interleave_and_each_segment_counts_once() {
        let mut track = Track::default();
        take(&mut track, &[(0, 100)], None);
        assert_eq!(
            take(&mut track, &[(0, 100), (100, 200)], None),
            spans(&[(100, 200)])
        );
        assert_eq!(
            take(&mut track, &[(0, 100), (500, 600)], None),
            spans(&[(500, 600)])
        );
        assert_eq!(
            take(&mut track, &[(0, 100), (100, 200), (200, 300)], None),
            spans(&[(200, 300)])
        );
        assert_eq!(take(&mut track, &[(0, 100)], None), []);
    }

    #[test]
    fn a_replay_counts_again_and_a_repeated_list_does_not() {
        let mut track = Track::default();
        take(&mut track, &[(0, 100)], None);
        let said = [(0, 100), (0, 100)];
        assert_eq!(take(&mut track, &said, None), spans(&[(0, 100)]));
        assert_eq!(take(&mut track, &said, None), []);
    }

    #[test]
    fn a_segment_that_grows_counts_only_what_it_grew() {
        let mut track = Track::default();
        let first = [(0, 9_000)];
        take(&mut track, &first, None);
        let tail = tail_of(&spans(&first), 0);
        let second = [(0, 10_000)];
        assert_eq!(take(&mut track, &second, tail), spans(&[(9_000, 10_000)]));
        let tail = tail_of(&spans(&second), 0);
        let third = [(0, 12_000), (50_000, 60_000)];
        assert_eq!(
            take(&mut track, &third, tail),
            spans(&[(10_000, 12_000), (50_000, 60_000)])
        );
        // Another device, which took the whole list over.
        assert_eq!(take(&mut track, &third, None), []);
    }

    #[test]
    fn an_older_shorter_list_that_comes_late_adds_nothing() {
        let mut track = Track::default();
        let long = [(0, 10_000)];
        take(&mut track, &long, None);
        let tail = tail_of(&spans(&long), 10_000);
        assert_eq!(take_at(&mut track, &[(0, 9_000)], tail, 9_000), []);
        let longer = [(0, 10_000), (30_000, 40_000)];
        take_at(&mut track, &longer, tail, 40_000);
        let tail = tail_of(&spans(&longer), 40_000);
        assert_eq!(take_at(&mut track, &[(0, 9_000)], tail, 9_000), []);
        // The same list from somewhere else is another pass.
        assert_eq!(take(&mut track, &[(0, 9_000)], None).len(), 1);
    }

    #[test]
    fn a_million_segments_are_bounded() {
        let mut track = Track::default();
        let said: Vec<Span> = (0..1_000_000).filter_map(|n| Span::new(n, n + 1)).collect();
        let pieces = track.pieces_of(&said, None, 0);
        let new = track.new_in(&pieces);
        assert_eq!(new.len(), MAX_SEGMENTS);
        track.counted.extend(new);
        let other: Vec<Span> = (0..1_000).filter_map(|n| Span::new(n, n + 9)).collect();
        assert_eq!(track.new_in(&other), []);
    }
}
