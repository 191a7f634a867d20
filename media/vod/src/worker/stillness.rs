//! Whether a picture shows anything new. Slides and recordings of a screen hardly change: frames that look
//! like the one before are not encoded again, the one before is shown longer instead.
//!
//! Looks at brightness alone, block by block, so that a pointer of a few pixels counts as much as a new
//! slide; what a coder changes of a picture that stands still stays below the bound. Each frame is compared
//! with the last one that was *kept*, so that a slow fade adds up and is seen. Pure.

/// A block has this many pixels in each direction.
const BLOCK: usize = 16;
/// Brightness of a block may be off by so much in the mean, of 255.
const MEAN: u32 = 2;
/// One pixel of it may be off by so much: letters are thin.
const MOST: u8 = 20;

/// A picture's brightness: lines of `width` bytes, `stride` apart.
#[derive(Debug, Clone, Copy)]
pub struct Luma<'a> {
    /// The plane.
    pub bytes: &'a [u8],
    /// Bytes from one line to the next.
    pub stride: usize,
    /// Pixels.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// Whether two pictures of one size look the same; pictures of two sizes do not.
pub fn look_the_same(one: Luma<'_>, other: Luma<'_>) -> bool {
    if (one.width, one.height) != (other.width, other.height) {
        return false;
    }
    (0..one.height)
        .step_by(BLOCK)
        .all(|top| band_is_the_same(one, other, top))
}

/// A band of [`BLOCK`] lines: lines that are equal to the byte are passed over at once.
fn band_is_the_same(one: Luma<'_>, other: Luma<'_>, top: usize) -> bool {
    let lines = || top..(top + BLOCK).min(one.height);
    if lines().all(|y| one.line(y) == other.line(y)) {
        return true;
    }
    let mut sums = vec![0_u32; one.width.div_ceil(BLOCK)];
    for y in lines() {
        let (a, b) = (one.line(y), other.line(y));
        if a == b {
            continue;
        }
        if a.len() != b.len() {
            return false;
        }
        let (a, rest_a) = a.as_chunks::<BLOCK>();
        let (b, rest_b) = b.as_chunks::<BLOCK>();
        let mut most = 0;
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            let (off, farthest) = difference(a, b);
            *sum = sum.wrapping_add(off);
            most = most.max(farthest);
        }
        // The block at the right edge, which may be narrower.
        for (a, b) in rest_a.iter().zip(rest_b) {
            let off = a.abs_diff(*b);
            most = most.max(off);
            if let Some(last) = sums.last_mut() {
                *last = last.wrapping_add(u32::from(off));
            }
        }
        if most > MOST {
            return false;
        }
    }
    let pixels = u32::try_from(BLOCK * BLOCK).unwrap_or(u32::MAX);
    sums.into_iter().all(|sum| sum <= MEAN * pixels)
}

/// The sum of all differences in a line of a block, and the largest. Written so that it becomes vector
/// instructions: no branch, and no check of sums that cannot overflow (16 lines of 16 times 255).
fn difference(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> (u32, u8) {
    let mut off = [0_u8; BLOCK];
    for (off, (a, b)) in off.iter_mut().zip(a.iter().zip(b)) {
        *off = a.abs_diff(*b);
    }
    let sum = off
        .iter()
        .fold(0_u32, |sum, off| sum.wrapping_add(u32::from(*off)));
    let most = off.iter().fold(0_u8, |most, off| most.max(*off));
    (sum, most)
}

impl<'a> Luma<'a> {
    /// One line; short or empty where the plane ends early.
    fn line(&self, y: usize) -> &'a [u8] {
        let from = (y * self.stride).min(self.bytes.len());
        let to = (from + self.width).min(self.bytes.len());
        &self.bytes[from..to]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 50;
    const HEIGHT: usize = 37;
    const STRIDE: usize = 64;

    fn picture() -> Vec<u8> {
        (0..STRIDE * HEIGHT).map(|n| (n % 251) as u8).collect()
    }

    fn luma(bytes: &[u8]) -> Luma<'_> {
        Luma {
            bytes,
            stride: STRIDE,
            width: WIDTH,
            height: HEIGHT,
        }
    }

    #[test]
    fn what_a_coder_changes_is_nothing_new() {
        let before = picture();
        let mut after = before.clone();
        for (n, value) in after.iter_mut().enumerate() {
            *value = value.wrapping_add(u8::from(n % 2 == 0));
        }
        assert!(look_the_same(luma(&before), luma(&before)));
        assert!(look_the_same(luma(&before), luma(&after)));
    }

    #[test]
    fn one_dot_anywhere_is_new_and_so_is_a_block_that_fades() {
        let before = picture();
        for (x, y) in [(0, 0), (49, 36), (25, 20)] {
            let mut after = before.clone();
            after[y * STRIDE + x] = after[y * STRIDE + x].wrapping_add(40);
            assert!(!look_the_same(luma(&before), luma(&after)), "{x} {y}");
        }
        let mut after = before.clone();
        for y in 16..32 {
            for value in &mut after[y * STRIDE + 16..y * STRIDE + 32] {
                *value = value.saturating_add(3);
            }
        }
        assert!(!look_the_same(luma(&before), luma(&after)));
    }

    #[test]
    fn padding_is_not_looked_at_and_sizes_are() {
        let before = picture();
        let mut after = before.clone();
        after[WIDTH] = 99;
        assert!(look_the_same(luma(&before), luma(&after)));
        let smaller = Luma {
            height: 36,
            ..luma(&before)
        };
        assert!(!look_the_same(luma(&before), smaller));
        let cut = &before[..STRIDE * 20];
        assert!(!look_the_same(luma(&before), luma(cut)));
    }
}
