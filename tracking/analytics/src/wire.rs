//! Spans of a video as bytes of a record.

use crate::span::Span;
use lectern_store::Corrupt;
pub use lectern_store::wire::{Reader, Writer};

/// Each as the distance from the end of the one before, and its length.
pub fn write_spans(spans: &[Span], out: &mut Writer) {
    out.number(spans.len() as u64);
    let mut last = 0i64;
    for span in spans {
        out.signed(i64::from(span.from) - last);
        out.number(u64::from(span.length_ms()));
        last = i64::from(span.to);
    }
}

/// See [`write_spans`].
pub fn read_spans(from: &mut Reader<'_>) -> Result<Vec<Span>, Corrupt> {
    let is_none = || Corrupt("segment that is none".to_owned());
    let count = from.number()?;
    let mut spans = Vec::new();
    let mut last = 0i64;
    for _ in 0..count {
        let start = last.checked_add(from.signed()?).ok_or_else(is_none)?;
        let length = i64::try_from(from.number()?).map_err(|_| is_none())?;
        let to = start.checked_add(length).ok_or_else(is_none)?;
        let span = u32::try_from(start)
            .ok()
            .zip(u32::try_from(to).ok())
            .and_then(|(start, to)| Span::new(start, to))
            .ok_or_else(is_none)?;
        last = to;
        spans.push(span);
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn no_bytes_make_spans_panic(bytes in any::<Vec<u8>>()) {
            let _ = read_spans(&mut Reader::part(&bytes));
        }
    }
}
