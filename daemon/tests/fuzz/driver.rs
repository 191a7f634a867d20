//! The loop: take a file of the corpus, change it a little, hand it to the target, catch what it throws.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Inputs of a short run, for each target.
const SHORT_RUN: u64 = 3_000;
/// Changes made to one input, at most.
const MAX_CHANGES: u64 = 6;
/// Longest input, so that a slow input is a slow parser and not a large file.
const MAX_BYTES: usize = 64 * 1024;
/// A parser that takes longer for [`MAX_BYTES`] has a bound too few. Wide, because CI's machines stall.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Runs a target. `words` are pieces of its language that chance would take long to find.
pub fn fuzz(name: &str, words: &[&str], target: impl Fn(&[u8])) {
    let corpus = corpus(name);
    for input in &corpus {
        attempt(name, input, &target);
    }
    let seconds: Option<u64> = std::env::var("LECTERN_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    let seed: u64 = std::env::var("LECTERN_FUZZ_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(if seconds.is_some() { rand::random() } else { 1 });
    let mut chance = Chance(seed);
    let began = Instant::now();
    let mut runs = 0;
    while seconds.map_or(runs < SHORT_RUN, |s| {
        began.elapsed() < Duration::from_secs(s)
    }) {
        let input = changed(&corpus, words, &mut chance);
        attempt(name, &input, &target);
        runs += 1;
    }
    println!(
        "fuzz {name}: {} files, {runs} changed inputs, LECTERN_FUZZ_SEED={seed}",
        corpus.len()
    );
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn attempt(name: &str, input: &[u8], target: &impl Fn(&[u8])) {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    let took = began.elapsed();
    if outcome.is_err() || took > MAX_TIME {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}-{:016x}", digest(input)));
        std::fs::write(&file, input).unwrap();
        panic!("{name} fails after {took:?} with {}", file.display());
    }
}

fn changed(corpus: &[Vec<u8>], words: &[&str], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = corpus[chance.below(corpus.len())].clone();
    for _ in 0..1 + chance.next() % MAX_CHANGES {
        let at = chance.below(bytes.len() + 1);
        let to = (at + chance.below(32)).min(bytes.len());
        match chance.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let copy = bytes[at..to].to_vec();
                let there = chance.below(bytes.len() + 1);
                bytes.splice(there..there, copy);
            }
            3 => {
                let other = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 | 5 if !words.is_empty() => {
                let word = words[chance.below(words.len())].bytes();
                bytes.splice(at..if chance.below(2) == 0 { at } else { to }, word);
            }
            6 => {
                let number = [0, 1, 0x7f, 0xff, u64::MAX >> 1, u64::MAX][chance.below(6)];
                bytes.splice(at..to, number.to_string().into_bytes());
            }
            _ if at < bytes.len() => {
                bytes[at] = if chance.below(2) == 0 {
                    bytes[at] ^ (1 << chance.below(8))
                } else {
                    chance.next().to_le_bytes()[0]
                };
            }
            _ => {}
        }
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

/// SplitMix64: the same everywhere, for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// FNV-1a: a name for a find.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
