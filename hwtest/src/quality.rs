//! Quality beside x264: how much nearer or farther a coder's picture is than x264's (`veryfast`) of as many bytes. Pure.

/// What a clip took, and how near it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Of the whole clip.
    pub bytes: u64,
    /// Brightness.
    pub psnr_db: f64,
}

/// Decibels that `point` is above the line through `peer`'s points at the same bytes; none where it lies outside of
/// them. Between two points quality grows with the logarithm of the bytes, as it does for every encoder in practice.
#[must_use]
pub fn gain_db(point: Point, peer: &[Point]) -> Option<f64> {
    let log = |bytes: u64| (bytes.max(1) as f64).ln();
    let mut peer = peer.to_vec();
    peer.sort_by_key(|point| point.bytes);
    peer.windows(2).find_map(|pair| {
        let [low, high] = pair else { return None };
        if !(low.bytes..=high.bytes).contains(&point.bytes) || low.bytes == high.bytes {
            return None;
        }
        let share = (log(point.bytes) - log(low.bytes)) / (log(high.bytes) - log(low.bytes));
        let there = low.psnr_db + share * (high.psnr_db - low.psnr_db);
        Some(point.psnr_db - there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(bytes: u64, psnr_db: f64) -> Point {
        Point { bytes, psnr_db }
    }

    #[test]
    fn a_point_on_the_line_gains_nothing_and_one_above_it_what_it_is_above() {
        let peer = [point(4000, 44.0), point(1000, 40.0)];
        assert!(gain_db(point(2000, 42.0), &peer).unwrap().abs() < 1e-9);
        assert!((gain_db(point(2000, 40.5), &peer).unwrap() + 1.5).abs() < 1e-9);
        assert!((gain_db(point(1000, 41.0), &peer).unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn beyond_the_peers_points_nothing_is_said() {
        let peer = [point(1000, 40.0), point(4000, 44.0)];
        assert_eq!(gain_db(point(999, 40.0), &peer), None);
        assert_eq!(gain_db(point(4001, 40.0), &peer), None);
        assert_eq!(gain_db(point(1000, 40.0), &[]), None);
    }
}
