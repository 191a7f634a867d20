//! A Bloom filter over the ids of a run: says "no" for certain and "perhaps" once in a few hundred times too often. All
//! bits of an id lie in one line of the processor's cache.

/// 64 bytes.
type Line = [u64; 8];

/// Bits for each id.
const BITS: usize = 16;
/// Bits set for each id.
const PROBES: u32 = 8;

pub(crate) struct Filter {
    lines: Box<[Line]>,
}

impl Filter {
    /// Room for so many ids.
    pub fn for_ids(count: u64) -> Self {
        let bits = usize::try_from(count)
            .unwrap_or(usize::MAX / BITS)
            .saturating_mul(BITS);
        Self {
            lines: vec![[0; 8]; bits.div_ceil(512).max(1)].into_boxed_slice(),
        }
    }

    pub fn insert(&mut self, hash: u64) {
        let (line, mut bits) = self.place(hash);
        let line = &mut self.lines[line];
        for _ in 0..PROBES {
            line[(bits & 7) as usize] |= 1 << (bits >> 3 & 63);
            bits >>= 7;
        }
    }

    /// Whether it may have been inserted.
    pub fn may_have(&self, hash: u64) -> bool {
        let (line, mut bits) = self.place(hash);
        let line = &self.lines[line];
        (0..PROBES).all(|_| {
            let is_set = line[(bits & 7) as usize] & 1 << (bits >> 3 & 63) != 0;
            bits >>= 7;
            is_set
        })
    }

    /// Which line, and the bits that say where in it.
    fn place(&self, hash: u64) -> (usize, u64) {
        // Hashes have 48 bits: spread them (the finish of SplitMix64).
        let mut mixed = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let line = (u128::from(mixed) * self.lines.len() as u128) >> 64;
        (line as usize, mixed.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        let mut filter = Filter::for_ids(100_000);
        let hash = |n: u64| crate::index::id_hash(uuid::Uuid::from_u128(u128::from(n)));
        for n in 0..100_000 {
            filter.insert(hash(n));
        }
        assert!((0..100_000).all(|n| filter.may_have(hash(n))));
        let wrong = (100_000..300_000)
            .filter(|n| filter.may_have(hash(*n)))
            .count();
        assert!(wrong < 1_000, "{wrong} of 200,000");
    }
}
