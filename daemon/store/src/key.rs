//! Keys as bytes that sort like the values they stand for, so that ranges and prefixes of tuples
//! work on the file's own order.

/// A table's key. `write` must keep the order: `a < b` exactly when their bytes are; and no
/// encoding may be a prefix of another of the same type, so that tuples sort too.
///
/// A room's id type delegates to the type it wraps:
///
/// ```
/// struct VideoId(uuid::Uuid);
/// impl lectern_store::Key for VideoId {
///     fn write(&self, out: &mut Vec<u8>) { self.0.write(out) }
///     fn read(bytes: &mut &[u8]) -> Option<Self> { uuid::Uuid::read(bytes).map(Self) }
/// }
/// ```
pub trait Key: Sized {
    /// Appends the key's bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the key's bytes off the front; `None` when they are no such key.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

pub(crate) fn to_bytes(key: &impl Key) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    key.write(&mut out);
    out
}

/// The first bytes after every key that begins with `prefix`; `None` when there are none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

macro_rules! unsigned {
    ($($kind:ty),*) => {$(
        impl Key for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (head, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_be_bytes(*head))
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64, u128);

impl Key for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        // The sign bit flipped, so that negative numbers come first.
        (self.cast_unsigned() ^ (1 << 63)).write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((u64::read(bytes)? ^ (1 << 63)).cast_signed())
    }
}

impl Key for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match u8::read(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<const N: usize> Key for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*head)
    }
}

impl Key for uuid::Uuid {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_bytes().write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        <[u8; 16]>::read(bytes).map(Self::from_bytes)
    }
}

/// Ends a byte string; a zero inside it is written as `ESCAPED_ZERO`. Both sort as they must:
/// the end before every continuation.
const END: [u8; 2] = [0, 1];
const ESCAPED_ZERO: [u8; 2] = [0, 0xff];

fn write_terminated(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            0 => out.extend_from_slice(&ESCAPED_ZERO),
            other => out.push(*other),
        }
    }
    out.extend_from_slice(&END);
}

impl Key for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        write_terminated(self, out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut value = Self::new();
        loop {
            let (head, rest) = bytes.split_first()?;
            *bytes = rest;
            if *head != 0 {
                value.push(*head);
                continue;
            }
            let (mark, rest) = bytes.split_first()?;
            *bytes = rest;
            match mark {
                1 => return Some(value),
                0xff => value.push(0),
                _ => return None,
            }
        }
    }
}

impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        write_terminated(self.as_bytes(), out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Vec::read(bytes)?).ok()
    }
}

impl Key for () {
    fn write(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuple {
    ($($part:ident $index:tt),*) => {
        impl<$($part: Key),*> Key for ($($part,)*) {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)*
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($part::read(bytes)?,)*))
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);

#[cfg(test)]
mod tests {
    use super::{Key, after_prefix, to_bytes};
    use proptest::prelude::{any, proptest};

    type Parts = (String, i64, Vec<u8>, u64);

    proptest! {
        #[test]
        fn keys_sort_like_their_values(a in any::<Parts>(), b in any::<Parts>()) {
            assert_eq!(a.cmp(&b), to_bytes(&a).cmp(&to_bytes(&b)));
        }

        #[test]
        fn a_key_reads_back_as_it_was_written(key in any::<Parts>()) {
            let bytes = to_bytes(&key);
            let mut rest = bytes.as_slice();
            assert_eq!(Parts::read(&mut rest), Some(key));
            assert!(rest.is_empty());
        }

        #[test]
        fn strings_with_zeros_sort_like_their_values(a in "[\\x00-\\x02]{0,4}", b in "[\\x00-\\x02]{0,4}", n in any::<u64>()) {
            assert_eq!((a.clone(), n).cmp(&(b.clone(), 7)), to_bytes(&(a, n)).cmp(&to_bytes(&(b, 7u64))));
        }

        #[test]
        fn no_bytes_make_a_key_panic(bytes in any::<Vec<u8>>()) {
            let _ = Parts::read(&mut bytes.as_slice());
        }

        #[test]
        fn a_prefix_ends_right_behind_its_last_key(prefix in any::<Vec<u8>>(), rest in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let inside = [prefix.clone(), rest].concat();
            if let Some(end) = after_prefix(&prefix) {
                assert!(inside < end);
                assert!(other < prefix || other.starts_with(&prefix) || other >= end);
            }
        }
    }
}
