//! What x264 is told beyond its preset, by what a rung shows. Measured beside ffmpeg's `veryfast` at CRF 23
//! (`make bench`, `docs/decisions/0013`): no rung may take more bytes, nor look worse. Pure.

/// A rung, as far as its tuning goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Its height as a share of the first rung's; 1 for the first.
    pub share: f64,
    /// Whether the picture mostly stands still.
    pub is_still: bool,
    /// Whether frames come at even times.
    pub is_steady: bool,
}

/// What x264 gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Constant quality; the rate limit of each rung only caps it.
    pub crf: u32,
    /// The option string.
    pub options: String,
}

/// What `veryfast` spends a third of its time on and hardly a picture shows.
const QUICKER: &str = "subme=1:partitions=i8x8,i4x4";
/// From so small on letters stay sharp by the scaler, and need fewer bits than blurred ones would.
const SMALL: f64 = 0.45;

/// The tuning of a rung.
pub fn tuning(shown: Shown) -> Tuning {
    // Where frames come at uneven times, reordering them would need a delay that grows on the way, and the rate is
    // counted by their times and not by their number.
    let times = match shown.is_steady {
        true => "bframes=3:b-adapt=0",
        false => "bframes=0:force-cfr=0",
    };
    // A scaled rung is a little sharper than another scaler's: its colours, and what hardly moves, give the bits that
    // takes. Where slides and moving pointers take turns, bits go to what is shown longer, but not all of them; and to
    // letters rather than to the plain ground around them, which adaptive quantization would favour.
    let (crf, bits) = match (shown.is_still, shown.share) {
        (false, 1.0..) => (23, "chroma-qp-offset=1"),
        (false, SMALL..) => (23, "chroma-qp-offset=2:deadzone-inter=24"),
        (false, _) => (24, "chroma-qp-offset=2"),
        (true, 1.0..) => (24, "chroma-qp-offset=2"),
        (true, SMALL..) => (
            27,
            "chroma-qp-offset=4:qcomp=0.87:aq-strength=0.7:deadzone-inter=23",
        ),
        (true, _) => (
            28,
            "chroma-qp-offset=4:qcomp=0.87:aq-strength=0.7:deadzone-inter=26",
        ),
    };
    // Slides seldom fade, and what moves on them moves as a whole.
    let fades = if shown.is_still {
        ":weightp=0:me=dia"
    } else {
        ""
    };
    Tuning {
        crf,
        // A look-ahead with a thread of its own holds five more frames of each rung, and makes the same bytes later.
        options: format!("scenecut=0:open-gop=0:sync-lookahead=0:{times}:{QUICKER}:{bits}{fades}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_and_the_stiller_a_rung_is_the_less_its_quality_is_held() {
        let crf = |share, is_still| {
            let is_steady = true;
            let shown = Shown {
                share,
                is_still,
                is_steady,
            };
            tuning(shown).crf
        };
        for is_still in [false, true] {
            assert!(
                [1.0, 0.67, 0.5, 0.2]
                    .map(|share| crf(share, is_still))
                    .is_sorted()
            );
        }
        let is_less = |share| crf(share, true) > crf(share, false);
        assert!([1.0, 0.67, 0.2].into_iter().all(is_less));
    }

    #[test]
    fn frames_at_uneven_times_are_not_reordered_and_their_times_count() {
        let uneven = Shown {
            share: 0.5,
            is_still: true,
            is_steady: false,
        };
        let options = tuning(uneven).options;
        assert!(options.contains("bframes=0:force-cfr=0"), "{options}");
    }
}
