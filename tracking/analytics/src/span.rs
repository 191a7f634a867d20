//! Stretches of a video's time line in whole milliseconds, and the arithmetic on lists of them.
//!
//! Not the grammar of `played-segments` (that is `lectern-xapi`), not what counts as watched (`passes`).

/// No video is longer than two days (`lectern-vod` takes none): what lies beyond is not counted, so that no statement can
/// make the box allocate or write without end.
pub const MAX_MS: u32 = 48 * 3600 * 1000;

/// From `from` up to, not including, `to`; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First millisecond.
    pub from: u32,
    /// The millisecond after the last.
    pub to: u32,
}

impl Span {
    /// `None` when nothing lies between the two within [`MAX_MS`].
    #[must_use]
    pub fn new(from: u32, to: u32) -> Option<Self> {
        let to = to.min(MAX_MS);
        (from < to).then_some(Self { from, to })
    }

    /// Length in milliseconds, at least 1.
    #[must_use]
    pub fn length_ms(self) -> u32 {
        self.to - self.from
    }
}

/// Seconds to whole milliseconds, cut at [`MAX_MS`]; `None` for NaN, infinity and negative numbers.
#[must_use]
pub fn millis(seconds: f64) -> Option<u32> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    let ms = (seconds * 1000.0).round().min(f64::from(MAX_MS));
    // In 0..=MAX_MS by the line above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(ms as u32)
}

/// Where at least `depth` of `played` lie over one another after as many of `hidden` are taken away, merged and in order.
#[must_use]
pub fn at_least(depth: i64, played: &[Span], hidden: &[Span]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Option<u32> = None;
    walk(played, hidden, |at, now| match (open, now >= depth) {
        (None, true) => open = Some(at),
        (Some(from), false) => {
            found.extend(Span::new(from, at));
            open = None;
        }
        _ => {}
    });
    found
}

/// Milliseconds played and not hidden, replays counted each time.
#[must_use]
pub fn visible_ms(played: &[Span], hidden: &[Span]) -> u64 {
    let (mut sum, mut last, mut depth) = (0u64, 0u32, 0i64);
    walk(played, hidden, |at, now| {
        sum += u64::from(at - last) * depth.max(0).unsigned_abs();
        last = at;
        depth = now;
    });
    sum
}

/// Sum of the lengths.
#[must_use]
pub fn total_ms(spans: &[Span]) -> u64 {
    spans.iter().map(|span| u64::from(span.length_ms())).sum()
}

/// The spans cut to what lies before `end`.
#[must_use]
pub fn before(end: u32, spans: &[Span]) -> Vec<Span> {
    spans
        .iter()
        .filter_map(|span| Span::new(span.from, span.to.min(end)))
        .collect()
}

/// Calls `step` at each time where the depth (played less hidden) changes, in order, with the depth from there on.
fn walk(played: &[Span], hidden: &[Span], mut step: impl FnMut(u32, i64)) {
    let mut edges: Vec<(u32, i64)> = Vec::with_capacity(2 * (played.len() + hidden.len()));
    for (spans, sign) in [(played, 1), (hidden, -1)] {
        for span in spans {
            edges.push((span.from, sign));
            edges.push((span.to, -sign));
        }
    }
    edges.sort_unstable_by_key(|&(at, _)| at);
    let mut depth = 0;
    let mut edges = edges.into_iter().peekable();
    while let Some((at, change)) = edges.next() {
        depth += change;
        if edges.peek().is_none_or(|&(next, _)| next != at) {
            step(at, depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(list: &[(u32, u32)]) -> Vec<Span> {
        list.iter()
            .filter_map(|&(from, to)| Span::new(from, to))
            .collect()
    }

    #[test]
    fn hostile_numbers_are_no_time_or_at_most_two_days() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -1e-300] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
        assert_eq!(millis(1e308), Some(MAX_MS));
        assert_eq!(millis(0.0004), Some(0));
        assert_eq!(Span::new(0, u32::MAX), Span::new(0, MAX_MS));
        assert_eq!(Span::new(u32::MAX - 1, u32::MAX), None);
        assert_eq!(Span::new(9, 3), None);
    }

    #[test]
    fn hidden_parts_are_taken_from_one_pass_only() {
        let played = spans(&[(0, 10_000), (2_000, 6_000)]);
        let hidden = spans(&[(3_000, 5_000)]);
        assert_eq!(at_least(1, &played, &hidden), spans(&[(0, 10_000)]));
        assert_eq!(
            at_least(2, &played, &hidden),
            spans(&[(2_000, 3_000), (5_000, 6_000)])
        );
        assert_eq!(visible_ms(&played, &hidden), 12_000);
    }

    #[test]
    fn touching_spans_merge() {
        let played = spans(&[(5_000, 8_000), (0, 5_000)]);
        assert_eq!(at_least(1, &played, &[]), spans(&[(0, 8_000)]));
    }
}
