//! How long an AVI file says that it is (RIFF; beyond a gigabyte OpenDML, several RIFF chunks in a row).
//!
//! Its demuxer makes an index of what is there when the one at the end is missing, and takes that for
//! all: a file of which half arrived would be a film of half the length, and nobody would be told.

use std::io::{self, Read, Seek, SeekFrom};

/// Chunks that are looked at: 256 GiB in pieces of a gigabyte, and then some.
const MOST_CHUNKS: usize = 1024;

/// Where the last RIFF chunk claims to end; `None` when this is no AVI file, or one that was never
/// finished and claims nothing.
pub fn claimed_end(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut at = 0_u64;
    for number in 0..MOST_CHUNKS {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 12];
        match file.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            other => other?,
        }
        let [r, i, f1, f2, s0, s1, s2, s3, kind @ ..] = head;
        let is_ours = match number {
            0 => &kind == b"AVI ",
            _ => &kind == b"AVIX",
        };
        if [r, i, f1, f2] != *b"RIFF" || !is_ours {
            break;
        }
        let size = u32::from_le_bytes([s0, s1, s2, s3]);
        if size == 0 || size == u32::MAX {
            return Ok(None);
        }
        at = at.saturating_add(8 + u64::from(size) + u64::from(size % 2));
        if at >= length {
            break;
        }
    }
    Ok((at > 0).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], size: u32, body: usize) -> Vec<u8> {
        [b"RIFF", size.to_le_bytes().as_slice(), kind, &vec![0; body]].concat()
    }

    #[test]
    fn the_last_of_its_chunks_says_where_an_avi_file_ends() {
        let whole = chunk(b"AVI ", 104, 100);
        let two = [whole.clone(), chunk(b"AVIX", 1004, 10)].concat();
        for (bytes, end) in [
            (whole.clone(), Some(112)),
            (whole[..50].to_vec(), Some(112)),
            (two, Some(112 + 1012)),
            ([whole, b"other bytes behind".to_vec()].concat(), Some(112)),
            (chunk(b"AVI ", 0, 100), None),
            (chunk(b"AVI ", u32::MAX, 100), None),
            (chunk(b"WAVE", 104, 100), None),
            (b"RIFF".to_vec(), None),
            (Vec::new(), None),
        ] {
            let found = claimed_end(&mut io::Cursor::new(bytes.clone())).unwrap();
            assert_eq!(found, end, "{} bytes", bytes.len());
        }
    }
}
