//! From what the probe found to what is made: the ladder's choices ([`crate::ladder`]) turned into
//! drafts for the engine, the package's plan and the report. Pure.

use super::encode::Rung;
use super::engine::Plan;
use super::failure::Failure;
use super::level::Level;
use super::mux::Draft;
use super::probe::{Facts, Sound};
use super::timeline::{Cuts, VIDEO_TIMESCALE};
use super::tuning::Shown;
use crate::ladder::{self, Ladder, conformity, cuts};
use crate::names::Sentence;
use crate::package::{Made, Package, TrackKind};
use crate::protocol::Job;
use crate::report::{AudioReport, Report, RungReport, VideoReport};

/// Samples a second that are kept; everything else becomes the first.
const SAMPLE_RATES: [u32; 2] = [48_000, 44_100];

/// The three views of one plan.
pub struct Planned {
    /// For people.
    pub report: Report,
    /// For manifests.
    pub package: Package,
    /// For the engine.
    pub plan: Plan,
}

/// Plans a job.
pub fn plan(facts: &Facts, job: &Job) -> Result<Planned, Failure> {
    let duration_ns = facts.ladder.duration_ns;
    let ladder = ladder::choose(&facts.ladder, &job.short_sides).map_err(too_much)?;
    let cuts = match (&facts.ladder.video, ladder.is_remuxed()) {
        (Some(video), true) => Cuts {
            segments: cuts::at_key_frames(&video.key_frames_ns, duration_ns),
            keys: Some(video.key_frames_ns.clone()),
        },
        _ => Cuts {
            keys: None,
            segments: cuts::even(duration_ns),
        },
    };
    let threads = threads(job);
    let mut rungs = rungs(facts, &ladder, threads);
    let sounds = facts.sounds.iter().zip(&ladder.audio);
    let mut sounds: Vec<Draft> = sounds
        .map(|(sound, audio)| draft_of(sound, audio, facts, job))
        .collect();

    let frame_ns = match &facts.ladder.video {
        Some(video) => video
            .frame_rate
            .map_or(500_000_000.0, |rate| 1e9 / rate.as_f64()) as u64,
        None => 0,
    };
    let mut package = Package::planned(
        duration_ns.div_ceil(1_000_000),
        cuts::target_duration_s(&cuts.segments, duration_ns, frame_ns),
        cuts.segments.clone(),
        ladder.track_ids(),
    )
    .map_err(too_much)?;
    if let Some(listed) = job
        .resume
        .as_ref()
        .filter(|listed| **listed != Package::default())
    {
        let drafts = rungs
            .iter_mut()
            .map(|rung| &mut rung.draft)
            .chain(&mut sounds);
        go_on(&package, listed, drafts)?;
        package = listed.clone();
    }
    Ok(Planned {
        report: report(facts, &ladder),
        plan: Plan {
            rungs,
            levels: vec![Level::unchanged(); sounds.len()],
            sounds,
            cuts,
            thins: is_still(facts),
            threads,
            listed_sheets: package.storyboard.as_ref().map_or(0, |board| board.sheets),
            has_poster: package.poster.is_some(),
        },
        package,
    })
}

/// Threads that a job may use.
pub fn threads(job: &Job) -> u32 {
    match job.threads {
        0 => {
            std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
        }
        threads => threads,
    }
}

/// A sound track before its first byte. Where the file holds one sound, the uploader knows best what is
/// spoken; where it holds several, the file does.
fn draft_of(sound: &Sound, audio: &ladder::AudioRung, facts: &Facts, job: &Job) -> Draft {
    let sample_rate = Some(sound.sample_rate)
        .filter(|rate| SAMPLE_RATES.contains(rate))
        .unwrap_or(SAMPLE_RATES[0]);
    let found = sound.language.clone();
    let language = match facts.sounds.len() {
        1 => job.language.clone().or(found),
        _ => found,
    };
    Draft {
        id: audio.id.clone(),
        kind: TrackKind::Audio {
            channels: audio.channels,
            sample_rate,
            language,
            label: sound.label.clone(),
        },
        timescale: sample_rate,
        made: audio.made,
        reason: audio.reason.clone(),
        listed: None,
    }
}

/// Continues what an earlier attempt has listed, if this attempt would have begun it the same way.
fn go_on<'a>(
    planned: &Package,
    listed: &Package,
    mut drafts: impl Iterator<Item = &'a mut Draft>,
) -> Result<(), Failure> {
    let begun = Package {
        tracks: Vec::new(),
        storyboard: None,
        poster: None,
        complete: false,
        ..listed.clone()
    };
    if begun != *planned || listed.complete {
        return Err(Failure::CannotResume("it was planned differently"));
    }
    drafts.try_for_each(|draft| {
        draft.listed = listed.track(&draft.id).cloned();
        match &mut draft.listed {
            Some(track) => {
                let is_same = (&track.kind, track.timescale, track.made)
                    == (&draft.kind, draft.timescale, draft.made);
                // All segments, but the word that these were all was lost.
                let is_video = matches!(track.kind, TrackKind::Video { .. });
                track.complete |= is_video && track.segments.len() >= planned.boundaries_ns.len();
                is_same
                    .then_some(())
                    .ok_or(Failure::CannotResume("a track was planned differently"))
            }
            None => Ok(()),
        }
    })
}

fn rungs(facts: &Facts, ladder: &Ladder, threads: u32) -> Vec<Rung> {
    let Some(picture) = &facts.picture else {
        return Vec::new();
    };
    let is_still = is_still(facts);
    let best = ladder.rungs.first().map_or(1, |best| best.height);
    let pixels = |rung: &ladder::Rung| f64::from(rung.width) * f64::from(rung.height);
    let all: f64 = ladder
        .rungs
        .iter()
        .filter(|r| r.made == Made::Encoded)
        .map(pixels)
        .sum();
    ladder
        .rungs
        .iter()
        .map(|rung| {
            let share = pixels(rung) / all.max(1.0);
            Rung {
                draft: Draft {
                    id: rung.id.clone(),
                    kind: TrackKind::Video {
                        width: rung.width,
                        height: rung.height,
                        frame_rate: picture.frame_rate,
                    },
                    timescale: VIDEO_TIMESCALE,
                    made: rung.made,
                    reason: rung.reason.clone(),
                    listed: None,
                },
                width: rung.width,
                height: rung.height,
                max_kbps: u32::try_from(rung.max_bps() / 1000).unwrap_or(u32::MAX),
                shown: Shown {
                    share: f64::from(rung.height) / f64::from(best.max(1)),
                    is_still,
                    is_steady: picture.is_steady
                        && !is_still
                        && (picture.is_even || !ladder.is_remuxed()),
                },
                // The encoders run side by side: each gets threads by its share of the work.
                threads: ((f64::from(threads) * share).ceil() as u32).clamp(1, 16),
            }
        })
        .collect()
}

fn report(facts: &Facts, ladder: &Ladder) -> Report {
    let duration_ns = facts.ladder.duration_ns;
    let mut lines: Vec<RungReport> = ladder
        .rungs
        .iter()
        .map(|rung| RungReport {
            track: rung.id.clone(),
            width: rung.width,
            height: rung.height,
            max_bps: (rung.made == Made::Encoded).then(|| rung.max_bps()),
            made: rung.made,
            reason: rung.reason.clone(),
        })
        .collect();
    lines.extend(ladder.audio.iter().map(|audio| RungReport {
        track: audio.id.clone(),
        width: 0,
        height: 0,
        max_bps: None,
        made: audio.made,
        reason: audio.reason.clone(),
    }));
    Report {
        container: Sentence::new(&facts.container),
        duration_ms: duration_ns.div_ceil(1_000_000),
        size_bytes: facts.bytes,
        video: facts.ladder.video.as_ref().map(|video| {
            let (width, height) = video.shown_size();
            VideoReport {
                codec: Sentence::new(conformity::describe(&video.codec)),
                width,
                height,
                frame_rate: video.frame_rate,
                bitrate_bps: video.bitrate_bps,
                longest_gop_ms: (!video.key_frames_ns.is_empty()).then(|| {
                    conformity::longest_gop(&video.key_frames_ns, duration_ns) / 1_000_000
                }),
            }
        }),
        audio: facts
            .sounds
            .iter()
            .map(|sound| AudioReport {
                codec: Sentence::new(&sound.codec),
                channels: sound.channels,
                sample_rate: sound.sample_rate,
                bitrate_bps: sound.bitrate_bps,
                language: sound.language.clone(),
            })
            .collect(),
        ladder: lines,
        notes: notes(facts),
        took_ms: None,
    }
}

fn is_still(facts: &Facts) -> bool {
    facts
        .ladder
        .video
        .as_ref()
        .is_some_and(|video| video.is_still)
}

/// What was found, and what follows from it.
fn notes(facts: &Facts) -> Vec<Sentence> {
    let mut notes: Vec<Sentence> = facts.notes.iter().map(Sentence::new).collect();
    if let Some(percent) = facts.still_percent {
        notes.push(Sentence::new(match is_still(facts) {
            true => format!(
                "The picture mostly stands still: {percent} of 100 frames that were looked at show nothing new. Such \
                 frames are left out, and the ones before are shown for exactly as long."
            ),
            false => format!(
                "{percent} of 100 frames that were looked at show nothing new: too few to leave frames out."
            ),
        }));
    }
    notes
}

/// What the house does not take, as a sentence.
pub fn too_much(error: impl std::fmt::Display) -> Failure {
    Failure::TooMuch(capital(&error.to_string()))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}
