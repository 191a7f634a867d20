//! How loud a sound becomes: one gain for the whole of it, by its loudness as in ITU-R BS.1770-4, so that nobody turns a
//! knob between two lectures. What would be too high a peak then (a cough, a slammed door) is held down around it, and
//! nowhere else. Pure: what was measured goes in, factors come out.

use crate::names::Sentence;

/// Bytes of a sample here: interleaved stereo of 32 bit floats, little end first.
pub const SAMPLE_BYTES: usize = 8;
/// Highest true peak before the encoder, in dBTP: what AAC adds to it stays below -1.
const CEILING_DBTP: f64 = -2.0;
/// A sound is made louder by so much at most, in dB: beyond, it is the noise of a room.
const MOST_GAIN_DB: f64 = 20.0;
/// Peaks are known for each hundredth of a second.
const BLOCKS_A_SECOND: u32 = 100;
/// Before a peak the sound goes down by so much each block, and comes back so slowly behind it.
const DOWN_DB: f64 = 2.0;
const UP_DB: f64 = 0.25;
/// So close to the target is close enough.
const CLOSE_DB: f64 = 0.1;
/// How often gain and held peaks are weighed against each other.
const ROUNDS: usize = 8;

/// What was measured of a sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Integrated loudness, in LUFS; none of silence, or of less than half a second.
    pub lufs: Option<f64>,
    /// The true peak of each block, 1 for full scale.
    pub peaks: Vec<f32>,
    /// The mean square of each block.
    pub squares: Vec<f32>,
    /// Mean square, weighted for the ear, of the [`GATE_BLOCKS`] that end with each tenth block: the first one ends
    /// with the last of the first [`GATE_BLOCKS`].
    pub powers: Vec<f64>,
}

/// Blocks of a gating block: 400 ms, three quarters of which the next one holds, too (BS.1770-4, annex 1).
pub const GATE_BLOCKS: usize = 40;
/// Blocks from one gating block to the next.
pub const GATE_STEP: usize = 10;

/// By which factor each sample is multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    gain: f32,
    block: u64,
    /// Factors beside the gain, at the borders of the blocks; none where it needs none.
    borders: Vec<f32>,
}

/// Samples of a block.
pub fn block_of(rate: u32) -> u64 {
    u64::from((rate / BLOCKS_A_SECOND).max(1))
}

impl Level {
    /// Leaves a sound as it is.
    pub fn unchanged() -> Self {
        Self {
            gain: 1.0,
            block: 1,
            borders: Vec::new(),
        }
    }

    /// Brings a sound with that many samples a second to `target` LUFS.
    pub fn to(target: f64, measured: &Measured, rate: u32) -> Self {
        let Some(lufs) = measured.lufs else {
            return Self::unchanged();
        };
        let ceiling = factor(CEILING_DBTP);
        let loudest = f64::from(measured.peaks.iter().copied().fold(0.0, f32::max));
        let held = |gain: f64| match loudest * gain > ceiling {
            true => borders_of(&measured.peaks, gain, ceiling),
            false => Vec::new(),
        };
        let mut gain_db = (target - lufs).min(MOST_GAIN_DB);
        let mut gain = factor(gain_db);
        let mut borders = held(gain);
        // Holding peaks down takes loudness, which more gain gives back, which makes higher peaks.
        for _ in 0..ROUNDS {
            if borders.is_empty() || gain_db >= MOST_GAIN_DB {
                break;
            }
            let missing = target - lufs - gain_db + lost_db(measured, gain, &borders);
            if missing < CLOSE_DB {
                break;
            }
            gain_db = (gain_db + missing).min(MOST_GAIN_DB);
            gain = factor(gain_db);
            borders = held(gain);
        }
        Self {
            gain: gain as f32,
            block: block_of(rate),
            borders,
        }
    }

    /// Changes samples ([`SAMPLE_BYTES`] each), of which the first one is the `first`th of the sound.
    pub fn apply(&self, first: u64, samples: &mut [u8]) {
        if *self == Self::unchanged() {
            return;
        }
        let (frames, _) = samples.as_chunks_mut::<SAMPLE_BYTES>();
        for (frame, number) in frames.iter_mut().zip(first..) {
            let by = self.at(number);
            let (values, _) = frame.as_chunks_mut::<4>();
            for value in values {
                *value = (f32::from_le_bytes(*value) * by).to_le_bytes();
            }
        }
    }

    /// The factor of one sample.
    fn at(&self, sample: u64) -> f32 {
        let number = usize::try_from(sample / self.block).unwrap_or(usize::MAX);
        let (Some(from), Some(to)) = (
            self.borders.get(number),
            self.borders.get(number.saturating_add(1)),
        ) else {
            return self.gain * self.borders.last().copied().unwrap_or(1.0);
        };
        let share = (sample % self.block) as f32 / self.block as f32;
        self.gain * (from + (to - from) * share)
    }

    /// For the report: what became of the sound of that name.
    pub fn note(&self, name: &str, measured: &Measured) -> Option<Sentence> {
        let lufs = measured.lufs?;
        let gain_db = 20.0 * f64::from(self.gain).log10();
        let changed = match gain_db {
            -0.05..0.05 => "was left as it is".to_owned(),
            0.05.. => format!("was made {gain_db:.1} dB louder"),
            _ => format!("was made {:.1} dB quieter", -gain_db),
        };
        let held = match self.borders.is_empty() {
            true => "",
            false => " Its highest peaks are held down.",
        };
        Some(Sentence::new(format!(
            "The sound {name} had a loudness of {lufs:.1} LUFS and {changed}.{held}"
        )))
    }
}

/// By how much a sound that gets this gain loses loudness where its peaks are held down.
fn lost_db(measured: &Measured, gain: f64, borders: &[f32]) -> f64 {
    let powers = measured.powers.iter();
    let before = powers.clone().map(|power| power * gain * gain);
    let after = powers.enumerate().map(|(number, power)| {
        let blocks = number * GATE_STEP..number * GATE_STEP + GATE_BLOCKS;
        let squares = measured.squares.get(blocks.clone()).unwrap_or_default();
        let (mut all, mut kept) = (0.0, 0.0);
        for (square, borders) in squares.iter().zip(borders.windows(2).skip(blocks.start)) {
            let held = f64::from(borders.iter().sum::<f32>()) / 2.0;
            all += f64::from(*square);
            kept += f64::from(*square) * held * held;
        }
        let share = if all > 0.0 { kept / all } else { 1.0 };
        power * gain * gain * share
    });
    match (integrated(before), integrated(after)) {
        (Some(before), Some(after)) => before - after,
        _ => 0.0,
    }
}

/// The loudness of gating blocks with these mean squares, in LUFS (BS.1770-4, annex 1, equations 2 to 7).
fn integrated(powers: impl Iterator<Item = f64>) -> Option<f64> {
    const ABSOLUTE_LUFS: f64 = -70.0;
    const RELATIVE_LU: f64 = -10.0;
    let above = |gate: f64, powers: &[f64]| -> Vec<f64> {
        let loud = powers.iter().copied();
        loud.filter(|power| lufs_of(*power) > gate).collect()
    };
    let mean = |powers: &[f64]| match powers.len() {
        0 => None,
        count => Some(lufs_of(powers.iter().sum::<f64>() / count as f64)),
    };
    let heard = above(ABSOLUTE_LUFS, &powers.collect::<Vec<_>>());
    mean(&above(mean(&heard)? + RELATIVE_LU, &heard))
}

/// The loudness of a mean square.
fn lufs_of(power: f64) -> f64 {
    -0.691 + 10.0 * power.log10()
}

/// The mean square of a loudness.
pub fn power_of(lufs: f64) -> f64 {
    10.0_f64.powf((lufs + 0.691) / 10.0)
}

fn factor(db: f64) -> f64 {
    10.0_f64.powf(db / 20.0)
}

/// Factors at the borders of blocks with these peaks: between two of them, none is above what its block may have.
fn borders_of(peaks: &[f32], gain: f64, ceiling: f64) -> Vec<f32> {
    let most = |peak: f32| (ceiling / (f64::from(peak) * gain)).min(1.0) as f32;
    let mut borders = vec![1.0_f32; peaks.len() + 1];
    for (number, peak) in peaks.iter().enumerate() {
        let most = most(*peak);
        for border in &mut borders[number..number + 2] {
            *border = border.min(most);
        }
    }
    let (down, up) = (factor(DOWN_DB) as f32, factor(UP_DB) as f32);
    for number in 1..borders.len() {
        borders[number] = borders[number].min(borders[number - 1] * up);
    }
    for number in (1..borders.len()).rev() {
        borders[number - 1] = borders[number - 1].min(borders[number] * down);
    }
    borders
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn measured(lufs: f64, peaks: &[f32]) -> Measured {
        Measured {
            lufs: Some(lufs),
            peaks: peaks.to_vec(),
            squares: peaks.iter().map(|peak| peak * peak / 2.0).collect(),
            powers: Vec::new(),
        }
    }

    #[test]
    fn one_gain_brings_a_sound_to_the_target() {
        let level = Level::to(-16.0, &measured(-22.0, &[0.1; 50]), RATE);
        let mut samples: Vec<u8> = [0.1_f32, -0.1]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        level.apply(7, &mut samples);
        let left = f32::from_le_bytes(samples[..4].try_into().unwrap());
        assert!((f64::from(left) - 0.1 * factor(6.0)).abs() < 1e-6, "{left}");
        let note = level.note("a1", &measured(-22.0, &[])).unwrap();
        assert!(
            note.as_str()
                .contains("-22.0 LUFS and was made 6.0 dB louder.")
        );
    }

    #[test]
    fn silence_stays_silent_and_noise_is_not_made_a_sound() {
        let nothing = Measured::default();
        assert_eq!(Level::to(-16.0, &nothing, RATE), Level::unchanged());
        let noise = Level::to(-16.0, &measured(-70.0, &[0.001; 9]), RATE);
        assert!((f64::from(noise.at(0)) - factor(MOST_GAIN_DB)).abs() < 1e-4);
    }

    #[test]
    fn a_peak_is_held_down_around_itself_and_nowhere_else() {
        let mut peaks = vec![0.1; 400];
        peaks[200] = 0.9;
        let level = Level::to(-16.0, &measured(-28.0, &peaks), RATE);
        let block = block_of(RATE);
        let ceiling = factor(CEILING_DBTP) as f32;
        for (number, peak) in peaks.iter().enumerate() {
            for sample in number as u64 * block..(number as u64 + 1) * block {
                assert!(level.at(sample) * peak <= ceiling * 1.0001, "{number}");
            }
        }
        let whole = factor(12.0) as f32;
        for far in [0, 150, 399] {
            assert!((level.at(far * block) - whole).abs() < 1e-3, "{far}");
        }
        assert!(
            level
                .note("a1", &measured(-28.0, &peaks))
                .unwrap()
                .as_str()
                .contains("held down")
        );
    }

    #[test]
    fn what_held_peaks_take_more_gain_gives_back() {
        let mut peaks = vec![0.05; 4000];
        (0..4000).step_by(40).for_each(|number| peaks[number] = 0.3);
        let steps = (peaks.len() - GATE_BLOCKS) / GATE_STEP + 1;
        let measured = Measured {
            powers: vec![power_of(-28.0); steps],
            ..measured(-28.0, &peaks)
        };
        let level = Level::to(-16.0, &measured, RATE);
        let gain = f64::from(level.gain);
        let after = -28.0 + 20.0 * gain.log10() - lost_db(&measured, gain, &level.borders);
        assert!((after + 16.0).abs() < 0.3, "{after}");
        assert!(gain > factor(12.2), "{gain}");
    }

    #[test]
    fn loudness_is_gated_as_the_standard_says() {
        let all = |lufs: &[f64]| integrated(lufs.iter().map(|lufs| power_of(*lufs)));
        assert_eq!(all(&[]), None);
        assert_eq!(all(&[-80.0, -71.0]), None);
        // What is below the absolute gate, and what is ten below the mean of the rest, is not heard.
        let heard = all(&[-20.0, -20.0, -20.0, -45.0, -90.0]).unwrap();
        assert!((heard + 20.0).abs() < 1e-9, "{heard}");
    }

    #[test]
    fn samples_beyond_what_was_measured_are_as_the_last() {
        let level = Level::to(-16.0, &measured(-28.0, &[0.9]), RATE);
        assert_eq!(level.at(u64::MAX), level.at(block_of(RATE)));
    }
}
