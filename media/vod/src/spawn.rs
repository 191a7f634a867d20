//! The daemon's side of a worker process: starts `<program> worker` with nothing but its input descriptor and its
//! output folder, and ends it. Messages are read by whoever holds the returned pipe ([`crate::protocol`]).

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use nix::libc;

use crate::protocol::{FrameError, Job, write_frame};
use crate::speech::SpeechJob;

/// The descriptor at which a worker finds its source; a speech worker's model is the next.
pub const SOURCE_FD: i32 = 3;

/// Also there after an update has replaced the file.
pub(crate) const THIS_PROGRAM: &str = "/proc/self/exe";

/// What a worker gets.
#[derive(Debug)]
pub struct WorkerArgs<'a> {
    /// The source, opened here for reading: the worker never learns its path
    pub source: &'a Path,
    /// The folder that the worker may write into: its working directory
    pub package_dir: &'a Path,
    /// Not needed any more (plugins are loaded by name); goes when the daemon stops naming it
    pub cache_dir: &'a Path,
}

/// What a speech worker gets.
#[derive(Debug)]
pub struct SpeechArgs<'a> {
    /// The sound of a package: its init file and segments, one behind the other
    pub sound: File,
    /// The model that IT has installed, opened here for reading
    pub model: &'a Path,
    /// A folder of its own: its working directory
    pub folder: &'a Path,
}

/// A running worker; killed and waited for when dropped.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    /// Closed on drop: a worker whose standard input ends, ends too
    _input: ChildStdin,
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The kernel ended it for what no work on media needs: the sandbox was tried.
    Breach,
    /// Its decoders fell over the source.
    Crash,
    /// By `SIGKILL`: the kernel's, for want of memory, or somebody's, or ours.
    Killed,
    /// By itself.
    Other,
}

impl Worker {
    /// Starts a worker of this very program and gives it its job.
    ///
    /// # Errors
    /// The source cannot be opened, the process cannot be started.
    pub fn start(args: &WorkerArgs<'_>, job: &Job) -> io::Result<(Self, ChildStdout)> {
        Self::start_program(Path::new(THIS_PROGRAM), &["worker"], args, job)
    }

    /// Starts a worker of another program: this crate's own tests have no daemon.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub fn start_program(
        program: &Path,
        arguments: &[&str],
        args: &WorkerArgs<'_>,
        job: &Job,
    ) -> io::Result<(Self, ChildStdout)> {
        let source = File::open(args.source)?;
        Self::launch(program, arguments, args.package_dir, vec![source], job)
    }

    /// Starts a worker of this very program that writes down what is said.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub fn start_speech(args: SpeechArgs<'_>, job: &SpeechJob) -> io::Result<(Self, ChildStdout)> {
        Self::start_speech_program(Path::new(THIS_PROGRAM), &["speech-worker"], args, job)
    }

    /// As [`Worker::start_program`], for a speech worker.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub fn start_speech_program(
        program: &Path,
        arguments: &[&str],
        args: SpeechArgs<'_>,
        job: &SpeechJob,
    ) -> io::Result<(Self, ChildStdout)> {
        let inputs = vec![args.sound, File::open(args.model)?];
        Self::launch(program, arguments, args.folder, inputs, job)
    }

    /// `inputs` become descriptors from [`SOURCE_FD`] on.
    fn launch(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        inputs: Vec<File>,
        job: &impl serde::Serialize,
    ) -> io::Result<(Self, ChildStdout)> {
        let mappings = (SOURCE_FD..)
            .zip(inputs)
            .map(|(child_fd, input)| FdMapping {
                parent_fd: OwnedFd::from(input),
                child_fd,
            });
        let mut command = media_command(program);
        command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .fd_mappings(mappings.collect())
            .map_err(io::Error::other)?;
        let mut child = command.spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the worker has no pipes"));
        };
        match write_frame(&mut input, job) {
            // A worker that is already gone says so by the end of its output.
            Ok(()) | Err(FrameError::Io(_)) => Ok((
                Self {
                    child,
                    _input: input,
                },
                output,
            )),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(io::Error::other(error))
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once: what it has announced is on disk, whole.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Ends it, unless it has ended already, and says how it did.
    pub fn end(mut self) -> Death {
        self.kill();
        let ended = self.child.wait();
        match ended.ok().and_then(|status| status.signal()) {
            Some(libc::SIGSYS) => Death::Breach,
            Some(libc::SIGKILL) => Death::Killed,
            Some(libc::SIGSEGV | libc::SIGABRT | libc::SIGBUS | libc::SIGILL | libc::SIGFPE) => {
                Death::Crash
            }
            _ => Death::Other,
        }
    }
}

/// A program in which GStreamer runs, with what it takes from its environment.
pub(crate) fn media_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        // No scan of 250 plugins, no cache file, no helper process: `worker::elements` loads by name.
        .env("GST_REGISTRY_DISABLE", "yes")
        .env("GST_DEBUG_NO_COLOR", "1")
        // The sandbox lets no memory become executable: orc's compiled C instead of its compiler.
        // Measured on the ladder of the 480p sample: no difference in processor time (within 5 %).
        .env("ORC_CODE", "backup")
        // Each thread's own heap would reserve 64 MiB of the address space that is limited.
        .env("MALLOC_ARENA_MAX", "4")
        // Frames go back to the system and leave no holes: 14 MB less of slides in 1080p, and no slower.
        .env("MALLOC_MMAP_THRESHOLD_", "1048576");
    if let Some(folder) = std::env::var_os("GST_PLUGIN_SYSTEM_PATH_1_0") {
        command.env("GST_PLUGIN_SYSTEM_PATH_1_0", folder);
    }
    command
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}
