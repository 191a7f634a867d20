//! Segments over TLS, measured from outside in one run: requests and bytes for each second of processor time, beside
//! Debian's nginx, which gives the same files to the same client (h2load); then viewers who play at once (a loop that
//! asks for a segment when it is due, and decodes nothing): how many of their segments were late.
//!
//! `BENCH_SOURCE` is what is watched, `BENCH_VIEWERS` how many do (0: none), `BENCH_RUNG` which rung (`v720`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Client, Daemon};

/// Rounds of which the median counts, each of so many requests.
const ROUNDS: usize = 5;
const REQUESTS: usize = 3_000;
const CONNECTIONS: &str = "32";
/// How long viewers watch.
const WATCH: Duration = Duration::from_secs(40);

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// What is asked for: addresses of segments below the key, and where they lie on the disk.
struct Film {
    /// `/media/VIDEO/VERSION/KEY/`
    below: String,
    /// The package's folder
    folder: PathBuf,
    /// Names of all segments of pictures
    segments: Vec<String>,
    /// How long one lasts
    each: Duration,
}

async fn film(daemon: &Daemon, viewer: &Client) -> Film {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    let source = variable("BENCH_SOURCE", &format!("{root}target/sources/film.mp4"));
    let video = daemon.import(&source, "Film");
    let path = format!("/api/v1/videos/{video}/play");
    let viewing = viewer
        .json("POST", &path, &json!({}))
        .await
        .expect(200)
        .json();
    let master = viewer
        .get(viewing["hls"].as_str().unwrap())
        .await
        .expect(200)
        .text();
    let playlists: Vec<&str> = master
        .lines()
        .filter(|line| line.ends_with("/index.m3u8") && line.contains("/v"))
        .collect();
    let key = playlists[0].split('/').next().unwrap();
    let below = format!("/media/{video}/1/{key}/");
    let mut segments = Vec::new();
    for playlist in &playlists {
        let text = viewer
            .get(&format!("/media/{video}/1/{playlist}"))
            .await
            .expect(200)
            .text();
        let track = playlist.split('/').nth(1).unwrap();
        segments.extend(
            text.lines()
                .filter(|line| line.ends_with(".m4s"))
                .map(|line| format!("{track}/{line}")),
        );
    }
    let folder = find(&daemon.state.join("content"), &segments[0]).expect("the package's folder");
    Film {
        below,
        folder,
        segments,
        each: Duration::from_secs(4),
    }
}

/// The folder below which there is a file of this name.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    if folder.join(name).is_file() {
        return Some(folder.to_owned());
    }
    let below = std::fs::read_dir(folder).ok()?.flatten();
    below
        .filter(|entry| entry.path().is_dir())
        .find_map(|entry| find(&entry.path(), name))
}

/// Debian's nginx with the same files at the same addresses; stopped when dropped.
struct Nginx {
    master: Child,
    base: String,
}

impl Nginx {
    fn start(folder: &Path, film: &Film) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let configuration = format!(
            "daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;\n\
             open_file_cache max=10000 inactive=60s; types {{ video/mp4 m4s; }}\n\
             server {{ listen 127.0.0.1:{port} ssl http2; ssl_protocols TLSv1.3; ssl_certificate {certificate}; ssl_certificate_key {key};\n\
             location {below} {{ alias {files}/; add_header Cache-Control \"public, max-age=31536000, immutable\"; }} }} }}\n",
            folder = folder.display(),
            certificate = certificate.display(),
            key = key.display(),
            below = film.below,
            files = film.folder.display(),
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let master = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(&file)
            .spawn()
            .unwrap();
        let end = Instant::now() + support::PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "nginx does not listen");
            std::thread::yield_now();
        }
        Self {
            master,
            base: format!("https://127.0.0.1:{port}"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.master.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.master.wait();
    }
}

/// Processor time of a process and of those that it has started, in seconds.
fn processor_seconds(process: u32) -> f64 {
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // Behind the name, which may hold anything: state, parent, … user and system time (proc(5)).
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        if pid == process || fields[1] == process.to_string() {
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    ticks as f64 / 100.0
}

/// One round: (requests, bytes) for each second of the server's processor time.
fn round(base: &str, process: u32, film: &Film, folder: &Path, protocol: &[&str]) -> (f64, f64) {
    let mut list = String::new();
    for segment in &film.segments {
        writeln!(list, "{base}{}{segment}", film.below).unwrap();
    }
    let file = folder.join("addresses");
    std::fs::write(&file, list).unwrap();
    let before = processor_seconds(process);
    let output = Command::new("h2load")
        .args(["-n", &REQUESTS.to_string(), "-c", CONNECTIONS, "-t", "1"])
        .args(protocol)
        .arg("-i")
        .arg(&file)
        .output()
        .unwrap();
    let took = processor_seconds(process) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = format!("status codes: {REQUESTS} 2xx");
    assert!(text.contains(&all), "{text}");
    // "traffic: 1.23GB (1234567) total, …, 1.23GB (1234567) data"
    let bytes: f64 = text
        .lines()
        .find(|line| line.starts_with("traffic:"))
        .and_then(|line| line.rsplit('(').next()?.split(')').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{text}"));
    (REQUESTS as f64 / took, bytes / took)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn beside_nginx(daemon: &Daemon, https: &str, film: &Film, folder: &Path) {
    let nginx = Nginx::start(folder, film);
    for (name, protocol) in [("HTTP/1.1", ["--h1"].as_slice()), ("HTTP/2", &["-m", "4"])] {
        let mut found: HashMap<&str, Vec<(f64, f64)>> = HashMap::new();
        for _ in 0..ROUNDS {
            for (who, base, process) in [
                ("Lectern", https, daemon.pid()),
                ("nginx", nginx.base.as_str(), nginx.master.id()),
            ] {
                let round = round(base, process, film, folder, protocol);
                found.entry(who).or_default().push(round);
            }
        }
        let of = |who: &str| {
            let rounds = &found[who];
            (
                median(rounds.iter().map(|round| round.0).collect()),
                median(rounds.iter().map(|round| round.1).collect()),
            )
        };
        let (ours, theirs) = (of("Lectern"), of("nginx"));
        println!(
            "{name}: Lectern {:.0} requests and {:.0} MB for each second of processor time, nginx {:.0} and {:.0}: ratio {:.2}",
            ours.0,
            ours.1 / 1e6,
            theirs.0,
            theirs.1 / 1e6,
            ours.0 / theirs.0
        );
    }
}

/// What a viewer of many met.
#[derive(Default)]
struct Met {
    segments: AtomicU64,
    bytes: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
    slowest_ms: AtomicU64,
}

/// Asks for a segment whenever one is due; one that takes longer than it lasts is late.
async fn watch(
    address: String,
    client: reqwest::Client,
    names: Arc<Vec<String>>,
    each: Duration,
    begin: Instant,
    met: Arc<Met>,
) {
    let end = begin + WATCH;
    let mut due = begin;
    for name in names.iter().cycle() {
        tokio::time::sleep_until(due.into()).await;
        if Instant::now() >= end {
            return;
        }
        let asked = async {
            let answer = client
                .get(format!("{address}{name}"))
                .send()
                .await?
                .error_for_status()?;
            Ok::<_, reqwest::Error>(answer.bytes().await?.len() as u64)
        };
        let took = match asked.await {
            Ok(bytes) => {
                met.bytes.fetch_add(bytes, Ordering::Relaxed);
                due.elapsed()
            }
            Err(_) => {
                met.failed.fetch_add(1, Ordering::Relaxed);
                each
            }
        };
        met.segments.fetch_add(1, Ordering::Relaxed);
        met.late
            .fetch_add(u64::from(took > each), Ordering::Relaxed);
        met.slowest_ms
            .fetch_max(took.as_millis() as u64, Ordering::Relaxed);
        due += each;
    }
}

async fn viewers(daemon: &Daemon, https: &str, film: &Film, count: u32) {
    let rung = variable("BENCH_RUNG", "v720");
    let names = film
        .segments
        .iter()
        .filter(|name| name.starts_with(&format!("{rung}/")));
    let names: Arc<Vec<String>> = Arc::new(names.cloned().collect());
    assert!(!names.is_empty(), "there is no rung {rung}");
    let authority = daemon.client(None).get("/ca.crt").await.expect(200).body;
    let authority = reqwest::Certificate::from_pem(&authority)
        .or_else(|_| reqwest::Certificate::from_der(&authority))
        .unwrap();
    let met = Arc::new(Met::default());
    let before = processor_seconds(daemon.pid());
    let soon = Instant::now() + Duration::from_secs(10);
    let all: Vec<_> = (0..count)
        .map(|n| {
            // Each has a connection of its own, and begins at a moment of its own.
            let client = reqwest::Client::builder()
                .tls_certs_only([authority.clone()])
                .http1_only()
                .timeout(support::PATIENCE)
                .build()
                .unwrap();
            let begin = soon + film.each.mul_f64(f64::from(n) / f64::from(count));
            let address = format!("{https}{}", film.below);
            tokio::spawn(watch(
                address,
                client,
                names.clone(),
                film.each,
                begin,
                met.clone(),
            ))
        })
        .collect();
    for one in all {
        one.await.unwrap();
    }
    let took = processor_seconds(daemon.pid()) - before;
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{count} viewers of {rung}: {} segments of {:.0} kB, {:.0} Mbit/s; {} late, {} failed, the slowest took {} ms; processor time {:.2} cores",
        of(&met.segments),
        of(&met.bytes) as f64 / of(&met.segments).max(1) as f64 / 1e3,
        of(&met.bytes) as f64 * 8.0 / 1e6 / WATCH.as_secs_f64(),
        of(&met.late),
        of(&met.failed),
        of(&met.slowest_ms),
        took / WATCH.as_secs_f64(),
    );
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let options = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"];
    let daemon = Daemon::start_with(&state, &options);
    let https = daemon.https.clone().expect("an address for HTTPS");
    let viewer = daemon.person("vera", &["admin"]);
    let film = film(&daemon, &viewer).await;
    beside_nginx(&daemon, &https, &film, folder.path());
    let count: u32 = variable("BENCH_VIEWERS", "2000").parse().unwrap();
    if count > 0 {
        viewers(&daemon, &https, &film, count).await;
    }
}
