//! Measures how loud each sound is, before any is encoded: the whole of it, as ITU-R BS.1770-4 asks, in the form in which
//! it will be encoded. What cannot be measured is left as it is; the work itself will say what is wrong with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ebur128::{EbuR128, Mode};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSinkCallbacks;

use super::decode::{Way, add, add_coded_queue, add_sound_filters, lead_streams, sink};
use super::encode::link;
use super::engine::Plan;
use super::failure::Failure;
use super::level::{GATE_BLOCKS, GATE_STEP, Measured, SAMPLE_BYTES, block_of, power_of};
use super::probe::Facts;
use super::source::{Kind, add_source, with_pipeline};

/// No sample for so long ends it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One for each sound of the plan.
type All = Arc<Vec<Mutex<Meter>>>;

/// What is known of each sound of the plan, in its order. `beat` is called several times a second.
pub fn measure(
    facts: &Facts,
    plan: &Plan,
    beat: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<Vec<Measured>, Failure> {
    let rates = plan.sounds.iter().map(|draft| draft.timescale);
    let meters = rates.map(|rate| Ok(Mutex::new(Meter::new(rate)?)));
    let meters: All = Arc::new(meters.collect::<Result<_, Failure>>()?);
    let is_whole = with_pipeline(|pipeline| {
        build(pipeline, facts, plan, &meters)?;
        run(pipeline, &meters, beat)
    })?;
    Ok(match is_whole {
        true => meters.iter().map(|meter| lock(meter).measured()).collect(),
        false => vec![Measured::default(); plan.sounds.len()],
    })
}

fn lock(meter: &Mutex<Meter>) -> std::sync::MutexGuard<'_, Meter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Meter {
    ebu: EbuR128,
    /// Bytes of a block.
    block: usize,
    waiting: Vec<u8>,
    peaks: Vec<f32>,
    squares: Vec<f32>,
    powers: Vec<f64>,
    taken: u64,
}

impl Meter {
    fn new(rate: u32) -> Result<Self, Failure> {
        let ebu = EbuR128::new(2, rate, Mode::I | Mode::TRUE_PEAK)
            .map_err(|e| Failure::Machine(format!("loudness cannot be measured: {e}")))?;
        Ok(Self {
            ebu,
            block: usize::try_from(block_of(rate)).unwrap_or(480) * SAMPLE_BYTES,
            waiting: Vec::new(),
            peaks: Vec::new(),
            squares: Vec::new(),
            powers: Vec::new(),
            taken: 0,
        })
    }

    fn take(&mut self, bytes: &[u8]) {
        self.taken += 1;
        self.waiting.extend_from_slice(bytes);
        let whole = self.waiting.len() / self.block * self.block;
        let rest = self.waiting.split_off(whole);
        let blocks = std::mem::replace(&mut self.waiting, rest);
        for block in blocks.chunks(self.block) {
            self.add(block);
        }
    }

    fn add(&mut self, block: &[u8]) {
        let (values, _) = block.as_chunks::<4>();
        // A sample that is no number would make all of it none.
        let samples: Vec<f32> = values
            .iter()
            .map(|value| f32::from_le_bytes(*value))
            .map(|value| if value.is_finite() { value } else { 0.0 })
            .collect();
        let peak = match self.ebu.add_frames_f32(&samples) {
            Ok(()) => [0, 1].map(|channel| self.ebu.prev_true_peak(channel).unwrap_or(0.0)),
            Err(_) => [0.0; 2],
        };
        self.peaks.push(peak[0].max(peak[1]) as f32);
        let sum: f32 = samples.iter().map(|value| value * value).sum();
        self.squares.push(sum / samples.len().max(1) as f32);
        if self.peaks.len() >= GATE_BLOCKS && self.peaks.len().is_multiple_of(GATE_STEP) {
            let lufs = self.ebu.loudness_momentary();
            self.powers.push(lufs.map_or(0.0, power_of));
        }
    }

    fn measured(&mut self) -> Measured {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.add(&rest);
        }
        Measured {
            lufs: self
                .ebu
                .loudness_global()
                .ok()
                .filter(|lufs| lufs.is_finite()),
            peaks: std::mem::take(&mut self.peaks),
            squares: std::mem::take(&mut self.squares),
            powers: std::mem::take(&mut self.powers),
        }
    }
}

fn build(
    pipeline: &gst::Pipeline,
    facts: &Facts,
    plan: &Plan,
    meters: &All,
) -> Result<(), Failure> {
    let parse = add_source(pipeline)?.parse;
    let mut ways: Vec<Way> = Vec::new();
    for (number, (sound, draft)) in facts.sounds.iter().zip(&plan.sounds).enumerate() {
        let entry = add_coded_queue(pipeline)?;
        let last = add_sound_filters(pipeline, &entry, sound, draft.timescale)?;
        let meters = Arc::clone(meters);
        let callbacks = AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let map = sample
                    .buffer()
                    .and_then(|buffer| buffer.map_readable().ok());
                if let (Some(map), Some(meter)) = (map, meters.get(number)) {
                    lock(meter).take(&map);
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build();
        let sink = sink(callbacks);
        add(pipeline, sink.upcast_ref())?;
        link(&last, sink.upcast_ref())?;
        ways.push((Kind::Audio, sound.stream.clone(), entry));
    }
    lead_streams(pipeline, &parse, facts, ways, |failure| {
        eprintln!("worker: loudness: {failure}");
    });
    Ok(())
}

/// Whether all was heard to the end.
fn run(
    pipeline: &gst::Pipeline,
    meters: &All,
    beat: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let stopped = || Failure::Machine("measuring loudness does not start".into());
    let bus = pipeline.bus().ok_or_else(stopped)?;
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|_| stopped())?;
    let mut moved = (Instant::now(), 0);
    loop {
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        let heard = bus.timed_pop_filtered(gst::ClockTime::from_mseconds(100), &wanted);
        match heard.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => return Ok(true),
            Some(gst::MessageView::Error(error)) => {
                eprintln!("worker: loudness: {}", error.error());
                return Ok(false);
            }
            _ => {}
        }
        beat()?;
        let taken = meters.iter().map(|meter| lock(meter).taken).sum();
        if taken != moved.1 {
            moved = (Instant::now(), taken);
        } else if moved.0.elapsed() > PATIENCE {
            return Ok(false);
        }
    }
}
