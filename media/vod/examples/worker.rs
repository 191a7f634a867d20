//! The worker as a program of its own, for this crate's tests and benches; the product has
//! `lecternd worker`. With the arguments `attack WHAT [WITH]` it closes the doors as for a job and then tries that one
//! thing, as broken media would.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::kill;
use nix::unistd::Pid;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("attack") => {}
        Some("trial-worker") => return lectern_vod::worker::trial::run(),
        Some("speech-worker") => return lectern_vod::worker::speech::run(),
        _ => return lectern_vod::worker::run(),
    }
    let what = arguments.next().unwrap_or_default();
    let with = arguments.next().unwrap_or_default();
    match lectern_vod::worker::behind_closed_doors(|| attempt(&what, &with)) {
        Ok(outcome) => {
            let said = match outcome {
                Ok(()) => "done".to_owned(),
                Err(error) => format!("refused: {error}"),
            };
            match io::stdout().write_all(said.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn attempt(what: &str, with: &str) -> io::Result<()> {
    match what {
        "read the source" => File::open("/proc/self/fd/3").map(drop),
        "write into the folder" => fs::write("mine.txt", "mine"),
        "make a folder in the folder" => fs::create_dir("mine"),
        "compute in a thread" => {
            let thread = std::thread::Builder::new().spawn(|| ())?;
            thread.join().map_err(|_| io::Error::other("it panicked"))
        }
        "read a file" => fs::read(with).map(drop),
        "read a folder" => fs::read_dir(with).map(drop),
        "write a file" => fs::write(with, "outside"),
        "write into the source" => fs::write("/proc/self/fd/3", "mine"),
        "remove a file" => fs::remove_file(with),
        "link a file" => std::os::unix::fs::symlink(with, "link"),
        "connect a local socket" => UnixStream::connect(with).map(drop),
        "connect a socket" => TcpStream::connect(with).map(drop),
        "listen at a socket" => TcpListener::bind(with).map(drop),
        "open a datagram socket" => UdpSocket::bind(with).map(drop),
        "become another program" => Err(Command::new(with).exec()),
        "start another program" => Command::new(with).status().map(drop),
        "enter a namespace of its own" => Ok(unshare(CloneFlags::CLONE_NEWUSER)?),
        // No signal: only whether one could be sent.
        "signal another process" => Ok(kill(Pid::from_raw(with.parse().unwrap_or(0)), None)?),
        "make memory executable" => make_executable(),
        "trace another process" => trace(),
        _ => Err(io::Error::other("there is no such attempt")),
    }
}

#[allow(unsafe_code)]
fn make_executable() -> io::Result<()> {
    let protection = libc::PROT_READ | libc::PROT_EXEC;
    let (flags, length) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, 4096);
    // SAFETY: new memory of nobody's, which nothing is read from or run in.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
    match page == libc::MAP_FAILED {
        false => Ok(()),
        true => Err(io::Error::last_os_error()),
    }
}

#[allow(unsafe_code)]
fn trace() -> io::Result<()> {
    // SAFETY: takes numbers and touches no memory of ours; there is no process of that number.
    match unsafe { libc::ptrace(libc::PTRACE_ATTACH, i32::MAX, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
