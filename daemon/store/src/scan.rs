//! Bounds of a scan as bytes.

use std::ops::{Bound, RangeBounds};

use crate::Key;
use crate::key::{after_prefix, to_bytes};

/// Where a scan begins and ends, in bytes of keys.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

pub(crate) fn of_range<K: Key>(range: &impl RangeBounds<K>) -> Bounds {
    (
        range.start_bound().map(to_bytes),
        range.end_bound().map(to_bytes),
    )
}

pub(crate) fn of_prefix(prefix: &impl Key) -> Bounds {
    let start = to_bytes(prefix);
    let end = after_prefix(&start).map_or(Bound::Unbounded, Bound::Excluded);
    (Bound::Included(start), end)
}

/// The bounds as redb takes them.
pub(crate) fn as_slices(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        bounds.0.as_ref().map(Vec::as_slice),
        bounds.1.as_ref().map(Vec::as_slice),
    )
}

/// Whether nothing can lie between them (redb panics on a start behind its end).
pub(crate) fn is_empty(bounds: &Bounds) -> bool {
    match (&bounds.0, &bounds.1) {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (
            Bound::Included(start) | Bound::Excluded(start),
            Bound::Excluded(end) | Bound::Included(end),
        ) => start >= end,
        _ => false,
    }
}
