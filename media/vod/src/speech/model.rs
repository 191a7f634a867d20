//! A model's file, as whisper.cpp reads it (ggml, magic `lmgg`): what it is, and whether it is whole, before anything
//! believes its numbers. IT brings it; its hash is shown, and what reads it whole does so in a sandbox.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Largest file: *large-v3-turbo* with 16-bit floats has 1.6 GB. A worker has 4 GiB of memory.
pub const MAX_BYTES: u64 = 1_750_000_000;

const MAGIC: u32 = 0x6767_6d6c;
/// Whisper's own: 30 s of sound, 448 words of text, a spectrum of 400 samples.
const AUDIO_CONTEXT: u32 = 1500;
const TEXT_CONTEXT: u32 = 448;
const SPECTRUM: u32 = 201;
/// Words of the English and of the other vocabularies.
const VOCABULARIES: std::ops::RangeInclusive<u32> = 51_864..=51_866;
const MAX_WORD_BYTES: u32 = 256;
const MAX_NAME_BYTES: u32 = 64;
const MAX_TENSORS: usize = 4_000;
const MAX_SIDE: u32 = 1 << 17;
/// How numbers are kept: type, numbers in a block, bytes of a block.
const KINDS: [(u32, u64, u64); 12] = [
    (0, 1, 4),
    (1, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
];

/// What a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// As OpenAI calls it.
    pub size: Size,
    /// Whether it knows about a hundred languages, or English alone.
    pub is_multilingual: bool,
}

/// Whisper's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 39 million numbers.
    Tiny,
    /// 74 million.
    Base,
    /// 244 million.
    Small,
    /// 769 million.
    Medium,
    /// 1,550 million.
    Large,
    /// 809 million: *large* with a small decoder.
    Turbo,
}

/// Why a file is no model that we can use.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another kind of file.
    #[error(
        "This is not a Whisper model for whisper.cpp. Its files are called “ggml-….bin” and come from the project's own pages."
    )]
    OtherKind,
    /// It does not end where it says.
    #[error("The model is cut short or damaged. Download it again and compare its hash.")]
    Damaged,
    /// Larger than [`MAX_BYTES`].
    #[error(
        "The model is too large for this box. Take a smaller one, or one whose numbers are rounded (its name has “q5” or “q8”)."
    )]
    TooLarge,
    /// The disk.
    #[error("The model cannot be read: {0}.")]
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Io(error),
        }
    }
}

impl Size {
    /// As OpenAI writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Base => "base",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Turbo => "turbo",
        }
    }
}

/// Looks at a whole file, reading its descriptions and passing over its numbers.
pub fn read(file: impl Read + Seek) -> Result<Model, Refused> {
    let mut file = BufReader::new(file);
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    if bytes < 4 || number(&mut file)? != MAGIC {
        return Err(Refused::OtherKind);
    }
    if bytes > MAX_BYTES {
        return Err(Refused::TooLarge);
    }
    let model = measures(&mut file)?;
    let mut at = file.stream_position()?;
    let mut tensors = 0;
    while at < bytes {
        at = at
            .checked_add(skip_tensor(&mut file)?)
            .ok_or(Refused::Damaged)?;
        tensors += 1;
        if at > bytes || tensors > MAX_TENSORS {
            return Err(Refused::Damaged);
        }
    }
    // An empty one would be taken for a test of whisper.cpp's own.
    if tensors == 0 {
        return Err(Refused::Damaged);
    }
    Ok(model)
}

fn measures(file: &mut (impl Read + Seek)) -> Result<Model, Refused> {
    let mut next = || number(&mut *file);
    let (words, audio, state, heads, layers) = (next()?, next()?, next()?, next()?, next()?);
    let (text, text_state, text_heads, text_layers) = (next()?, next()?, next()?, next()?);
    let (mels, _kind) = (next()?, next()?);
    let size = match (layers, text_layers, state) {
        (4, 4, 384) => Size::Tiny,
        (6, 6, 512) => Size::Base,
        (12, 12, 768) => Size::Small,
        (24, 24, 1024) => Size::Medium,
        (32, 32, 1280) => Size::Large,
        (32, 4, 1280) => Size::Turbo,
        _ => return Err(Refused::OtherKind),
    };
    let fits = (audio, text) == (AUDIO_CONTEXT, TEXT_CONTEXT)
        && (text_state, text_heads, heads) == (state, heads, state / 64)
        && VOCABULARIES.contains(&words)
        && [80, 128].contains(&mels);
    if !fits {
        return Err(Refused::OtherKind);
    }
    if (next()?, next()?) != (mels, SPECTRUM) {
        return Err(Refused::Damaged);
    }
    file.seek_relative_by(u64::from(mels) * u64::from(SPECTRUM) * 4)?;
    let named = number(file)?;
    if named > words {
        return Err(Refused::Damaged);
    }
    for _ in 0..named {
        let length = number(file)?;
        if length > MAX_WORD_BYTES {
            return Err(Refused::Damaged);
        }
        file.seek_relative_by(length.into())?;
    }
    Ok(Model {
        size,
        is_multilingual: words > *VOCABULARIES.start(),
    })
}

/// Passes over one; how many bytes it has, its description among them.
fn skip_tensor(file: &mut (impl Read + Seek)) -> Result<u64, Refused> {
    let (sides, name, kind) = (number(file)?, number(file)?, number(file)?);
    if !(1..=3).contains(&sides) || !(1..=MAX_NAME_BYTES).contains(&name) {
        return Err(Refused::Damaged);
    }
    let mut count = 1_u64;
    for _ in 0..sides {
        let side = number(file)?;
        if !(1..=MAX_SIDE).contains(&side) {
            return Err(Refused::Damaged);
        }
        count = count.checked_mul(side.into()).ok_or(Refused::Damaged)?;
    }
    let known = KINDS.iter().find(|(id, ..)| *id == kind);
    let (_, block, block_bytes) = known.ok_or(Refused::Damaged)?;
    if !count.is_multiple_of(*block) || count > u64::from(u32::MAX) {
        return Err(Refused::Damaged);
    }
    let numbers = count / block * block_bytes;
    file.seek_relative_by(u64::from(name) + numbers)?;
    Ok(12 + u64::from(sides) * 4 + u64::from(name) + numbers)
}

fn number(file: &mut impl Read) -> Result<u32, Refused> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

trait SeekRelative: Seek {
    /// Forward; beyond the end is seen by the next read, or by the sum of all.
    fn seek_relative_by(&mut self, bytes: u64) -> Result<(), Refused> {
        let bytes = i64::try_from(bytes).map_err(|_| Refused::Damaged)?;
        Ok(self.seek_relative(bytes)?)
    }
}

impl<S: Seek> SeekRelative for S {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn file(words: u32, layers: u32, state: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |numbers: &[u32]| {
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        };
        put(&[MAGIC, words, AUDIO_CONTEXT, state, state / 64, layers]);
        put(&[TEXT_CONTEXT, state, state / 64, layers, 80, 1]);
        put(&[80, SPECTRUM]);
        put(&vec![0; 80 * SPECTRUM as usize]);
        put(&[1, 4, u32::from_le_bytes(*b"word")]);
        put(&[
            2,
            4,
            1,
            6,
            2,
            u32::from_le_bytes(*b"name"),
            0,
            0,
            0,
            0,
            0,
            0,
        ]);
        bytes
    }

    fn outcome(bytes: &[u8]) -> String {
        match read(Cursor::new(bytes)) {
            Ok(model) => format!("{} {}", model.size.name(), model.is_multilingual),
            Err(Refused::OtherKind) => "other".into(),
            Err(Refused::Damaged) => "damaged".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_model_says_what_it_is() {
        assert_eq!(outcome(&file(51_865, 6, 512)), "base true");
        assert_eq!(outcome(&file(51_864, 4, 384)), "tiny false");
        assert_eq!(outcome(&file(51_864, 5, 384)), "other");
        assert_eq!(outcome(&file(1, 4, 384)), "other");
        assert_eq!(outcome(b"RIFF, or whatever else"), "other");
        assert_eq!(outcome(b""), "other");
    }

    #[test]
    fn a_model_that_is_not_whole_is_refused_wherever_it_ends() {
        let whole = file(51_865, 6, 512);
        for cut in 4..whole.len() {
            assert_eq!(outcome(&whole[..cut]), "damaged", "cut at {cut}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(outcome(&longer), "damaged");
    }

    #[test]
    fn a_number_that_promises_too_much_is_refused() {
        let whole = file(51_865, 6, 512);
        for at in (56 + 80 * 201 * 4..whole.len() - 24).step_by(4) {
            let mut changed = whole.clone();
            changed[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            let said = outcome(&changed);
            assert!(said == "damaged" || said == "base true", "at {at}: {said}");
        }
    }
}
