//! What one registration adds to each second of a video: how many passes were seen, how many went by hidden.
//!
//! The definition (`docs/contract.md`, *Retention*): a pass counts in a second of which it covers at least half, playing
//! and visible; a pass of which at least half of the second went by hidden counts as hidden there. Of a last, partial
//! second, half of the part that exists is enough.
//!
//! A *pass* is watching on: a pause does not begin a new one. Statements cut a pass into segments wherever something
//! happened, so segments that meet end to start are taken together again before halves are measured (9.0–9.4, pause,
//! 9.4–10.0 is one pass of second 9, and 9.0–9.5, pause, 9.5–10.0 is not two). Whole seconds need no such care, so only
//! the seconds that hold an end of a segment are looked at piece by piece.
//!
//! Everything here depends on which segments there are, never on the order they came in.

use crate::span::{MAX_MS, Span};
use std::collections::BTreeMap;
use std::ops::Range;

/// Ends that lie this close are one moment: clocks are rounded to a millisecond on the way.
const JOIN_MS: u32 = 2;
/// A hidden stretch may stick out of the pass it belongs to by this much (two clocks were read).
const SLACK_MS: u32 = 20;
/// At most so many pieces are looked at within one second; nobody scrubs faster.
const MAX_PIECES: usize = 256;

/// The passes of one registration through one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// Passes seen for at least half of the second.
    pub visible: u32,
    /// Passes of which at least half of the second was hidden.
    pub hidden: u32,
}

/// The passes through each second of `range`. `hidden` are stretches of `played`; `length_ms` is the video's.
#[must_use]
pub fn passes(
    played: &[Span],
    hidden: &[Span],
    length_ms: Option<u32>,
    range: Range<u32>,
) -> Vec<Passes> {
    let range = range.start.min(MAX_MS / 1000)..range.end.min(MAX_MS / 1000);
    let played = Layer::new(played, &range);
    let hidden = Layer::new(hidden, &range);
    range
        .clone()
        .enumerate()
        .map(|(index, second)| {
            let played = played.at(index, second);
            let hidden = hidden.at(index, second);
            count(played, hidden, half_of(second, length_ms))
        })
        .collect()
}

/// The seconds that a span touches.
#[must_use]
pub fn seconds_of(span: Span) -> Range<u32> {
    span.from / 1000..span.to.div_ceil(1000)
}

/// How much of a second must be covered: half of what exists of it, in milliseconds.
fn half_of(second: u32, length_ms: Option<u32>) -> u32 {
    match length_ms {
        Some(length) if length / 1000 == second && length % 1000 > 0 => (length % 1000).div_ceil(2),
        _ => 500,
    }
}

/// Segments laid over the seconds of a range: whole seconds counted, the rest kept as pieces.
struct Layer {
    whole: Vec<u32>,
    pieces: BTreeMap<u32, Vec<Piece>>,
}

/// Milliseconds within a second.
type Piece = Range<u32>;

impl Layer {
    fn new(spans: &[Span], range: &Range<u32>) -> Self {
        let mut steps = vec![0i64; range.len() + 1];
        let mut pieces: BTreeMap<u32, Vec<Piece>> = BTreeMap::new();
        let mut piece = |second: u32, piece: Piece| {
            if range.contains(&second) && !piece.is_empty() {
                let list = pieces.entry(second).or_default();
                if list.len() < MAX_PIECES {
                    list.push(piece);
                }
            }
        };
        for span in spans {
            let (first, last) = (span.from.div_ceil(1000), span.to / 1000);
            if first > last {
                piece(last, span.from % 1000..span.to % 1000);
                continue;
            }
            if span.from % 1000 > 0 {
                piece(first - 1, span.from % 1000..1000);
            }
            piece(last, 0..span.to % 1000);
            let (from, to) = (
                first.clamp(range.start, range.end),
                last.clamp(range.start, range.end),
            );
            if from < to {
                steps[(from - range.start) as usize] += 1;
                steps[(to - range.start) as usize] -= 1;
            }
        }
        let mut depth = 0i64;
        let whole = steps
            .iter()
            .take(range.len())
            .map(|step| {
                depth += step;
                u32::try_from(depth).unwrap_or(0)
            })
            .collect();
        Self { whole, pieces }
    }

    /// Whole passes through the second, and the partial ones with their pieces joined.
    fn at(&self, index: usize, second: u32) -> (u32, Vec<Piece>) {
        let whole = self.whole[index];
        let Some(pieces) = self.pieces.get(&second) else {
            return (whole, Vec::new());
        };
        let (full, partial): (Vec<_>, Vec<_>) = join(pieces)
            .into_iter()
            .partition(|piece| piece.start <= JOIN_MS && piece.end + JOIN_MS >= 1000);
        (
            whole + u32::try_from(full.len()).unwrap_or(u32::MAX),
            partial,
        )
    }
}

/// Puts pieces together that meet end to start: first those that meet to the millisecond, then those that nearly do, so
/// that a piece never goes on in another pass that began close by. Where two begin at one's end, which of them went on is
/// told by nobody.
fn join(pieces: &[Piece]) -> Vec<Piece> {
    join_within(JOIN_MS, join_within(0, pieces.to_vec()))
}

fn join_within(gap_ms: u32, mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_unstable_by_key(|piece| (piece.start, piece.end));
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        // The longest that ends here goes on, so that the answer does not depend on the order of arrival.
        let longest = joined
            .iter_mut()
            .filter(|chain| chain.end.abs_diff(piece.start) <= gap_ms && chain.end < piece.end)
            .min_by_key(|chain| chain.start);
        match longest {
            Some(chain) => chain.end = piece.end,
            None => joined.push(piece),
        }
    }
    joined
}

/// One second: whole and partial passes, whole and partial hidden stretches, what is enough.
fn count(played: (u32, Vec<Piece>), hidden: (u32, Vec<Piece>), enough: u32) -> Passes {
    let (whole, partial) = played;
    let (whole_hidden, partial_hidden) = hidden;
    let wholly_hidden = whole.min(whole_hidden);
    let whole = whole - wholly_hidden;
    if partial_hidden.is_empty() {
        let seen = partial.iter().filter(|pass| length(pass) >= enough).count();
        return Passes {
            visible: whole + u32::try_from(seen).unwrap_or(u32::MAX),
            hidden: wholly_hidden,
        };
    }
    // Partial passes first, the shortest first: a hidden stretch belongs to the tightest pass that holds all of it; only
    // where none does, to the one that holds it but for the slack.
    let mut passes: Vec<(Piece, Vec<Piece>)> =
        partial.into_iter().map(|pass| (pass, Vec::new())).collect();
    passes.sort_by_key(|(pass, _)| (length(pass), pass.start));
    let spread = whole.min(u32::try_from(partial_hidden.len()).unwrap_or(u32::MAX));
    passes.extend((0..spread).map(|_| (0..1000, Vec::new())));
    let mut stretches = partial_hidden;
    stretches.sort_by_key(|stretch| (std::cmp::Reverse(length(stretch)), stretch.start));
    for stretch in stretches {
        let holder = passes
            .iter_mut()
            .filter(|(pass, taken)| {
                pass.start <= stretch.start + SLACK_MS
                    && stretch.end <= pass.end + SLACK_MS
                    && taken
                        .iter()
                        .all(|other| stretch.end <= other.start || other.end <= stretch.start)
            })
            .min_by_key(|(pass, _)| std::cmp::Reverse(length(&within(&stretch, pass))));
        // A stretch that lies in no pass was not played: it says nothing.
        if let Some((pass, taken)) = holder {
            taken.push(within(&stretch, pass));
        }
    }
    let mut found = Passes {
        visible: whole - spread,
        hidden: wholly_hidden,
    };
    for (pass, taken) in passes {
        let gone: u32 = taken.iter().map(length).sum();
        found.visible += u32::from(length(&pass).saturating_sub(gone) >= enough);
        found.hidden += u32::from(gone >= enough);
    }
    found
}

/// What of the stretch lies in the pass.
fn within(stretch: &Piece, pass: &Piece) -> Piece {
    stretch.start.max(pass.start)..stretch.end.min(pass.end)
}

fn length(piece: &Piece) -> u32 {
    piece.end.saturating_sub(piece.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (played, hidden, length, visible per second, hidden per second), times in milliseconds.
    type Row = (
        &'static str,
        &'static [(u32, u32)],
        &'static [(u32, u32)],
        Option<u32>,
        &'static [u32],
        &'static [u32],
    );

    const TABLE: &[Row] = &[
        (
            "half of a second is enough",
            &[(500, 1000)],
            &[],
            None,
            &[1, 0],
            &[0, 0],
        ),
        (
            "less than half is not",
            &[(501, 1000)],
            &[],
            None,
            &[0, 0],
            &[0, 0],
        ),
        ("within one second", &[(200, 800)], &[], None, &[1], &[0]),
        (
            "a replay counts again",
            &[(0, 2000), (0, 1000)],
            &[],
            None,
            &[2, 1],
            &[0, 0],
        ),
        (
            "a pause is no new pass",
            &[(0, 500), (500, 1000)],
            &[],
            None,
            &[1],
            &[0],
        ),
        (
            "a pause does not lose a pass",
            &[(100, 400), (400, 700)],
            &[],
            None,
            &[1],
            &[0],
        ),
        (
            "who paused goes on from there, not from where another pass began nearby",
            &[(0, 354), (354, 710), (352, 852)],
            &[],
            None,
            &[2],
            &[0],
        ),
        (
            "two passes stay two",
            &[(0, 600), (0, 600)],
            &[],
            None,
            &[2],
            &[0],
        ),
        (
            "hidden is not seen",
            &[(0, 3000)],
            &[(1000, 2000)],
            None,
            &[1, 0, 1],
            &[0, 1, 0],
        ),
        (
            "hidden for a short while",
            &[(0, 1000)],
            &[(100, 500)],
            None,
            &[1],
            &[0],
        ),
        (
            "hidden for half, seen for half",
            &[(0, 1000)],
            &[(0, 500)],
            None,
            &[1],
            &[1],
        ),
        (
            "hidden in two stretches",
            &[(0, 1000)],
            &[(0, 300), (600, 900)],
            None,
            &[0],
            &[1],
        ),
        (
            "one of two passes hidden",
            &[(0, 1000), (0, 1000)],
            &[(200, 900)],
            None,
            &[1],
            &[1],
        ),
        (
            "a partial pass, hidden",
            &[(0, 700), (0, 1000)],
            &[(100, 700)],
            None,
            &[1],
            &[1],
        ),
        (
            "two nearly equal passes, each hidden by its own stretch",
            &[(501, 980), (481, 981)],
            &[(501, 980), (481, 981)],
            None,
            &[0],
            &[1],
        ),
        (
            "hidden but never played",
            &[(0, 1000)],
            &[(5000, 6000)],
            None,
            &[1, 0],
            &[0, 0],
        ),
        (
            "hidden outside its pass",
            &[(0, 300)],
            &[(300, 900)],
            None,
            &[0],
            &[0],
        ),
        (
            "half of the last, partial second",
            &[(0, 1150)],
            &[],
            Some(1300),
            &[1, 1],
            &[0, 0],
        ),
        (
            "less than half of it",
            &[(0, 1149)],
            &[],
            Some(1300),
            &[1, 0],
            &[0, 0],
        ),
        (
            "the last second, hidden",
            &[(0, 1300)],
            &[(1100, 1300)],
            Some(1300),
            &[1, 0],
            &[0, 1],
        ),
    ];

    #[test]
    fn each_row_of_the_definition_holds() {
        for (rule, played, hidden, length, visible, unseen) in TABLE {
            let list = |list: &[(u32, u32)]| -> Vec<Span> {
                list.iter()
                    .filter_map(|&(from, to)| Span::new(from, to))
                    .collect()
            };
            let seconds = u32::try_from(visible.len()).unwrap();
            let found = passes(&list(played), &list(hidden), *length, 0..seconds);
            let got: Vec<u32> = found.iter().map(|second| second.visible).collect();
            assert_eq!(&got, visible, "{rule}: views");
            let got: Vec<u32> = found.iter().map(|second| second.hidden).collect();
            assert_eq!(&got, unseen, "{rule}: hidden");
        }
    }

    #[test]
    fn the_contracts_example() {
        let played = [(0, 10_000), (20_000, 25_000), (5_000, 8_000)]
            .map(|(from, to)| Span::new(from, to).unwrap());
        let views: Vec<u32> = passes(&played, &[], Some(30_000), 0..30)
            .iter()
            .map(|second| second.visible)
            .collect();
        let mut expected = vec![0; 30];
        expected[0..10].fill(1);
        expected[5..8].fill(2);
        expected[20..25].fill(1);
        assert_eq!(views, expected);
    }

    #[test]
    fn a_part_of_the_range_gives_the_same_seconds() {
        let played = [(250, 9_400), (3_300, 3_900), (9_400, 12_000)]
            .map(|(from, to)| Span::new(from, to).unwrap());
        let hidden = [Span::new(3_100, 5_700).unwrap()];
        let all = passes(&played, &hidden, None, 0..14);
        for from in 0..14 {
            for to in from..14 {
                assert_eq!(
                    passes(&played, &hidden, None, from..to),
                    all[from as usize..to as usize]
                );
            }
        }
    }
}
