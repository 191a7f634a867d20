//! The little of H.264 that decides whether a source may be kept as it is: whether a key frame is an
//! IDR picture (ITU-T H.264, 7.4.1.2.4), because a "sync sample" may also open an open GOP. Pure.

/// How the NAL units of a stream are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A length of so many bytes before each (ISO/IEC 14496-15).
    Length(usize),
    /// Start codes (Annex B).
    StartCode,
}

impl Framing {
    /// By the `avcC` record, if there is one.
    pub fn of_avcc(avcc: Option<&[u8]>) -> Self {
        match avcc.and_then(|avcc| avcc.get(4)) {
            Some(byte) => Self::Length(usize::from(byte & 3) + 1),
            None => Self::StartCode,
        }
    }
}

/// At what kind of place in the stream an access unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// An IDR picture: nothing after it refers to anything before it.
    Idr,
    /// A recovery point (D.2.8): one may tune in, but pictures shown before it may need what went
    /// before; the mark of an open GOP.
    Recovery,
    /// Neither.
    None,
}

/// What kind of entry an access unit is.
pub fn entry(unit: &[u8], framing: Framing) -> Entry {
    const IDR_SLICE: u8 = 5;
    const SEI: u8 = 6;
    let mut entry = Entry::None;
    for nal in nal_units(unit, framing) {
        match nal.first().map(|byte| byte & 0x1f) {
            Some(IDR_SLICE) => return Entry::Idr,
            Some(SEI) if has_recovery_point(nal) => entry = Entry::Recovery,
            _ => {}
        }
    }
    entry
}

/// Walks the messages of an SEI unit (7.3.2.3.1).
fn has_recovery_point(sei: &[u8]) -> bool {
    const RECOVERY_POINT: usize = 6;
    let number = |at: &mut usize| {
        let mut sum = 0_usize;
        loop {
            let byte = *sei.get(*at)?;
            *at += 1;
            sum += usize::from(byte);
            if byte != 0xff {
                return Some(sum);
            }
        }
    };
    let mut at = 1;
    // What is left at the end is the trailing bit.
    while at + 2 <= sei.len() {
        let (Some(kind), Some(size)) = (number(&mut at), number(&mut at)) else {
            return false;
        };
        if kind == RECOVERY_POINT {
            return true;
        }
        at = at.saturating_add(size);
    }
    false
}

fn nal_units(unit: &[u8], framing: Framing) -> impl Iterator<Item = &[u8]> {
    let mut rest = unit;
    std::iter::from_fn(move || match framing {
        Framing::Length(bytes) => {
            let (length, after) = rest.split_at_checked(bytes)?;
            let length = length
                .iter()
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            let nal = after.get(..length).unwrap_or(after);
            rest = after.get(length..).unwrap_or_default();
            Some(nal)
        }
        Framing::StartCode => {
            let at = rest.windows(3).position(|three| three == [0, 0, 1])?;
            rest = rest.get(at + 3..).unwrap_or_default();
            let end = rest
                .windows(3)
                .position(|three| three == [0, 0, 1])
                .unwrap_or(rest.len());
            rest.get(..end)
        }
    })
}

/// Whether every picture is a whole frame (`frame_mbs_only_flag`, 7.4.2.1.1) by the `avcC` record's
/// sequence parameter set; `None` when that cannot be read. The parser of GStreamer 1.22 says
/// "interlaced" only where a timing message does.
pub fn frames_only(avcc: &[u8]) -> Option<bool> {
    let length = usize::from(u16::from_be_bytes([*avcc.get(6)?, *avcc.get(7)?]));
    let sps = avcc.get(8..8 + length)?;
    let profile = *sps.get(1)?;
    let mut bits = Bits::new(sps.get(4..)?);
    bits.golomb()?; // seq_parameter_set_id
    const WITH_CHROMA: [u8; 12] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134];
    if WITH_CHROMA.contains(&profile) {
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.bit()?;
        }
        bits.golomb()?; // bit_depth_luma_minus8
        bits.golomb()?; // bit_depth_chroma_minus8
        bits.bit()?; // qpprime_y_zero_transform_bypass_flag
        if bits.bit()? {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.bit()? {
                    bits.skip_scaling_list(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?; // log2_max_frame_num_minus4
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.bit()?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?; // max_num_ref_frames
    bits.bit()?; // gaps_in_frame_num_value_allowed_flag
    bits.golomb()?; // pic_width_in_mbs_minus1
    bits.golomb()?; // pic_height_in_map_units_minus1
    bits.bit()
}

/// Bits of a parameter set, without the bytes that only keep start codes apart (7.4.1).
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(raw: &[u8]) -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(raw.len());
        let mut zeros = 0;
        for byte in raw {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// `ue(v)`, 9.1; a signed one takes the same bits.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0_u32;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1_u64;
        for _ in 0..zeros {
            value = value << 1 | u64::from(self.bit()?);
        }
        u32::try_from(value - 1).ok()
    }

    /// 7.3.2.1.1.1
    fn skip_scaling_list(&mut self, size: usize) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..size {
            if next != 0 {
                let code = i64::from(self.golomb()?);
                let delta = if code % 2 == 1 {
                    (code + 1) / 2
                } else {
                    -(code / 2)
                };
                next = (last + delta).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idr_picture_is_found_behind_other_units() {
        let avc = [0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 3, 0x65, 1, 2];
        assert_eq!(entry(&avc, Framing::Length(4)), Entry::Idr);
        let annex_b = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 9];
        assert_eq!(entry(&annex_b, Framing::StartCode), Entry::Idr);
    }

    #[test]
    fn a_recovery_point_is_no_idr_picture() {
        let avc = [
            0, 0, 0, 8, 0x06, 5, 2, 9, 9, 6, 1, 0x80, 0, 0, 0, 2, 0x41, 1,
        ];
        assert_eq!(entry(&avc, Framing::Length(4)), Entry::Recovery);
        let other_sei = [0, 0, 0, 6, 0x06, 5, 2, 6, 1, 0x80, 0, 0, 0, 2, 0x41, 1];
        assert_eq!(entry(&other_sei, Framing::Length(4)), Entry::None);
    }

    #[test]
    fn a_parameter_set_says_whether_pictures_are_whole_frames() {
        // x264, High, 426x240, progressive; and 640x360, MBAFF.
        let whole = "01640015ffe1001e67640015acd941b1fe4f016a0c0c0d4a000003000200000300651e2c5b2c01000468ef8fcb";
        let fields =
            "014d401effe10018674d401ef405031f9f011000000300100000030321f142aa01000468de0fc8";
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
                .collect()
        };
        assert_eq!(frames_only(&bytes(whole)), Some(true));
        assert_eq!(frames_only(&bytes(fields)), Some(false));
        for cut in 0..bytes(whole).len() {
            let _ = frames_only(&bytes(whole)[..cut]);
        }
        assert_eq!(frames_only(&bytes(whole)[..12]), None);
    }

    #[test]
    fn lengths_that_lie_end_the_walk() {
        assert_eq!(
            entry(&[0xff, 0xff, 0xff, 0xff, 0x01], Framing::Length(4)),
            Entry::None
        );
        assert_eq!(entry(&[0, 0, 0, 1, 0x06], Framing::Length(4)), Entry::None);
        assert_eq!(
            entry(&[0, 0, 0, 3, 0x06, 0xff, 0xff], Framing::Length(4)),
            Entry::None
        );
        assert_eq!(entry(&[], Framing::StartCode), Entry::None);
    }
}
