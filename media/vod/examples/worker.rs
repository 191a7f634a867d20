//! The worker as a program of its own, for this crate's tests and benches; the product has
//! `lecternd worker`. With the argument `attack` it closes the doors as for a job and then tries what
//! broken media would try, one line for each attempt.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("attack") {
        return lectern_vod::worker::run();
    }
    let port: u16 = std::env::args()
        .nth(2)
        .and_then(|port| port.parse().ok())
        .unwrap_or(1);
    match lectern_vod::worker::behind_closed_doors(|| attack(port)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn attack(port: u16) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut tell = |what: &str, outcome: io::Result<()>| match outcome {
        Ok(()) => writeln!(out, "{what}: done"),
        Err(error) => writeln!(out, "{what}: refused ({error})"),
    };
    tell("read the source", File::open("/proc/self/fd/3").map(drop))?;
    tell("write into the folder", fs::write("mine.txt", "mine"))?;
    tell("make a folder in the folder", fs::create_dir("mine"))?;
    tell(
        "compute in a thread",
        std::thread::Builder::new()
            .spawn(|| ())
            .map(|t| drop(t.join())),
    )?;
    tell("read a file outside", fs::read("/etc/passwd").map(drop))?;
    tell("read the folder above", fs::read_dir("..").map(drop))?;
    tell(
        "read another process",
        fs::read("/proc/1/environ").map(drop),
    )?;
    tell("write outside", fs::write("../outside.txt", "outside"))?;
    tell(
        "write to a temporary folder",
        fs::write("/tmp/lectern-attack.txt", "outside"),
    )?;
    tell(
        "link a file outside",
        std::os::unix::fs::symlink("/etc/passwd", "link"),
    )?;
    tell(
        "connect a socket",
        TcpStream::connect(("127.0.0.1", port)).map(drop),
    )?;
    tell(
        "open a datagram socket",
        UdpSocket::bind("127.0.0.1:0").map(drop),
    )?;
    tell(
        "connect a local socket",
        UnixStream::connect("/run/dbus/system_bus_socket").map(drop),
    )?;
    tell(
        "start a shell",
        Command::new("/bin/sh")
            .arg("-c")
            .arg("true")
            .status()
            .map(drop),
    )?;
    Ok(())
}
