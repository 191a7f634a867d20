//! The ladder's wall time beside ffmpeg making the same rungs from one decode, on the same machine in
//! the same run: `cargo build --release -p lectern-vod --examples` (the worker is one of them), then `cargo run`
//! with `--release -p lectern-vod --example bench -- [FILE] [ROUNDS]`.
//!
//! With `LECTERN_VMAF` naming an ffmpeg that has libvmaf (PyPI's `imageio-ffmpeg` has) each rung is also
//! measured against the source, scaled up to it: the mean and the 5th percentile of its frames.
//!
//! One line of JSON: seconds of the median round, their ratio, and when the worker's package was
//! playable. Both use x264 `veryfast` at the same quality, caps, key frames and threads; the worker also
//! probes, cuts segments, syncs them to disk, makes the poster and the seek bar's pictures, and does all
//! of it inside its sandbox.

use std::error::Error;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lectern_vod::package::{Made, Package, TrackKind};
use lectern_vod::protocol::{Job, LOUDNESS_LUFS, Message, OriginalName, read_frame};
use lectern_vod::report::Report;
use lectern_vod::spawn::{Worker, WorkerArgs};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/samples/big-buck-bunny-480p-30s.mp4"
    );
    let mut arguments = std::env::args().skip(1);
    let source = PathBuf::from(arguments.next().unwrap_or_else(|| sample.to_owned()));
    let rounds: usize = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let folder = std::env::temp_dir().join(format!("lectern-bench-{}", std::process::id()));

    let (mut ours, mut playable, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut rungs = Vec::new();
    for round in 0..rounds.max(1) {
        std::fs::create_dir_all(&folder)?;
        let made = worker(&source, &folder)?;
        ours.push(made.whole);
        playable.push(made.first);
        theirs.push(ffmpeg(&source, &made, &folder)?);
        if round + 1 == rounds.max(1) {
            rungs = compare(&source, &made, &folder)?;
        }
        std::fs::remove_dir_all(&folder)?;
    }
    let (ours, theirs, playable) = (median(ours), median(theirs), median(playable));
    let line = serde_json::json!({
        "worker_seconds": ours.as_secs_f64(),
        "ffmpeg_seconds": theirs.as_secs_f64(),
        "ratio": ours.as_secs_f64() / theirs.as_secs_f64(),
        "playable_seconds": playable.as_secs_f64(),
        "rungs": rungs,
        "rounds": rounds,
        "cores": std::thread::available_parallelism()?.get(),
    });
    #[allow(clippy::print_stdout)] // a program's answer
    {
        println!("{line}");
    }
    Ok(())
}

/// What the worker made.
struct Worked {
    package: Package,
    report: Report,
    whole: Duration,
    /// Until it could be played
    first: Duration,
}

fn worker(source: &Path, folder: &Path) -> Outcome<Worked> {
    let mut program = std::env::current_exe()?;
    program.set_file_name("worker");
    let job = Job {
        original_name: OriginalName::new("bench"),
        language: None,
        threads: 0,
        short_sides: Vec::new(),
        loudness_lufs: LOUDNESS_LUFS,
        resume: None,
    };
    let args = WorkerArgs {
        source,
        package_dir: folder,
        cache_dir: folder,
    };
    let began = Instant::now();
    let (_worker, output) = Worker::start_program(&program, &["worker"], &args, &job)?;
    let mut output = BufReader::new(output);
    let mut package = Package::default();
    let mut first = None;
    while let Some(message) = read_frame::<Message>(&mut output)? {
        package.apply(&message)?;
        if first.is_none() && package.is_playable() {
            first = Some(began.elapsed());
        }
        match message {
            Message::Done { report, .. } => {
                return Ok(Worked {
                    package,
                    report,
                    whole: began.elapsed(),
                    first: first.ok_or("never playable")?,
                });
            }
            Message::Failed { sentence, .. } => return Err(sentence.as_str().into()),
            _ => {}
        }
    }
    Err("the worker died".into())
}

/// What both made of each encoded rung: bytes, and with libvmaf how good.
fn compare(source: &Path, made: &Worked, folder: &Path) -> Outcome<Vec<serde_json::Value>> {
    let rungs = made.package.video().enumerate();
    rungs
        .filter(|(_, track)| track.made == Made::Encoded)
        .map(|(i, track)| {
            let theirs = folder.join(format!("ffmpeg-{i}.mp4"));
            let ours = folder.join(format!("ours-{i}.mp4"));
            let segments = (1..=track.segments.len()).map(|n| Package::segment_file(&track.id, n));
            let files = std::iter::once(Package::init_file(&track.id)).chain(segments);
            let mut joined = Vec::new();
            for file in files {
                joined.extend(std::fs::read(folder.join(file))?);
            }
            std::fs::write(&ours, joined)?;
            Ok(serde_json::json!({
                "track": track.id,
                "ours": { "bytes": std::fs::metadata(&ours)?.len(), "vmaf": vmaf(&ours, source)? },
                "ffmpeg": { "bytes": std::fs::metadata(&theirs)?.len(), "vmaf": vmaf(&theirs, source)? },
            }))
        })
        .collect()
}

/// Mean and 5th percentile; none without an ffmpeg that can tell.
fn vmaf(file: &Path, source: &Path) -> Outcome<Option<[f64; 2]>> {
    let Some(program) = std::env::var_os("LECTERN_VMAF") else {
        return Ok(None);
    };
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"])
        .args(["-show_entries", "stream=width,height,r_frame_rate"])
        .arg(source)
        .output()?;
    let facts = String::from_utf8(probe.stdout)?;
    let [width, height, rate] = facts.trim().split(',').collect::<Vec<_>>()[..] else {
        return Err(format!("ffprobe says {facts:?}").into());
    };
    let log = file.with_extension("json");
    // Both at the source's rate: a frame that was left out is the one before, shown longer.
    // The same names for the colours of both: where only one has names, ffmpeg would turn one's colours into the other's.
    let named = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";
    let graph = format!(
        "[0:v]{named},fps={rate},scale={width}:{height}:flags=bicubic,setpts=PTS-STARTPTS[a];\
         [1:v]{named},fps={rate},setpts=PTS-STARTPTS[b];\
         [a][b]libvmaf=n_threads=2:n_subsample=5:log_fmt=json:log_path={}",
        log.display()
    );
    let status = Command::new(program)
        .args(["-v", "error", "-i"])
        .arg(file)
        .arg("-i")
        .arg(source)
        .args(["-lavfi", &graph, "-f", "null", "-"])
        .status()?;
    if !status.success() {
        return Err("libvmaf failed".into());
    }
    let found: serde_json::Value = serde_json::from_slice(&std::fs::read(&log)?)?;
    let frames = found["frames"].as_array().ok_or("no frames")?;
    let mut scores: Vec<f64> = frames
        .iter()
        .filter_map(|frame| frame["metrics"]["vmaf"].as_f64())
        .collect();
    scores.sort_by(f64::total_cmp);
    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let fifth = *scores.get(scores.len() / 20).ok_or("no scores")?;
    let round = |value: f64| (value * 100.0).round() / 100.0;
    Ok(Some([round(mean), round(fifth)]))
}

/// ffmpeg making the same rungs, from one decode; also the one that the worker need not encode.
fn ffmpeg(source: &Path, made: &Worked, folder: &Path) -> Outcome<Duration> {
    let package = &made.package;
    let mut graph = String::new();
    let mut outputs: Vec<String> = Vec::new();
    let rungs: Vec<_> = package.video().collect();
    let labels: String = (0..rungs.len()).map(|i| format!("[s{i}]")).collect();
    graph.push_str(&format!("[0:v]split={}{labels}", rungs.len()));
    for (i, track) in rungs.iter().enumerate() {
        let TrackKind::Video { width, height, .. } = track.kind else {
            continue;
        };
        let line = made
            .report
            .ladder
            .iter()
            .find(|line| line.track == track.id);
        let cap = match line.and_then(|line| line.max_bps) {
            Some(cap) => format!("-maxrate {cap} -bufsize {}", 2 * cap),
            None if track.made == Made::Remuxed => String::new(),
            None => return Err("a rung without a cap".into()),
        };
        graph.push_str(&format!(";[s{i}]scale={width}:{height}[v{i}]"));
        let file = folder.join(format!("ffmpeg-{i}.mp4")).display().to_string();
        let options = format!(
            "-map [v{i}] -c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -crf 23 \
             {cap} -bf 3 -sc_threshold 0 -force_key_frames expr:gte(t,n_forced*2) {file}"
        );
        outputs.extend(options.split_whitespace().map(str::to_owned));
    }
    if package.audio().next().is_some() {
        let file = folder.join("ffmpeg-a.mp4").display().to_string();
        let options = format!("-map 0:a:0 -c:a aac -ac 2 -b:a 128k {file}");
        outputs.extend(options.split_whitespace().map(str::to_owned));
    }
    let began = Instant::now();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(source);
    if !rungs.is_empty() {
        command.args(["-filter_complex", &graph]);
    }
    if !command.args(outputs).status()?.success() {
        return Err("ffmpeg failed".into());
    }
    Ok(began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
