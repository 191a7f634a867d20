//! What a source says of its chapters. Matroska's and Ogg's come through GStreamer; those of MP4 and
//! QuickTime it does not read, so we do: a track of texts that another track refers to (*QuickTime File
//! Format*, "Chapter lists"), or Nero's list in the user data. Every count and size is the file's word
//! and bounded here; whatever is odd means that there are no chapters.

use std::io::{self, Read, Seek, SeekFrom};

use gstreamer as gst;

use super::boxes::{each, find, u32_at, u64_at};
use crate::chapters::{Chapter, Chapters, MAX_CHAPTERS};
use crate::names::Sentence;

/// The largest index that is read; that of a day of film has about 40 MiB.
const MOST_INDEX_BYTES: u64 = 64 << 20;
/// Boxes of the file that are looked at for it.
const MOST_BOXES: usize = 1024;
/// The longest name that is read.
const MOST_NAME_BYTES: usize = 1024;
const BARELY_MS: u64 = 100;
/// Nero's times are in units of 100 nanoseconds.
const NERO_PER_MS: u64 = 10_000;

/// The chapters of an MP4 or QuickTime file, on its own clock; none of any other file.
pub fn of_mp4(file: &mut (impl Read + Seek)) -> Vec<Chapter> {
    let Some(moov) = index(file).ok().flatten() else {
        return Vec::new();
    };
    text_track(&moov, file)
        .filter(|chapters| !chapters.is_empty())
        .or_else(|| nero(&moov))
        .unwrap_or_default()
}

/// The chapters of a table of contents as GStreamer's demuxers make it. Where there are several
/// editions, the first counts.
pub fn of_toc(toc: &gst::Toc) -> Vec<Chapter> {
    let mut entries = toc.entries();
    if let [edition, ..] = entries.as_slice()
        && edition.entry_type() == gst::TocEntryType::Edition
    {
        entries = edition.sub_entries();
    }
    entries
        .iter()
        .take(MAX_CHAPTERS)
        .filter_map(|entry| {
            let (start_ns, _) = entry.start_stop_times()?;
            let title = entry.tags().and_then(|tags| {
                tags.get::<gst::tags::Title>()
                    .map(|title| title.get().to_owned())
            });
            Some(Chapter {
                start_ms: u64::try_from(start_ns).ok()? / 1_000_000,
                title: Sentence::new(title.unwrap_or_default()),
            })
        })
        .collect()
}

/// On the video's clock, and nothing behind its end. A film that begins within [`BARELY_MS`] of the file's
/// own clock begins with it: that is an encoder's delay, and whole seconds stay whole.
pub fn within(mut found: Vec<Chapter>, start_ns: u64, duration_ns: u64) -> Option<Chapters> {
    let start_ms = Some(start_ns / 1_000_000).filter(|start| *start >= BARELY_MS);
    for chapter in &mut found {
        chapter.start_ms = chapter.start_ms.saturating_sub(start_ms.unwrap_or(0));
    }
    Chapters::mended(found, duration_ns / 1_000_000)
}

/// The body of the file's `moov`.
fn index(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        if at.saturating_add(16) > length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        file.read_exact(&mut head)?;
        let (size, head_size) = match u32_at(&head, 0) {
            Some(1) => (u64_at(&head, 8).unwrap_or(0), 16),
            Some(size) => (u64::from(size), 8),
            None => break,
        };
        let Some(body) = size.checked_sub(head_size) else {
            break;
        };
        if &head[4..8] == b"moov" {
            if body > MOST_INDEX_BYTES || at.saturating_add(size) > length {
                break;
            }
            file.seek(SeekFrom::Start(at + head_size))?;
            let mut bytes = Vec::new();
            file.by_ref().take(body).read_to_end(&mut bytes)?;
            return Ok(Some(bytes));
        }
        at = at.saturating_add(size);
    }
    Ok(None)
}

/// `udta/chpl`, as Nero and ffmpeg write it: a version, a count, then of each a time and a name.
fn nero(moov: &[u8]) -> Option<Vec<Chapter>> {
    let list = find(find(moov, b"udta")?, b"chpl")?;
    let mut at = if *list.first()? == 0 { 4 } else { 8 };
    let count = *list.get(at)?;
    at += 1;
    (0..count)
        .map(|_| {
            let start_ms = u64_at(list, at)? / NERO_PER_MS;
            let length = usize::from(*list.get(at + 8)?);
            let name = list.get(at + 9..at + 9 + length)?;
            at += 9 + length;
            Some(Chapter {
                start_ms,
                title: Sentence::new(String::from_utf8_lossy(name)),
            })
        })
        .collect()
}

/// The samples of the track that another track's `tref/chap` names.
fn text_track(moov: &[u8], file: &mut (impl Read + Seek)) -> Option<Vec<Chapter>> {
    let id =
        each(moov, b"trak").find_map(|trak| u32_at(find(find(trak, b"tref")?, b"chap")?, 0))?;
    let trak = each(moov, b"trak").find(|trak| track_id(trak) == Some(id))?;
    let mdia = find(trak, b"mdia")?;
    let mdhd = find(mdia, b"mdhd")?;
    let timescale = u64::from(u32_at(mdhd, if *mdhd.first()? == 1 { 20 } else { 12 })?).max(1);
    let stbl = find(find(mdia, b"minf")?, b"stbl")?;
    let mut chapters = Vec::new();
    let mut ticks = 0_u64;
    let durations = durations(find(stbl, b"stts")?);
    for ((offset, size), duration) in places(stbl)?.into_iter().zip(durations) {
        let title = name_at(file, offset, size).ok()?;
        chapters.push(Chapter {
            start_ms: ticks.checked_mul(1000)? / timescale,
            title: Sentence::new(title),
        });
        ticks = ticks.checked_add(u64::from(duration))?;
    }
    Some(chapters)
}

fn track_id(trak: &[u8]) -> Option<u32> {
    let tkhd = find(trak, b"tkhd")?;
    u32_at(tkhd, if *tkhd.first()? == 1 { 20 } else { 12 })
}

/// How long each of the first samples lasts (`stts`, ISO/IEC 14496-12, 8.6.1.2).
fn durations(stts: &[u8]) -> Vec<u32> {
    let mut durations = Vec::new();
    let entries = u32_at(stts, 4).unwrap_or(0) as usize;
    for entry in 0..entries.min(MAX_CHAPTERS) {
        let (Some(count), Some(duration)) =
            (u32_at(stts, 8 + 8 * entry), u32_at(stts, 12 + 8 * entry))
        else {
            break;
        };
        let room = MAX_CHAPTERS - durations.len();
        durations.extend(std::iter::repeat_n(duration, (count as usize).min(room)));
    }
    durations
}

/// Where each of the first samples lies, and its size (`stsz`, `stsc`, `stco`, `co64`, 8.7).
fn places(stbl: &[u8]) -> Option<Vec<(u64, usize)>> {
    let stsz = find(stbl, b"stsz")?;
    let (same, count) = (u32_at(stsz, 4)?, u32_at(stsz, 8)?);
    let count = (count as usize).min(MAX_CHAPTERS);
    let size = |sample: usize| match same {
        0 => u32_at(stsz, 12 + 4 * sample),
        same => Some(same),
    };
    let stsc = find(stbl, b"stsc")?;
    let runs = (u32_at(stsc, 4)? as usize).min(MAX_CHAPTERS);
    let chunk_at = |chunk: usize| match find(stbl, b"stco") {
        Some(stco) => u32_at(stco, 8 + 4 * chunk).map(u64::from),
        None => u64_at(find(stbl, b"co64")?, 8 + 8 * chunk),
    };
    let mut places = Vec::new();
    let mut run = 0;
    let mut chunk = 0_usize;
    while places.len() < count {
        // Runs name their first chunk, counted from 1.
        while run + 1 < runs && u32_at(stsc, 8 + 12 * (run + 1))? as usize <= chunk + 1 {
            run += 1;
        }
        let in_chunk = u32_at(stsc, 12 + 12 * run)?;
        if in_chunk == 0 {
            return None;
        }
        let mut offset = chunk_at(chunk)?;
        for _ in 0..in_chunk {
            if places.len() == count {
                break;
            }
            let size = size(places.len())?;
            places.push((offset, size as usize));
            offset = offset.checked_add(u64::from(size))?;
        }
        chunk += 1;
    }
    Some(places)
}

/// A text sample: its length, then UTF-8, or UTF-16 with a byte order mark.
fn name_at(file: &mut (impl Read + Seek), offset: u64, size: usize) -> io::Result<String> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.by_ref()
        .take(size.min(MOST_NAME_BYTES) as u64)
        .read_to_end(&mut bytes)?;
    let [high, low, rest @ ..] = bytes.as_slice() else {
        return Ok(String::new());
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let text = &rest[..length];
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    Ok(match text {
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        text => String::from_utf8_lossy(text).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name, body].concat()
    }

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    /// A film whose first track names track 2 for its chapters: `One` at 0, `Zwei` at 2.5 s, in one
    /// chunk at 16.
    fn quicktime() -> Vec<u8> {
        let mut texts = vec![0, 3];
        texts.extend(b"One");
        texts.extend([0, 6, 0xff, 0xfe]);
        texts.extend("é!".encode_utf16().flat_map(u16::to_le_bytes));
        let front = [boxed(b"ftyp", b""), boxed(b"mdat", &texts)].concat();
        let film = boxed(
            b"trak",
            &[
                boxed(b"tkhd", &words(&[0, 0, 0, 1])),
                boxed(b"tref", &boxed(b"chap", &words(&[2]))),
            ]
            .concat(),
        );
        let stbl = boxed(
            b"stbl",
            &[
                boxed(b"stts", &words(&[0, 2, 1, 2500, 1, 3500])),
                boxed(b"stsz", &words(&[0, 0, 2, 5, 8])),
                boxed(b"stsc", &words(&[0, 1, 1, 2, 1])),
                boxed(b"stco", &words(&[0, 1, 16])),
            ]
            .concat(),
        );
        let mdia = [
            boxed(b"mdhd", &words(&[0, 0, 0, 1000, 6000])),
            boxed(b"minf", &stbl),
        ]
        .concat();
        let texts = boxed(
            b"trak",
            &[boxed(b"tkhd", &words(&[0, 0, 0, 2])), boxed(b"mdia", &mdia)].concat(),
        );
        [front, boxed(b"moov", &[film, texts].concat())].concat()
    }

    fn of(bytes: &[u8]) -> Vec<(u64, String)> {
        of_mp4(&mut io::Cursor::new(bytes))
            .into_iter()
            .map(|chapter| (chapter.start_ms, chapter.title.as_str().to_owned()))
            .collect()
    }

    #[test]
    fn a_track_of_texts_names_chapters() {
        assert_eq!(of(&quicktime()), [(0, "One".into()), (2500, "é!".into())]);
    }

    #[test]
    fn neros_list_names_chapters_where_there_is_no_track() {
        let mut list = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
        for (at, name) in [(0_u64, "a"), (30_000_000, "bc")] {
            list.extend(at.to_be_bytes());
            list.push(u8::try_from(name.len()).unwrap());
            list.extend(name.as_bytes());
        }
        let film = boxed(b"moov", &boxed(b"udta", &boxed(b"chpl", &list)));
        assert_eq!(of(&film), [(0, "a".into()), (3000, "bc".into())]);
    }

    #[test]
    fn whatever_is_odd_means_no_chapters_and_no_panic() {
        let whole = quicktime();
        for cut in 0..whole.len() {
            let _ = of(&whole[..cut]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                assert!(of(&broken).len() <= MAX_CHAPTERS);
            }
        }
    }

    #[test]
    fn chapters_follow_the_videos_clock() {
        let chapter = |start_ms| Chapter {
            start_ms,
            title: "x".into(),
        };
        let kept = within(
            vec![chapter(500), chapter(1500), chapter(9999)],
            1_000_000_000,
            5_000_000_000,
        );
        let starts: Vec<u64> = kept.unwrap().list().iter().map(|c| c.start_ms).collect();
        assert_eq!(starts, [0, 500]);
        let barely = within(vec![chapter(8000)], 21_000_000, 16_000_000_000).unwrap();
        assert_eq!(barely.list()[0].start_ms, 8000);
    }
}
