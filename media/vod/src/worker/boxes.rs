//! The few boxes of our own CMAF files that we read or mend: times of a fragment (ISO/IEC 14496-12,
//! 8.8), the edit list of an init segment, and codec strings (RFC 6381). Pure. Not a parser for files
//! of others, except [`top_level_end`], which bounds every step; [`super::chapters`] reads with its help.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Presentation times of one `moof`, in ticks of its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentTimes {
    /// Earliest presentation time.
    pub start: u64,
    /// Sum of the samples' durations.
    pub duration: u64,
    /// Samples.
    pub samples: u32,
}

/// Times of the first `traf` in `bytes`, which begins with `moof` or boxes before it.
pub fn fragment_times(bytes: &[u8]) -> Option<FragmentTimes> {
    let moof = find(bytes, b"moof")?;
    let traf = find(moof, b"traf")?;
    let tfhd = find(traf, b"tfhd")?;
    let flags = u32_at(tfhd, 0)? & 0x00ff_ffff;
    let mut at = 8;
    at += if flags & 0x1 != 0 { 8 } else { 0 };
    at += if flags & 0x2 != 0 { 4 } else { 0 };
    let default_duration = if flags & 0x8 != 0 {
        u32_at(tfhd, at)
    } else {
        None
    };

    let tfdt = find(traf, b"tfdt")?;
    let base = match tfdt.first()? {
        0 => u64::from(u32_at(tfdt, 4)?),
        _ => u64_at(tfdt, 4)?,
    };

    let mut decode = 0_u64;
    let mut samples = 0_u32;
    let mut earliest: Option<i64> = None;
    for trun in each(traf, b"trun") {
        let flags = u32_at(trun, 0)? & 0x00ff_ffff;
        let count = u32_at(trun, 4)?;
        let mut at = 8;
        at += if flags & 0x1 != 0 { 4 } else { 0 };
        at += if flags & 0x4 != 0 { 4 } else { 0 };
        for _ in 0..count {
            let duration = if flags & 0x100 != 0 {
                let value = u32_at(trun, at)?;
                at += 4;
                value
            } else {
                default_duration?
            };
            at += if flags & 0x200 != 0 { 4 } else { 0 };
            at += if flags & 0x400 != 0 { 4 } else { 0 };
            let offset = if flags & 0x800 != 0 {
                let value = u32_at(trun, at)?.cast_signed();
                at += 4;
                value
            } else {
                0
            };
            let shown = i64::try_from(decode).ok()?.checked_add(i64::from(offset))?;
            earliest = Some(earliest.map_or(shown, |e| e.min(shown)));
            decode = decode.checked_add(u64::from(duration))?;
            samples = samples.checked_add(1)?;
        }
    }
    let start = i64::try_from(base).ok()?.checked_add(earliest?)?;
    Some(FragmentTimes {
        start: u64::try_from(start).unwrap_or(0),
        duration: decode,
        samples,
    })
}

/// Adds `by` ticks to every composition offset (`trun`, 8.8.8) of a fragment's first `traf`.
///
/// The muxer writes offsets around 0. A reader that knows only positive ones, ffmpeg among them, shifts
/// each track by its own most negative one, and the rungs fall apart; with an edit list in the init
/// segment ([`with_edit_list`]) instead, all readers agree.
pub fn shift_composition(bytes: &mut [u8], by: u32) -> Option<()> {
    let moof = find_range(bytes, 0..bytes.len(), b"moof")?;
    let traf = find_range(bytes, moof, b"traf")?;
    let mut rest = traf;
    while let Some(trun) = find_range(bytes, rest.clone(), b"trun") {
        let body = bytes.get_mut(trun.clone())?;
        let flags = u32_at(body, 0)? & 0x00ff_ffff;
        let count = usize::try_from(u32_at(body, 4)?).ok()?;
        if flags & 0x800 != 0 {
            let head = 8 + 4 * (flags & 0x5).count_ones() as usize;
            let sample = 4 * (flags & 0xf00).count_ones() as usize;
            for n in 0..count {
                let at = head + n * sample + sample - 4;
                let moved = u32_at(body, at)?.wrapping_add(by);
                body.get_mut(at..at + 4)?
                    .copy_from_slice(&moved.to_be_bytes());
            }
        }
        rest = trun.end..rest.end;
    }
    Some(())
}

/// Takes the dates out of an init segment's `mvhd`, `tkhd` and `mdhd`: the same source gives the same
/// bytes, today and when a killed job goes on tomorrow.
pub fn without_dates(init: &mut [u8]) -> Option<()> {
    let moov = find_range(init, 0..init.len(), b"moov")?;
    let trak = find_range(init, moov.clone(), b"trak")?;
    let mdia = find_range(init, trak.clone(), b"mdia")?;
    for (within, name) in [(moov, b"mvhd"), (trak, b"tkhd"), (mdia, b"mdhd")] {
        let head = find_range(init, within, name)?;
        let dates = if *init.get(head.start)? == 1 { 16 } else { 8 };
        init.get_mut(head.start + 4..head.start + 4 + dates)?
            .fill(0);
    }
    Some(())
}

/// An init segment with an edit list (8.6.6) in its one track: presentation begins at `media_time`.
pub fn with_edit_list(init: &[u8], media_time: u32) -> Option<Vec<u8>> {
    let moov = find_range(init, 0..init.len(), b"moov")?;
    let trak = find_range(init, moov.clone(), b"trak")?;
    let tkhd = find_range(init, trak.clone(), b"tkhd")?;
    let mut edit = Vec::with_capacity(36);
    edit.extend(36_u32.to_be_bytes());
    edit.extend(b"edts");
    edit.extend(28_u32.to_be_bytes());
    edit.extend(b"elst");
    edit.extend([0; 4]);
    edit.extend(1_u32.to_be_bytes());
    edit.extend([0; 4]); // to the end, as long as it is not known
    edit.extend(media_time.to_be_bytes());
    edit.extend([0, 1, 0, 0]);

    let mut out = Vec::with_capacity(init.len() + edit.len());
    out.extend(init.get(..tkhd.end)?);
    out.extend(&edit);
    out.extend(init.get(tkhd.end..)?);
    for head in [moov.start.checked_sub(8)?, trak.start.checked_sub(8)?] {
        let size = u32_at(&out, head)?.checked_add(36)?;
        out.get_mut(head..head + 4)?
            .copy_from_slice(&size.to_be_bytes());
    }
    // `cmf2` promises that there is none (ISO/IEC 23000-19, 7.7).
    if out.get(4..12) == Some(b"ftypcmf2".as_slice()) {
        out.get_mut(8..12)?.copy_from_slice(b"cmfc");
    }
    Some(out)
}

/// `avc1.PPCCLL` of an `avcC` record (ISO/IEC 14496-15, 5.3.3.1).
pub fn avc_codec_string(avcc: &[u8]) -> Option<String> {
    match avcc {
        [1, profile, compatibility, level, ..] => {
            Some(format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"))
        }
        _ => None,
    }
}

/// `mp4a.40.N` of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
pub fn aac_codec_string(config: &[u8]) -> Option<String> {
    let first = u32::from(*config.first()?);
    let kind = match first >> 3 {
        31 => 32 + ((first & 7) << 3 | u32::from(*config.get(1)?) >> 5),
        kind => kind,
    };
    Some(format!("mp4a.40.{kind}"))
}

/// Where the boxes that a film cannot miss claim to end, and whether `moov` or a fragment is among them;
/// `None` when this is no ISO file.
pub fn top_level_end(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, bool)>> {
    const MOST_BOXES: usize = 100_000;
    const FIRST: [&[u8; 4]; 8] = [
        b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide",
    ];
    let length = file.seek(SeekFrom::End(0))?;
    let (mut at, mut end, mut has_index) = (0_u64, 0_u64, false);
    for number in 0..MOST_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::with_capacity(16);
        file.take(16).read_to_end(&mut head)?;
        let (Some(size), Some(name)) = (u32_at(&head, 0), head.get(4..8)) else {
            break;
        };
        if number == 0 && !FIRST.iter().any(|first| name == *first) {
            return Ok(None);
        }
        let size = match size {
            0 => length.saturating_sub(at),
            1 => u64_at(&head, 8).unwrap_or(16).max(16),
            size => u64::from(size).max(8),
        };
        at = at.saturating_add(size);
        if matches!(name, b"moov" | b"moof" | b"mdat") {
            has_index |= name != b"mdat";
            end = at;
        }
        if at >= length {
            break;
        }
    }
    Ok((end > 0 || length >= 8).then_some((end, has_index)))
}

/// Where the body of the first box of that name within `range` lies.
fn find_range(bytes: &[u8], range: Range<usize>, name: &[u8; 4]) -> Option<Range<usize>> {
    let mut at = range.start;
    while at + 8 <= range.end {
        let size = usize::try_from(u32_at(bytes, at)?).ok()?;
        let end = at
            .checked_add(size)
            .filter(|end| size >= 8 && *end <= range.end)?;
        if bytes.get(at + 4..at + 8)? == name {
            return Some(at + 8..end);
        }
        at = end;
    }
    None
}

pub(super) fn find<'a>(bytes: &'a [u8], name: &'static [u8; 4]) -> Option<&'a [u8]> {
    each(bytes, name).next()
}

pub(super) fn each<'a>(
    mut bytes: &'a [u8],
    name: &'static [u8; 4],
) -> impl Iterator<Item = &'a [u8]> {
    std::iter::from_fn(move || {
        loop {
            let size = usize::try_from(u32_at(bytes, 0)?).ok()?;
            if size < 8 || size > bytes.len() {
                // The last box may reach beyond what the caller has (`mdat`): nothing after it counts.
                return None;
            }
            let (this, rest) = bytes.split_at(size);
            bytes = rest;
            if &this[4..8] == name {
                return Some(&this[8..]);
            }
        }
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(eight.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(body.len() + 8)
            .unwrap()
            .to_be_bytes()
            .to_vec();
        out.extend(name);
        out.extend(body);
        out
    }

    /// Three samples of 10 ticks shown at 0, 20 and 10, base 100; offsets around 0 as cmafmux has them.
    fn fragment() -> Vec<u8> {
        let tfhd = boxed(
            b"tfhd",
            &[&[0, 2, 0, 8][..], &[0, 0, 0, 1], &[0, 0, 0, 10]].concat(),
        );
        let tfdt = boxed(b"tfdt", &[0, 0, 0, 0, 0, 0, 0, 100]);
        let mut trun = vec![1, 0, 8, 1, 0, 0, 0, 3, 0, 0, 0, 0];
        for offset in [0_i32, 10, -10] {
            trun.extend(offset.to_be_bytes());
        }
        let traf = boxed(b"traf", &[tfhd, tfdt, boxed(b"trun", &trun)].concat());
        [
            boxed(b"styp", b"cmfc"),
            boxed(b"moof", &traf),
            vec![0, 0, 9, 9],
            b"mdat".to_vec(),
        ]
        .concat()
    }

    #[test]
    fn a_fragments_times_are_those_of_its_presentation() {
        let times = FragmentTimes {
            start: 100,
            duration: 30,
            samples: 3,
        };
        assert_eq!(fragment_times(&fragment()), Some(times));
    }

    #[test]
    fn shifted_offsets_shift_the_presentation_and_nothing_else() {
        let mut bytes = fragment();
        let length = bytes.len();
        shift_composition(&mut bytes, 10).unwrap();
        assert_eq!(bytes.len(), length);
        let times = FragmentTimes {
            start: 110,
            duration: 30,
            samples: 3,
        };
        assert_eq!(fragment_times(&bytes), Some(times));
    }

    #[test]
    fn an_edit_list_goes_behind_the_track_header() {
        let mdia = boxed(b"mdia", &[7; 5]);
        let trak = boxed(b"trak", &[boxed(b"tkhd", &[0; 4]), mdia.clone()].concat());
        let init = [
            boxed(b"ftyp", b"cmfc"),
            boxed(b"moov", &[trak, boxed(b"mvex", &[])].concat()),
        ]
        .concat();
        let edited = with_edit_list(&init, 7500).unwrap();
        assert_eq!(edited.len(), init.len() + 36);
        let trak = find(find(&edited, b"moov").unwrap(), b"trak").unwrap();
        let elst = find(find(trak, b"edts").unwrap(), b"elst").unwrap();
        assert_eq!(u32_at(elst, 12), Some(7500));
        assert!(
            find(trak, b"mdia").is_some()
                && find(find(&edited, b"moov").unwrap(), b"mvex").is_some()
        );
    }

    #[test]
    fn dates_are_taken_out_whatever_their_version() {
        let mdia = boxed(
            b"mdia",
            &boxed(b"mdhd", &[&[1, 0, 0, 0][..], &[9; 20]].concat()),
        );
        let tkhd = boxed(b"tkhd", &[&[0, 0, 0, 7][..], &[9; 12]].concat());
        let mvhd = boxed(b"mvhd", &[&[1, 0, 0, 0][..], &[9; 20]].concat());
        let trak = boxed(b"trak", &[tkhd, mdia].concat());
        let mut init = boxed(b"moov", &[mvhd, trak].concat());
        without_dates(&mut init).unwrap();
        assert_eq!(init.iter().filter(|byte| **byte == 9).count(), 4 + 4 + 4);
    }

    #[test]
    fn broken_bytes_are_refused_not_believed() {
        let whole = fragment();
        for cut in 0..whole.len() - 8 {
            let mut part = whole[..cut].to_vec();
            assert_eq!(fragment_times(&part), None, "cut at {cut}");
            let _ = shift_composition(&mut part, 1);
            let _ = with_edit_list(&part, 1);
        }
    }

    #[test]
    fn codec_strings_are_read_from_the_codecs_own_records() {
        assert_eq!(
            avc_codec_string(&[1, 0x64, 0, 0x1f, 0xff]).as_deref(),
            Some("avc1.64001f")
        );
        assert_eq!(avc_codec_string(&[2, 0x64, 0, 0x1f]), None);
        assert_eq!(
            aac_codec_string(&[0x11, 0x90]).as_deref(),
            Some("mp4a.40.2")
        );
        assert_eq!(aac_codec_string(&[]), None);
    }

    #[test]
    fn a_file_that_ends_inside_a_box_is_seen() {
        let whole = [
            boxed(b"ftyp", b"isom"),
            boxed(b"moov", &[0; 40]),
            boxed(b"mdat", &[0; 100]),
        ]
        .concat();
        let ends = |bytes: &[u8]| top_level_end(&mut io::Cursor::new(bytes)).unwrap();
        assert_eq!(ends(&whole), Some((whole.len() as u64, true)));
        assert_eq!(ends(&whole[..80]), Some((whole.len() as u64, true)));
        assert_eq!(ends(&[0xff; 32]), None);
    }
}
