//! What daemon and worker say to each other over the worker's pipes: one [`Job`] in, then
//! [`Message`]s out, each as a frame of a length (u32, big endian) and that many bytes of JSON.
//!
//! Neither side trusts the other's lengths: a frame is read as it comes, never allocated ahead, and
//! never beyond its bound. The daemon believes a worker only what these types can say: names that are
//! safe in a path, numbers within bounds. It never takes a path from a worker.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::chapters::Chapters;
use crate::names::{Language, Sentence, TrackId};
use crate::package::{Package, PackageError, Poster, Segment, Storyboard, Track};
use crate::report::Report;

/// Longest frame. The largest is the package of a 24 h video with all its segments, about 4 MiB.
pub const MAX_FRAME_BYTES: u32 = 32 << 20;
/// Most bytes of the source's original name that a job carries.
const MAX_NAME_CHARS: usize = 255;

/// What a worker is to do. Its input and its output folder are open descriptors, not names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The name that the file had when it was uploaded: a hint, where the bytes do not say enough.
    pub original_name: OriginalName,
    /// The language of the sound, where the uploader named one.
    pub language: Option<Language>,
    /// Threads to use; 0 means as many as there are cores.
    pub threads: u32,
    /// Short sides of the ladder's rungs, in pixels. Empty means [`crate::ladder::SHORT_SIDES`].
    pub short_sides: Vec<u32>,
    /// What the sounds are brought to, in LUFS (ITU-R BS.1770-4).
    pub loudness_lufs: i8,
    /// What an earlier attempt left: keep it, go on behind it.
    pub resume: Option<Package>,
}

/// What sounds are brought to where nobody wants something else, in LUFS.
pub const LOUDNESS_LUFS: i8 = -16;

/// What a worker says, in this order: `Probed`, then the others as they happen, and last `Done` or
/// `Failed`. `Progress` may come at any time and comes every few seconds as long as the source is being
/// read, also before `Probed`: whoever hears nothing for minutes may end the worker. A worker that ends
/// without either has died and may be started again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// The source is understood and the ladder is chosen; the package has a plan and, when this is a
    /// resumed job, the tracks and segments that are kept.
    Probed {
        /// What was found and decided.
        report: Report,
        /// The plan.
        package: Package,
    },
    /// A track's init file is on disk. It has no segments yet.
    Track(Track),
    /// A track's next segment is on disk.
    Segment {
        /// The track.
        track: TrackId,
        /// Its times and size.
        segment: Segment,
    },
    /// The last segment of a track is on disk.
    TrackDone {
        /// The track.
        track: TrackId,
    },
    /// The poster is on disk.
    Poster(Poster),
    /// The storyboard grew.
    Storyboard(Storyboard),
    /// How far the whole job is; often the same as before, as a sign of life.
    Progress {
        /// 0 to 1.
        #[serde(deserialize_with = "share")]
        ratio: f64,
        /// Estimated time to the end; none while it cannot be told.
        eta_ms: Option<u64>,
    },
    /// Subtitles that lay in the source, whole. Comes once for each, before `Done`; again after a resume.
    Text(SourceText),
    /// The chapters that the source names. Comes after `Probed`.
    Chapters(Chapters),
    /// All is made.
    Done {
        /// The finished package: equal to what the messages before built.
        package: Package,
        /// The report with the wall time filled in.
        report: Report,
    },
    /// The job cannot be done.
    Failed {
        /// What happened and what to do, for a person.
        sentence: Sentence,
        /// What would help.
        remedy: Remedy,
    },
}

/// Subtitles that lay in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceText {
    /// Their language, where the source says it.
    pub language: Option<Language>,
    /// What the source calls them.
    pub label: Option<Sentence>,
    /// A WebVTT document; whoever takes it reads it as strictly as one that a person brings.
    pub vtt: String,
}

/// What would help a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nothing: the file does not get better.
    None,
    /// Another attempt, which goes on behind what is listed.
    GoOn,
    /// Another attempt from the start, under a new key: what is listed cannot be gone on with.
    BeginAnew,
    /// Room on the disk; then as [`Remedy::GoOn`].
    Room,
}

/// The uploaded file's name: at most 255 characters, without control characters and slashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct OriginalName(String);

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe broke, or ended inside a frame.
    #[error("the pipe to the other side broke: {0}")]
    Io(#[from] io::Error),
    /// The frame is longer than [`MAX_FRAME_BYTES`].
    #[error("a frame of {0} bytes is longer than allowed ({MAX_FRAME_BYTES})")]
    TooLong(u64),
    /// The bytes are not what was expected.
    #[error("a frame is not understood: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads the next frame; `None` when the other side closed between two frames.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        match from.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(n) => have += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let length = u32::from_be_bytes(length);
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(u64::from(length)));
    }
    let mut body = Vec::new();
    let read = from
        .by_ref()
        .take(u64::from(length))
        .read_to_end(&mut body)?;
    if read < length as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(serde_json::from_slice(&body)?))
}

/// Writes one frame and flushes it.
pub fn write_frame<T: Serialize>(to: &mut impl Write, message: &T) -> Result<(), FrameError> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length <= MAX_FRAME_BYTES)
        .ok_or(FrameError::TooLong(body.len() as u64))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&body)?;
    to.flush()?;
    Ok(())
}

/// Whatever a worker claims, a share lies between 0 and 1.
fn share<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(f64::deserialize(from)?.clamp(0.0, 1.0))
}

impl Package {
    /// Takes in what a worker said. `Progress`, `Failed` and what lies beside a package change nothing; `Probed` is believed only
    /// when it keeps every segment that was listed before; `Done` only when it equals what was built
    /// from the messages before.
    pub fn apply(&mut self, message: &Message) -> Result<(), PackageError> {
        match message {
            Message::Probed { package, .. } => {
                if !package.keeps(self) {
                    return Err(PackageError::Mismatch);
                }
                *self = package.clone();
            }
            Message::Track(track) => self.add_track(track.clone())?,
            Message::Segment { track, segment } => self.add_segment(track, *segment)?,
            Message::TrackDone { track } => self.finish_track(track)?,
            Message::Poster(poster) => self.poster = Some(*poster),
            Message::Storyboard(storyboard) => self.set_storyboard(storyboard.clone())?,
            Message::Done { package, .. } => {
                self.finish()?;
                if self != package {
                    return Err(PackageError::Mismatch);
                }
            }
            Message::Progress { .. }
            | Message::Failed { .. }
            | Message::Text(_)
            | Message::Chapters(_) => {}
        }
        Ok(())
    }
}

impl OriginalName {
    /// Cuts and cleans any name.
    pub fn new(name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
        Self(
            base.chars()
                .filter(|c| !c.is_control())
                .take(MAX_NAME_CHARS)
                .collect(),
        )
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for OriginalName {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<OriginalName> for String {
    fn from(name: OriginalName) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chapters::Chapter;
    use crate::names::Codecs;
    use crate::package::{Made, Ratio, TrackKind};

    fn frames(messages: &[Message]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            write_frame(&mut bytes, message).unwrap();
        }
        bytes
    }

    fn every_message() -> Vec<Message> {
        let v = TrackId::new("v480").unwrap();
        let mut package = Package::planned(4000, 4, vec![0], vec![v.clone()]).unwrap();
        let track = Track {
            id: v.clone(),
            kind: TrackKind::Video {
                width: 854,
                height: 480,
                frame_rate: Ratio::new(24, 1).unwrap(),
            },
            codecs: Codecs::new("avc1.64001f").unwrap(),
            timescale: 1000,
            presentation_offset: 80,
            made: Made::Remuxed,
            reason: "it conforms".into(),
            segments: vec![],
            complete: false,
        };
        let segment = Segment {
            start: 80,
            duration: 4000,
            bytes: 9,
        };
        let poster = Poster {
            width: 854,
            height: 480,
        };
        let storyboard = Storyboard {
            interval_ms: 2000,
            width: 160,
            height: 90,
            columns: 5,
            rows: 5,
            sheets: 1,
        };
        let mut messages = vec![
            Message::Probed {
                report: Report::default(),
                package: package.clone(),
            },
            Message::Track(track),
            Message::Segment {
                track: v.clone(),
                segment,
            },
            Message::Progress {
                ratio: 0.25,
                eta_ms: Some(1200),
            },
            Message::Poster(poster),
            Message::Storyboard(storyboard),
            Message::TrackDone { track: v },
            Message::Text(SourceText {
                language: Language::new("en").ok(),
                label: Some("English".into()),
                vtt: "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n".into(),
            }),
            Message::Chapters(
                Chapters::new(vec![Chapter {
                    start_ms: 0,
                    title: "One".into(),
                }])
                .unwrap(),
            ),
        ];
        for message in &messages {
            package.apply(message).unwrap();
        }
        package.finish().unwrap();
        messages.push(Message::Done {
            package,
            report: Report::default(),
        });
        messages.push(Message::Failed {
            sentence: "the file is cut short".into(),
            remedy: Remedy::None,
        });
        messages
    }

    #[test]
    fn every_message_comes_back_as_it_was_sent() {
        let messages = every_message();
        let bytes = frames(&messages);
        let mut rest = bytes.as_slice();
        for message in &messages {
            assert_eq!(
                read_frame::<Message>(&mut rest).unwrap().as_ref(),
                Some(message)
            );
        }
        assert!(read_frame::<Message>(&mut rest).unwrap().is_none());
    }

    #[test]
    fn a_job_comes_back_as_it_was_sent() {
        let job = Job {
            original_name: OriginalName::new("C:\\films\\Lecture 1.mp4"),
            language: Some(Language::new("de-CH").unwrap()),
            threads: 2,
            short_sides: vec![720, 360],
            loudness_lufs: LOUDNESS_LUFS,
            resume: Some(Package::default()),
        };
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &job).unwrap();
        assert_eq!(
            read_frame::<Job>(&mut bytes.as_slice()).unwrap(),
            Some(job.clone())
        );
        assert_eq!(job.original_name.as_str(), "Lecture 1.mp4");
    }

    #[test]
    fn what_the_messages_build_is_what_done_must_carry() {
        let messages = every_message();
        let mut package = Package::default();
        for message in &messages {
            package.apply(message).unwrap();
        }
        assert!(package.complete);

        let mut other = Package::default();
        let mut altered = messages.clone();
        altered.remove(4); // the poster
        assert!(altered.iter().try_for_each(|m| other.apply(m)).is_err());
    }

    #[test]
    fn a_resumed_worker_cannot_take_back_what_was_listed() {
        let mut package = Package::default();
        for message in &every_message()[..3] {
            package.apply(message).unwrap();
        }
        let kept = Message::Probed {
            report: Report::default(),
            package: package.clone(),
        };
        let before = package.clone();
        package.apply(&kept).unwrap();
        assert_eq!(package, before);
        assert_eq!(
            package.apply(&every_message()[0]),
            Err(PackageError::Mismatch)
        );
    }

    #[test]
    fn a_frame_that_claims_to_be_huge_is_refused_before_it_is_read() {
        let mut bytes = (MAX_FRAME_BYTES + 1).to_be_bytes().to_vec();
        bytes.extend([b'{'; 8]);
        assert!(matches!(
            read_frame::<Message>(&mut bytes.as_slice()),
            Err(FrameError::TooLong(_))
        ));
    }

    #[test]
    fn a_pipe_that_ends_inside_a_frame_is_an_error_not_an_end() {
        let bytes = frames(&every_message());
        for cut in [1, 3, 4, 10] {
            assert!(
                read_frame::<Message>(&mut &bytes[..cut]).is_err(),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn progress_lies_between_nothing_and_all() {
        for (said, heard) in [("-1", 0.0), ("0.25", 0.25), ("1e300", 1.0)] {
            let json = format!("{{\"progress\":{{\"ratio\":{said},\"eta_ms\":null}}}}");
            let message: Message = serde_json::from_str(&json).unwrap();
            assert_eq!(
                message,
                Message::Progress {
                    ratio: heard,
                    eta_ms: None
                }
            );
        }
    }

    #[test]
    fn a_frame_with_unknown_fields_is_refused() {
        let body = br#"{"progress":{"ratio":0.5,"eta_ms":null,"path":"/etc/passwd"}}"#;
        let mut bytes = (body.len() as u32).to_be_bytes().to_vec();
        bytes.extend(body);
        assert!(matches!(
            read_frame::<Message>(&mut bytes.as_slice()),
            Err(FrameError::Json(_))
        ));
    }
}
