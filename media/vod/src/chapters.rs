//! Chapters: where a part of a video begins and what it is called. A document beside the package, as
//! captions are; the player shows them on the seek bar and in a list.
//!
//! Read from the source by the worker, or written by hand. Either way they pass through
//! [`Chapters::new`], so that what is stored can be shown: in order, named, within bounds.

use serde::{Deserialize, Serialize};

use crate::names::Sentence;

/// Most chapters of a video.
pub const MAX_CHAPTERS: usize = 500;
/// Latest beginning of a chapter: 48 hours, as the longest video.
const LATEST_MS: u64 = crate::package::MAX_DURATION_MS;
/// Longest name, in characters.
pub const MAX_TITLE_CHARS: usize = 200;

/// Where a part begins, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// From the video's start.
    pub start_ms: u64,
    /// For people; never empty, at most [`MAX_TITLE_CHARS`].
    pub title: Sentence,
}

/// The chapters of a video: at least one, in ascending order, no two at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Chapter>", into = "Vec<Chapter>")]
pub struct Chapters(Vec<Chapter>);

/// Why chapters are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// None at all.
    #[error("there is no chapter")]
    None,
    /// Too many.
    #[error("there are {0} chapters; a video has at most {MAX_CHAPTERS}")]
    TooMany(usize),
    /// One without a name.
    #[error("chapter {0} has no name")]
    Unnamed(usize),
    /// A name that no list can show.
    #[error("the name of chapter {0} is longer than {MAX_TITLE_CHARS} characters")]
    LongName(usize),
    /// One that begins where another does.
    #[error("chapters {0} and {1} begin at the same time")]
    SameTime(usize, usize),
    /// One behind any video's end.
    #[error("chapter {0} begins after more than 48 hours")]
    Late(usize),
}

impl Chapters {
    /// Puts chapters in order and looks at each; the number of an error counts in that order, from 1.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn new(mut chapters: Vec<Chapter>) -> Result<Self, Error> {
        if chapters.is_empty() {
            return Err(Error::None);
        }
        if chapters.len() > MAX_CHAPTERS {
            return Err(Error::TooMany(chapters.len()));
        }
        chapters.sort_by_key(|chapter| chapter.start_ms);
        for (number, chapter) in (1..).zip(&chapters) {
            if chapter.title.as_str().is_empty() {
                return Err(Error::Unnamed(number));
            }
            if chapter.title.as_str().chars().count() > MAX_TITLE_CHARS {
                return Err(Error::LongName(number));
            }
            if chapter.start_ms > LATEST_MS {
                return Err(Error::Late(number));
            }
        }
        let same = chapters
            .windows(2)
            .position(|pair| pair[0].start_ms == pair[1].start_ms);
        match same {
            Some(place) => Err(Error::SameTime(place + 1, place + 2)),
            None => Ok(Self(chapters)),
        }
    }

    /// Makes what a file says of its chapters fit: what has no name is given its number, what cannot be
    /// is left out.
    pub fn mended(found: Vec<Chapter>, duration_ms: u64) -> Option<Self> {
        let mut kept: Vec<Chapter> = Vec::new();
        let mut found: Vec<Chapter> = found
            .into_iter()
            .filter(|chapter| chapter.start_ms < duration_ms)
            .collect();
        found.sort_by_key(|chapter| chapter.start_ms);
        for mut chapter in found {
            if kept.len() == MAX_CHAPTERS
                || kept
                    .last()
                    .is_some_and(|last| last.start_ms == chapter.start_ms)
            {
                continue;
            }
            let title: String = chapter
                .title
                .as_str()
                .chars()
                .take(MAX_TITLE_CHARS)
                .collect();
            chapter.title = match title.trim() {
                "" => Sentence::new((kept.len() + 1).to_string()),
                title => Sentence::new(title),
            };
            kept.push(chapter);
        }
        Self::new(kept).ok()
    }

    /// In ascending order.
    pub fn list(&self) -> &[Chapter] {
        &self.0
    }
}

impl TryFrom<Vec<Chapter>> for Chapters {
    type Error = Error;
    fn try_from(chapters: Vec<Chapter>) -> Result<Self, Error> {
        Self::new(chapters)
    }
}

impl From<Chapters> for Vec<Chapter> {
    fn from(chapters: Chapters) -> Self {
        chapters.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(start_ms: u64, title: &str) -> Chapter {
        Chapter {
            start_ms,
            title: title.into(),
        }
    }

    #[test]
    fn chapters_are_put_in_order() {
        let chapters = Chapters::new(vec![chapter(9000, "b"), chapter(0, "a")]).unwrap();
        assert_eq!(chapters.list(), [chapter(0, "a"), chapter(9000, "b")]);
    }

    #[test]
    fn what_no_list_can_show_is_refused_with_its_number() {
        let many = (0..501).map(|n| chapter(n, "x")).collect();
        for (chapters, error) in [
            (vec![], Error::None),
            (many, Error::TooMany(501)),
            (vec![chapter(5, "a"), chapter(0, "")], Error::Unnamed(1)),
            (
                vec![chapter(0, "a"), chapter(7, &"x".repeat(201))],
                Error::LongName(2),
            ),
            (
                vec![chapter(5, "a"), chapter(5, "b")],
                Error::SameTime(1, 2),
            ),
            (vec![chapter(u64::MAX, "a")], Error::Late(1)),
        ] {
            assert_eq!(Chapters::new(chapters), Err(error));
        }
    }

    #[test]
    fn what_a_file_says_is_mended_not_refused() {
        let found = vec![
            chapter(5000, " "),
            chapter(0, &"y".repeat(300)),
            chapter(5000, "again"),
            chapter(60_000, "behind the end"),
        ];
        let mended = Chapters::mended(found, 60_000).unwrap();
        assert_eq!(
            mended.list(),
            [chapter(0, &"y".repeat(200)), chapter(5000, "2")]
        );
        assert_eq!(Chapters::mended(vec![chapter(9, "x")], 9), None);
    }
}
