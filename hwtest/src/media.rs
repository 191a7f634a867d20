//! `hwtest media`: what is measured, in which order. Each measurement is a process of its own, so that a driver that
//! falls takes one line of the report with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use lectern_vod::hardware::ask::{Answer, Ask, Asker, Clip, Coded, Offer};
use lectern_vod::hardware::facts::Machine;
use lectern_vod::hardware::refusal::Refusal;
use lectern_vod::hardware::{Capabilities, Codec, Family, Work};
use serde::Serialize;

use crate::energy::Meter;
use crate::page;
use crate::quality::{Point, gain_db};

/// A film that every machine is measured with: hair, leaves and motion.
const FILM: &[u8] = include_bytes!("../../media/vod/samples/big-buck-bunny-480p-30s.mp4");
/// Longer than the slowest software needs for its clip.
const PATIENCE: Duration = Duration::from_secs(300);
/// What every machine has.
const SOFTWARE: [(Codec, &str, &str); 4] = [
    (Codec::H264, "x264enc", "avdec_h264"),
    (Codec::H265, "", "avdec_h265"),
    (Codec::Vp9, "", "vp9dec"),
    (Codec::Av1, "", "av1dec"),
];
/// Quantizers of x264's line.
const X264_LINE: [u32; 4] = [17, 23, 29, 35];

/// The report: the capability file with what was measured beside it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What works; the part that Lectern itself reads.
    #[serde(flatten)]
    pub capabilities: Capabilities,
    /// Each coder in each size.
    pub measured: Vec<Measured>,
    /// Streams at once.
    pub streams: Vec<Streams>,
    /// Why there are no watts; none where there are.
    pub no_watts: Option<String>,
    /// Whether it was the short form.
    pub is_quick: bool,
}

/// One coder in one size.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The way to the chip; none for the processor.
    pub family: Option<Family>,
    /// The coder.
    #[serde(flatten)]
    pub offer: Offer,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a measurement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It went through.
    Works(Figures),
    /// It did not.
    Refused(Refusal),
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Of one stream.
    pub frames_per_second: f64,
    /// Nearness to what went in.
    pub psnr_db: f64,
    /// Mean of the coded clip at its own rate.
    pub bitrate_bps: u64,
    /// Above or below x264 `veryfast` with as many bytes; of encoders of H.264 alone.
    pub beside_x264_db: Option<f64>,
    /// Of the processor's packages, over the measurement with its start.
    pub watts: Option<f64>,
}

/// How many streams keep up.
#[derive(Debug, Serialize)]
pub struct Streams {
    /// The way to the chip; none for the processor.
    pub family: Option<Family>,
    /// The coder.
    #[serde(flatten)]
    pub offer: Offer,
    /// Pixels.
    pub height: u32,
    /// Of each stream.
    pub frames_per_second: u32,
    /// So many at once, none of them late.
    pub at_once: u32,
}

/// Measures, and writes both files.
///
/// # Errors
/// The folder cannot be written. A coder that does not work is a line of the report.
pub fn run(out: &Path, quick: bool) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    let film = tempfile::Builder::new().suffix(".mp4").tempfile()?;
    fs::write(film.path(), FILM).context("no room for the film")?;
    let bench = Bench {
        asker: Asker::this_program(PATIENCE),
        film: film.path().to_owned(),
        meter: Meter::find(Path::new("/")),
        quick,
    };
    let report = bench.report();
    let json = serde_json::to_vec_pretty(&report)?;
    for (name, bytes) in [
        ("capabilities.json", json),
        ("report.html", page::page(&report).into_bytes()),
    ] {
        let file = out.join(name);
        fs::write(&file, bytes).with_context(|| format!("{} cannot be written", file.display()))?;
        eprintln!("{}", file.display());
    }
    Ok(())
}

struct Bench {
    asker: Asker,
    film: PathBuf,
    meter: Result<Meter, String>,
    quick: bool,
}

/// A coder, and whose it is.
type Subject = (Option<Family>, Offer);

impl Bench {
    fn report(&self) -> Report {
        eprintln!("looking for chips");
        let version = env!("CARGO_PKG_VERSION");
        let machine = Machine::read();
        let capabilities = Capabilities::find(&self.asker, machine, version, Timestamp::now());
        let mut subjects: Vec<Subject> = software();
        let chips = capabilities
            .working()
            .map(|(family, offer)| (Some(family), offer.clone()));
        subjects.extend(chips);

        let sizes: &[(u32, u32)] = match self.quick {
            true => &[(640, 360)],
            false => &[(640, 360), (1280, 720), (1920, 1080), (3840, 2160)],
        };
        let mut measured = Vec::new();
        for &size in sizes {
            let line = self.x264_line(size);
            for subject in &subjects {
                let one = self.measure(subject, size, &line);
                eprintln!("{}", one.words());
                measured.push(one);
            }
        }
        let mut streams = Vec::new();
        for one in &measured {
            if let Outcome::Works(figures) = &one.outcome
                && one.offer.work == Work::Encode
                && one.offer.codec == Codec::H264
                && (self.quick || [720, 1080].contains(&one.height))
            {
                for rate in if self.quick { vec![50] } else { vec![25, 50] } {
                    let found = self.streams(one, rate, figures.frames_per_second);
                    eprintln!("{}", found.words());
                    streams.push(found);
                }
            }
        }
        Report {
            capabilities,
            measured,
            streams,
            no_watts: self.meter.as_ref().err().cloned(),
            is_quick: self.quick,
        }
    }

    fn clip(&self, (width, height): (u32, u32)) -> Clip {
        // As many as fit half a gigabyte, and no more than four seconds.
        let frame = u64::from(width) * u64::from(height) * 3 / 2;
        let most = if self.quick { 25 } else { 100 };
        let frames = u32::try_from((512_u64 << 20) / frame)
            .unwrap_or(most)
            .min(most);
        Clip {
            width,
            height,
            frames_per_second: 25,
            frames,
        }
    }

    fn ask(
        &self,
        subject: &Subject,
        clip: Clip,
        streams: u32,
        quality: Option<u32>,
    ) -> Result<Coded, Refusal> {
        let ask = Ask::Code {
            family: subject.0,
            offer: subject.1.clone(),
            clip,
            film: Some(self.film.clone()),
            streams,
            quality,
        };
        match self.asker.ask(&ask)? {
            Answer::Coded(coded) => Ok(coded),
            Answer::Refused(refusal) => Err(refusal),
            Answer::Offers { .. } => Err(Refusal::OffersNothing { said: None }),
        }
    }

    fn x264_line(&self, size: (u32, u32)) -> Vec<Point> {
        let Some(x264) = software().into_iter().next() else {
            return Vec::new();
        };
        let clip = self.clip(size);
        let point = |quality| self.ask(&x264, clip, 1, Some(quality)).ok().map(point);
        X264_LINE.into_iter().filter_map(point).collect()
    }

    fn measure(&self, subject: &Subject, size: (u32, u32), line: &[Point]) -> Measured {
        let clip = self.clip(size);
        let before = self.meter.as_ref().ok().map(|meter| (meter, meter.read()));
        let outcome = match self.ask(subject, clip, 1, None) {
            Ok(coded) => {
                let is_h264 = subject.1.codec == Codec::H264 && subject.1.work == Work::Encode;
                let seconds = f64::from(clip.frames) / f64::from(clip.frames_per_second);
                Outcome::Works(Figures {
                    frames_per_second: coded.frames_per_second(),
                    psnr_db: coded.psnr_db,
                    bitrate_bps: (coded.bytes as f64 * 8.0 / seconds) as u64,
                    beside_x264_db: is_h264.then(|| gain_db(point(coded), line)).flatten(),
                    watts: before.map(|(meter, before)| meter.watts_since(&before)),
                })
            }
            Err(refusal) => Outcome::Refused(refusal),
        };
        Measured {
            family: subject.0,
            offer: subject.1.clone(),
            width: size.0,
            height: size.1,
            outcome,
        }
    }

    /// The most streams that, run at once, each keep their rate: what one stream's speed promises, tried, and fewer
    /// until it holds.
    fn streams(&self, one: &Measured, rate: u32, frames_per_second: f64) -> Streams {
        /// More than a campus has rooms.
        const MOST: f64 = 64.0;
        let subject = (one.family, one.offer.clone());
        let mut clip = self.clip((one.width, one.height));
        clip.frames_per_second = rate;
        // Chips work on several streams beside each other, and so do a processor's cores: one more than it promises.
        let mut at_once = ((frames_per_second / f64::from(rate)).min(MOST) as u32) + 1;
        while at_once > 0 {
            let coded = self.ask(&subject, clip, at_once, None);
            let enough = f64::from(rate) * f64::from(at_once);
            if coded.is_ok_and(|coded| coded.frames_per_second() >= enough) {
                break;
            }
            at_once -= 1;
        }
        Streams {
            family: one.family,
            offer: one.offer.clone(),
            height: one.height,
            frames_per_second: rate,
            at_once,
        }
    }
}

fn point(coded: Coded) -> Point {
    Point {
        bytes: coded.bytes,
        psnr_db: coded.psnr_db,
    }
}

/// What the processor does, x264 first.
fn software() -> Vec<Subject> {
    let coders = SOFTWARE.into_iter().flat_map(|(codec, encoder, decoder)| {
        [(encoder, Work::Encode), (decoder, Work::Decode)].map(|(element, work)| Offer {
            element: element.to_owned(),
            codec,
            work,
        })
    });
    // Of encoders, Lectern uses x264 alone.
    let used = coders.filter(|offer| !offer.element.is_empty());
    used.map(|offer| (None, offer)).collect()
}

impl Measured {
    fn words(&self) -> String {
        let what = format!("{} {} × {}", self.offer.element, self.width, self.height);
        match &self.outcome {
            Outcome::Works(figures) => format!("{what}: {:.0} frames/s", figures.frames_per_second),
            Outcome::Refused(refusal) => format!("{what}: {refusal}"),
        }
    }
}

impl Streams {
    fn words(&self) -> String {
        let (element, height) = (&self.offer.element, self.height);
        format!(
            "{element} {height}p{}: {} at once",
            self.frames_per_second, self.at_once
        )
    }
}
