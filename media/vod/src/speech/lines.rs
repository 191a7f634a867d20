//! From words with times to captions that can be read: at most two lines of 42 characters, not longer than seven
//! seconds, ended where a sentence or a breath ends. Pure.

use super::{Line, MAX_TEXT_BYTES};

/// Characters of a line on the screen, and of a caption.
const LINE_CHARS: usize = 42;
const CAPTION_CHARS: usize = 2 * LINE_CHARS;
/// Longest caption.
const LONGEST_MS: u64 = 7_000;
/// Shortest time on the screen, where what follows leaves it.
const SHORTEST_MS: u64 = 1_000;
/// A breath.
const BREATH_MS: u64 = 700;
/// From so many characters on, a caption ends with its sentence, or with a part of one.
const SENTENCE_CHARS: usize = 12;
const CLAUSE_CHARS: usize = 56;

/// A word as it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// With the marks that belong to it, without spaces around it.
    pub text: String,
    /// 0 to 1.
    pub probability: f32,
    /// Whether no space stands before it, as in Chinese.
    pub is_glued: bool,
}

/// Captions of words in their order.
pub fn of_words(words: &[Word]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut open: Vec<&Word> = Vec::new();
    for (n, word) in words.iter().enumerate() {
        open.push(word);
        let next = words.get(n + 1);
        if next.is_none_or(|next| ends(&open, next)) {
            lines.extend(line(&open));
            open.clear();
        }
    }
    for n in 0..lines.len() {
        let next = lines.get(n + 1).map(|next| next.start_ms);
        let Some(line) = lines.get_mut(n) else { break };
        let wanted = line.end_ms.max(line.start_ms + SHORTEST_MS);
        // Nothing is shown twice at once, whatever the words' times say.
        line.end_ms = next.map_or(wanted, |next| wanted.min(next.max(line.start_ms + 1)));
    }
    lines
}

/// Whether a caption ends before that word.
fn ends(open: &[&Word], next: &Word) -> bool {
    let (Some(first), Some(last)) = (open.first(), open.last()) else {
        return false;
    };
    let chars = chars(open);
    let is_full = chars + 1 + next.text.chars().count() > CAPTION_CHARS
        || next.end_ms.saturating_sub(first.start_ms) > LONGEST_MS
        || next.start_ms.saturating_sub(last.end_ms) >= BREATH_MS;
    is_full
        || (chars >= SENTENCE_CHARS && last.text.ends_with(['.', '?', '!', '。', '？', '！', '…']))
        || (chars >= CLAUSE_CHARS && last.text.ends_with([',', ';', ':', '，', '、']))
}

fn chars(words: &[&Word]) -> usize {
    let width = |(n, word): (usize, &&Word)| {
        word.text.chars().count() + usize::from(n > 0 && !word.is_glued)
    };
    words.iter().enumerate().map(width).sum()
}

fn joined(words: &[&Word]) -> String {
    let mut text = String::new();
    for (n, word) in words.iter().enumerate() {
        if n > 0 && !word.is_glued {
            text.push(' ');
        }
        text.push_str(&word.text);
    }
    text
}

fn line(words: &[&Word]) -> Option<Line> {
    let (first, last) = (words.first()?, words.last()?);
    let sum: f32 = words.iter().map(|word| word.probability).sum();
    let line = Line {
        start_ms: first.start_ms,
        end_ms: last.end_ms.max(first.start_ms + 1),
        text: fold(words),
        confidence: (sum / words.len() as f32 * 100.0).round().clamp(0.0, 100.0) as u8,
    };
    (line.text.len() <= MAX_TEXT_BYTES && line.is_sound()).then_some(line)
}

/// One line where it fits, two of about one length where not.
fn fold(words: &[&Word]) -> String {
    let whole = chars(words);
    if whole <= LINE_CHARS {
        return joined(words);
    }
    let cut = (1..words.len()).min_by_key(|cut| {
        let (above, below) = words.split_at(*cut);
        let (above, below) = (chars(above), chars(below));
        let is_wide = above.max(below) > LINE_CHARS;
        (is_wide, above.abs_diff(below))
    });
    match cut {
        Some(cut) => format!("{}\n{}", joined(&words[..cut]), joined(&words[cut..])),
        None => joined(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words of 300 ms, one after the other; `|` is a second of silence.
    fn said(text: &str) -> Vec<Word> {
        let mut now = 0;
        let mut words = Vec::new();
        for text in text.split(' ') {
            if text != "|" {
                words.push(Word {
                    start_ms: now,
                    end_ms: now + 300,
                    text: text.to_owned(),
                    probability: 0.5,
                    is_glued: false,
                });
            }
            now += if text == "|" { 1_000 } else { 300 };
        }
        words
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_caption_ends_with_its_sentence_and_with_a_breath() {
        let lines = of_words(&said("This is the first one. No. This is | the second one"));
        let wanted = ["This is the first one.", "No. This is", "the second one"];
        assert_eq!(texts(&lines), wanted);
        assert_eq!((lines[0].start_ms, lines[0].end_ms), (0, 1_500));
        assert_eq!((lines[1].start_ms, lines[1].end_ms), (1_500, 2_500));
        assert_eq!(lines[0].confidence, 50);
    }

    #[test]
    fn what_is_too_wide_for_one_line_has_two_of_about_one_length() {
        let lines = of_words(&said(
            "force equals mass times acceleration in every inertial frame",
        ));
        let wanted = ["force equals mass times\nacceleration in every inertial frame"];
        assert_eq!(texts(&lines), wanted);
    }

    #[test]
    fn a_word_without_end_is_no_caption() {
        assert_eq!(of_words(&said(&"a".repeat(2_000))), []);
    }

    proptest! {
        #[test]
        fn captions_follow_one_another_and_lose_no_word(
            words in proptest::collection::vec(("[a-z]{1,12}[.,]?", 0_u64..900, 1_u64..900), 1..80)
        ) {
            let mut now = 0;
            let words: Vec<Word> = words.into_iter().map(|(text, pause, length)| {
                let start_ms = now + pause;
                now = start_ms + length;
                Word { start_ms, end_ms: now, text, probability: 1.0, is_glued: false }
            }).collect();
            let lines = of_words(&words);
            let heard: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
            let shown = lines.iter().map(|line| line.text.replace('\n', " ")).collect::<Vec<_>>();
            prop_assert_eq!(shown.join(" "), heard.join(" "));
            for line in &lines {
                prop_assert!(line.is_sound());
                prop_assert!(line.text.lines().all(|part| part.chars().count() <= CAPTION_CHARS));
            }
            for pair in lines.windows(2) {
                prop_assert!(pair[0].end_ms <= pair[1].start_ms);
            }
        }
    }
}
