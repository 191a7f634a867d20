//! Cuts lines into blocks that fill a page of the file each.

use super::block::{MAX_ENTRIES, encode};
use super::{Line, Packed};
use crate::entry::Hash;

/// What of a page of 4,096 bytes redb leaves to a value with a key of eight.
const PAGE_BYTES: usize = 4_060;
/// A block that fills this much of its page stays as it is.
const FULL_BYTES: usize = PAGE_BYTES * 9 / 10;

/// Blocks made of lines.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    /// Number of the first entry, bytes.
    pub blocks: Vec<(u64, Packed)>,
    /// How many lines, from behind, lie in the last block when that has room for more.
    pub open: usize,
}

/// Packs lines, the first of which follows the link `previous`. `guess` is how many bytes a line took lately, and
/// learns.
pub(crate) fn pack<L: AsRef<Line>>(previous: Hash, lines: &[L], guess: &mut usize) -> Packing {
    let mut packing = Packing::default();
    let (mut rest, mut previous) = (lines, previous);
    while let Some(first) = rest.first() {
        let (mut count, mut bytes) = (0, Vec::new());
        let mut wanted = (PAGE_BYTES / (*guess).max(1)).clamp(1, rest.len().min(MAX_ENTRIES));
        for _ in 0..4 {
            let tried = encode(&previous, rest[..wanted].iter().map(AsRef::as_ref));
            let length = tried.len();
            // One that is too long must shrink, unless it is a single line; one that fits is kept if it is the longest.
            let fits = length <= PAGE_BYTES || wanted == 1;
            if fits && wanted > count {
                (count, bytes) = (wanted, tried);
            }
            *guess = (length / wanted).max(16);
            let better =
                (wanted * (PAGE_BYTES * 97 / 100) / length).clamp(1, rest.len().min(MAX_ENTRIES));
            let is_good = fits && length >= FULL_BYTES;
            if is_good || better == wanted || (count > 0 && better <= count) {
                break;
            }
            wanted = better;
        }
        if count == 0 {
            // Uneven lines kept the guesses too long: half as many do fit, or a single one may be as long as it likes.
            count = wanted;
            loop {
                bytes = encode(&previous, rest[..count].iter().map(AsRef::as_ref));
                if bytes.len() <= PAGE_BYTES || count == 1 {
                    break;
                }
                count = count.div_ceil(2);
            }
        }
        let is_open = count == rest.len() && bytes.len() < FULL_BYTES;
        packing.open = if is_open { count } else { 0 };
        packing
            .blocks
            .push((first.as_ref().entry.sequence, Packed(bytes)));
        if let Some(last) = rest.get(count - 1) {
            previous = last.as_ref().link;
        }
        rest = &rest[count..];
    }
    packing
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::{any, prop, proptest};
    use uuid::Uuid;

    use super::*;
    use crate::body::Body;
    use crate::entry::Entry;
    use crate::log::block::Block;

    fn lines(sizes: &[u16]) -> Vec<Arc<Line>> {
        let mut previous = [0; 32];
        let line = |(n, size): (usize, &u16)| {
            let body = Body {
                version: lectern_xapi::Version::V2_0_0,
                defines: false,
                authority: 1,
                salt: [0; 16],
                raw: (0..*size)
                    .map(|n| char::from(b'a' + (n.wrapping_mul(7919) % 26) as u8))
                    .collect(),
            };
            let entry = Entry {
                sequence: n as u64 + 1,
                id: Uuid::from_u128(n as u128),
                stored: jiff::Timestamp::from_microsecond(n as i64).unwrap(),
                credential: "credential:x".to_owned(),
                defines: false,
            };
            let body_hash = body.hash();
            let link = entry.link(&body_hash, &previous);
            previous = link;
            Arc::new(Line {
                entry,
                body: Some(body),
                body_hash,
                link,
            })
        };
        sizes.iter().enumerate().map(line).collect()
    }

    proptest! {
        #[test]
        fn every_line_lies_in_one_block_in_order(sizes in prop::collection::vec(any::<u16>(), 1..60), guess in 1..5000_usize) {
            let lines = lines(&sizes);
            let packing = pack([0; 32], &lines, &mut guess.clone());
            let mut found = Vec::new();
            let mut previous = [0; 32];
            for (first, Packed(bytes)) in &packing.blocks {
                let block = Block::decode(*first, bytes).unwrap();
                assert_eq!(block.previous, previous);
                assert!(bytes.len() <= PAGE_BYTES || block.first() == block.end());
                previous = block.last;
                found.extend(block.lines());
            }
            assert!(found.iter().eq(lines.iter().map(AsRef::as_ref)));
        }
    }
}
