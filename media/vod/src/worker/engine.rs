//! The work: one pipeline that reads and decodes the source once and makes all renditions from it.
//!
//! ```text
//! filesrc ! parsebin ! (picture) ! decode ! turn ! scale ! appsink ~ Frames ~> appsrc ! rungs ! files
//!                    ! (sound)   ! decode ! convert      ! appsink ~ Samples ~> appsrc ! aac   ! files
//! ```
//! The `~` is where times are decided ([`super::timeline`]): everything left of it runs on the source's
//! clock, everything right of it on the video's. Nothing waits for anything but room in the next queue,
//! so that the slowest encoder sets the pace and memory stays bounded.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::cover;
use super::decode::{
    Way, add, add_coded_queue, add_decoder, add_picture_filters, add_sound_filters, lead_streams,
};
use super::elements::make;
use super::encode::{Rung, add_audio, add_video, link, resumed_from, timed_frames_caps};
use super::failure::Failure;
use super::kept::add_kept;
use super::level::Level;
use super::mux::Draft;
use super::pictures::{self, PosterChoice};
use super::probe::{Facts, Picture, Sound};
use super::seam::{FrameSide, SampleSide, Seam};
use super::shelf::{Event, Shelf};
use super::source::{Kind, add_source, failure_of, with_pipeline};
use super::texts;
use super::thinner::{Thinned, Thinner};
use super::timeline::{Cuts, Frames, Marks, Pace, Samples, ticks_to_ns};
use crate::package::Made;
use crate::protocol::Message;

/// No segment for so long, and no frame either, ends the job.
const STALL: Duration = Duration::from_secs(60);

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Renditions with a picture, best first; the first may be remuxed.
    pub rungs: Vec<Rung>,
    /// The sound tracks, as [`Facts::sounds`] lists them.
    pub sounds: Vec<Draft>,
    /// How loud each of them becomes.
    pub levels: Vec<Level>,
    /// Where to cut.
    pub cuts: Cuts,
    /// Whether frames that show nothing new are left out.
    pub thins: bool,
    /// Threads in all.
    pub threads: u32,
    /// Sheets of the seek bar that an earlier attempt has listed.
    pub listed_sheets: u32,
    /// Whether it has listed a poster.
    pub has_poster: bool,
}

impl Plan {
    /// Where the longest sound ends that an earlier attempt has finished.
    fn listed_sound_end(&self) -> u64 {
        let finished = self.sounds.iter().filter(|draft| draft.is_complete());
        finished
            .map(|draft| ticks_to_ns(draft.next_start(), draft.timescale))
            .max()
            .unwrap_or(0)
    }

    /// Everything that has segments.
    pub fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.rungs
            .iter()
            .map(|rung| &rung.draft)
            .chain(&self.sounds)
    }
}

/// What the work tells on its way.
#[derive(Debug)]
pub enum News {
    /// Something was made.
    Made(Box<Message>),
    /// Nothing was made, but the source's time moved on: a resumed job reads what it has made before.
    Moved,
}

/// Makes all renditions and pictures. Ends when everything is on disk.
pub fn work(
    facts: &Facts,
    plan: &Plan,
    shelf: &Shelf,
    events: &Receiver<Event>,
    tell: &mut dyn FnMut(News) -> Result<(), Failure>,
) -> Result<Thinned, Failure> {
    with_pipeline(|pipeline| {
        let seam = build(pipeline, facts, plan, shelf)?;
        run(pipeline, &seam, events, tell)?;
        Ok(seam.thinned())
    })
}

fn build(
    pipeline: &gst::Pipeline,
    facts: &Facts,
    plan: &Plan,
    shelf: &Shelf,
) -> Result<Arc<Seam>, Failure> {
    let parse = add_source(pipeline)?.parse;
    let seam = Arc::new(Seam::new(shelf, plan.listed_sound_end()));
    let mut ways: Vec<Way> = Vec::new();
    if let Some(picture) = &facts.picture {
        let entry = add_picture(pipeline, &seam, facts, picture, plan, shelf)?;
        ways.push((Kind::Video, picture.stream.clone(), entry));
    }
    let sounds = facts.sounds.iter().zip(&plan.sounds).zip(&plan.levels);
    for ((sound, draft), level) in sounds {
        if !draft.is_complete() {
            let entry = add_sound(pipeline, &seam, facts, sound, (draft, level, plan), shelf)?;
            ways.push((Kind::Audio, sound.stream.clone(), entry));
        }
    }
    if let Some(cover) = facts.cover.as_ref().filter(|_| !plan.has_poster) {
        cover::put(cover, shelf)?;
    }
    for text in &facts.texts {
        let entry = texts::add_text(pipeline, text, facts, shelf)?;
        ways.push((Kind::Text, Some(text.stream.clone()), entry));
    }

    let failing = shelf.clone();
    lead_streams(pipeline, &parse, facts, ways, move |failure| {
        failing.fail(failure);
    });
    Ok(seam)
}

/// Adds all that becomes of the picture; returns where its coded stream goes in.
fn add_picture(
    pipeline: &gst::Pipeline,
    seam: &Arc<Seam>,
    facts: &Facts,
    picture: &Picture,
    plan: &Plan,
    shelf: &Shelf,
) -> Result<gst::Element, Failure> {
    let entry = add_coded_queue(pipeline)?;
    let mut from = entry.clone();
    let kept = plan
        .rungs
        .iter()
        .find(|rung| rung.draft.made == Made::Remuxed);
    if let Some(kept) = kept.filter(|kept| !kept.draft.is_complete()) {
        let tee = make("tee")?;
        add(pipeline, &tee)?;
        link(&from, &tee)?;
        add_kept(
            pipeline,
            &tee,
            kept,
            (facts.start_ns, picture),
            &plan.cuts,
            shelf,
        )?;
        from = add_coded_queue(pipeline)?;
        link(&tee, &from)?;
    }

    let missing = |rung: &&Rung| rung.draft.made == Made::Encoded && !rung.draft.is_complete();
    let made: Vec<Rung> = plan.rungs.iter().filter(missing).cloned().collect();
    let (Some(first), Some(best)) = (made.first().or(plan.rungs.last()), plan.rungs.first()) else {
        return Err(Failure::Machine("a picture without a rung".into()));
    };
    let (encode, smallest) = add_video(pipeline, &made, picture.frame_rate, &plan.cuts, shelf)?;
    let duration_ms = facts.ladder.duration_ns.div_ceil(1_000_000);
    let mut board = pictures::plan(duration_ms, best.width, best.height);
    board.sheets = plan.listed_sheets;
    let board_ns = board.interval_ms.saturating_mul(1_000_000);
    pictures::add_storyboard(pipeline, &smallest, board, shelf)?;

    let size = (first.width, first.height);
    let last = add_decoder(pipeline, &from, picture.decoder.as_deref(), plan.threads)?;
    let (plain, last) = add_picture_filters(pipeline, &last, facts, size)?;
    let pace = match (kept.is_some(), first.shown.is_steady) {
        (true, _) => Pace::Untouched(picture.grid()),
        (false, _) if plan.thins => Pace::Varying,
        (false, true) => Pace::Steady(picture.frame_rate),
        (false, false) => Pace::Varying,
    };
    let sink = seam.take_frames(FrameSide {
        encode,
        caps: timed_frames_caps(size, picture.frame_rate),
        caps_are_set: false,
        poster: (!plan.has_poster).then(|| PosterChoice::new(facts.ladder.duration_ns, shelf)),
        needed_from: made
            .iter()
            .map(|rung| resumed_from(&rung.draft, &plan.cuts))
            .min()
            .unwrap_or(u64::MAX),
        board: Marks::every(board_ns),
        clock: Frames::new(facts.start_ns, facts.ladder.duration_ns, pace),
        thinner: plan.thins.then(|| Thinner::new(Marks::keys(&plan.cuts))),
        before: None,
        waiting: None,
        step: (1e9 / picture.frame_rate.as_f64()) as u64,
        whole: facts.ladder.duration_ns,
    });
    if plan.thins {
        seam.thin_behind(&plain)?;
    }
    add(pipeline, sink.upcast_ref())?;
    link(&last, sink.upcast_ref())?;
    Ok(entry)
}

/// Adds all that becomes of the sound; returns where its coded stream goes in.
fn add_sound(
    pipeline: &gst::Pipeline,
    seam: &Arc<Seam>,
    facts: &Facts,
    sound: &Sound,
    (draft, level, plan): (&Draft, &Level, &Plan),
    shelf: &Shelf,
) -> Result<gst::Element, Failure> {
    let entry = add_coded_queue(pipeline)?;
    let rate = draft.timescale;
    let (encode, end) = add_audio(pipeline, draft.clone(), rate, &plan.cuts, shelf)?;
    let last = add_sound_filters(pipeline, &entry, sound, rate)?;
    let clock = Samples::new(facts.start_ns, facts.ladder.duration_ns, rate);
    let side = SampleSide::new(encode, clock, level.clone(), rate, end);
    let sink = seam.take_samples(side);
    add(pipeline, sink.upcast_ref())?;
    link(&last, sink.upcast_ref())?;
    Ok(entry)
}

/// Runs until every track is whole.
fn run(
    pipeline: &gst::Pipeline,
    seam: &Arc<Seam>,
    events: &Receiver<Event>,
    tell: &mut dyn FnMut(News) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut warnings = Warnings::default();
    let bus = pipeline
        .bus()
        .ok_or_else(|| Failure::Machine("a pipeline without a bus".into()))?;
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|_| Failure::Machine("the work does not start".into()))?;
    let mut moved = (Instant::now(), 0);
    loop {
        match events.recv_timeout(Duration::from_millis(50)) {
            Ok(Event::Message(message)) => {
                tell(News::Made(message))?;
                moved.0 = Instant::now();
                continue;
            }
            Ok(Event::Failed(failure)) => return Err(failure),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        while let Some(message) = bus.pop() {
            match message.view() {
                gst::MessageView::Error(error) => {
                    // What a thread of ours reported is nearer to the cause than what GStreamer made of it.
                    let cause = events.try_iter().find_map(|event| match event {
                        Event::Failed(failure) => Some(failure),
                        Event::Message(_) => None,
                    });
                    return Err(cause.unwrap_or_else(|| failure_of(error)));
                }
                gst::MessageView::Warning(warning) => {
                    warnings.count(warning);
                }
                gst::MessageView::Eos(_) => {
                    for event in events.try_iter() {
                        match event {
                            Event::Message(message) => tell(News::Made(message))?,
                            Event::Failed(failure) => return Err(failure),
                        }
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        let taken = seam.taken();
        if taken != moved.1 {
            moved = (Instant::now(), taken);
            tell(News::Moved)?;
        } else if moved.0.elapsed() > STALL {
            return Err(Failure::Stalled(String::new()));
        }
    }
}

/// A damaged file warns with each of its frames: the first one is kept, the others are counted, and the
/// log has one line at the end.
#[derive(Default)]
struct Warnings {
    count: u64,
    first: String,
}

impl Warnings {
    fn count(&mut self, warning: &gst::message::Warning) {
        if self.count == 0 {
            self.first = format!("{} {:?}", warning.error(), warning.debug());
        }
        self.count += 1;
    }
}

impl Drop for Warnings {
    fn drop(&mut self) {
        if self.count > 0 {
            eprintln!("worker: {} warnings, the first: {}", self.count, self.first);
        }
    }
}
