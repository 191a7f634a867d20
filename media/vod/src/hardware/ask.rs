//! What is asked of a trial's child, and what it answers: one [`Ask`] in, one [`Answer`] out, as frames of
//! [`crate::protocol`]. The child is this very program; it ends with its answer, and is ended when none comes.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::{Codec, Family, Work};
use crate::protocol::{FrameError, read_frame, write_frame};
use crate::spawn::{THIS_PROGRAM, media_command};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// What GStreamer offers of a family, with the drivers that are there.
    Offers {
        /// Which.
        family: Family,
    },
    /// To send a clip through a coder and compare what comes back. What a decoder gets is encoded in software.
    Code {
        /// Whose it is; none for software.
        family: Option<Family>,
        /// Which coder.
        offer: Offer,
        /// The clip.
        clip: Clip,
        /// A film to take the clip from; otherwise it is drawn.
        film: Option<PathBuf>,
        /// So many at once.
        streams: u32,
        /// The quantizer to hold; otherwise what a rung of a film is made with.
        quality: Option<u32>,
    },
}

/// A coder that GStreamer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// GStreamer's name of it.
    pub element: String,
    /// What it codes.
    pub codec: Codec,
    /// Which way.
    pub work: Work,
}

/// A clip, frame by frame, without sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// Pixels; even.
    pub width: u32,
    /// Pixels; even.
    pub height: u32,
    /// Its rate.
    pub frames_per_second: u32,
    /// Its length.
    pub frames: u32,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// To [`Ask::Offers`].
    Offers {
        /// What there is.
        offers: Vec<Offer>,
        /// The last that plugin or driver complained of.
        said: Option<String>,
    },
    /// To [`Ask::Code`].
    Coded(Coded),
    /// It did not work.
    Refused(Refusal),
}

/// A clip that went through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// Frames of all streams.
    pub frames: u64,
    /// From the first frame in to the last frame out.
    pub seconds: f64,
    /// What one stream takes when it is encoded.
    pub bytes: u64,
    /// Brightness of what came back beside what went in, over all frames; 99 where nothing differs.
    pub psnr_db: f64,
}

impl Coded {
    /// Frames a second, of all streams.
    #[must_use]
    pub fn frames_per_second(&self) -> f64 {
        self.frames as f64 / self.seconds.max(1e-6)
    }
}

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Asker {
    program: PathBuf,
    arguments: Vec<String>,
    patience: Duration,
}

impl Asker {
    /// This very program, which hands the command `trial-worker` to [`crate::worker::trial::run`]. Whoever does not
    /// answer within `patience` is stuck.
    #[must_use]
    pub fn this_program(patience: Duration) -> Self {
        Self::program(THIS_PROGRAM, &["trial-worker"], patience)
    }

    /// Another program: this crate's own tests have no daemon.
    #[must_use]
    pub fn program(program: impl Into<PathBuf>, arguments: &[&str], patience: Duration) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            patience,
        }
    }

    /// Asks a child of its own.
    ///
    /// # Errors
    /// The child crashed, is stuck, or said nothing.
    pub fn ask(&self, ask: &Ask) -> Result<Answer, Refusal> {
        let (mut child, output) = self.start(ask).map_err(|error| Refusal::Failed {
            said: error.to_string(),
        })?;
        let (to_us, from_child) = mpsc::sync_channel(1);
        // Ends with the child, whose output it reads.
        let reader = std::thread::Builder::new().spawn(move || {
            let mut output = output;
            let _ = to_us.send(read_frame::<Answer>(&mut output));
        });
        let answer = reader.map(|_| from_child.recv_timeout(self.patience));
        let is_stuck = matches!(answer, Ok(Err(mpsc::RecvTimeoutError::Timeout)));
        // Who has answered has let go of the chip; what a driver does on its way out nobody waits for.
        let _ = child.kill();
        let end = child.wait().ok().and_then(|status| status.signal());
        match answer {
            Ok(Ok(Ok(Some(answer)))) => Ok(answer),
            _ if is_stuck => Err(Refusal::Stuck {
                seconds: self.patience.as_secs(),
            }),
            _ => Err(Refusal::Crashed { signal: end }),
        }
    }

    fn start(&self, ask: &Ask) -> io::Result<(Child, ChildStdout)> {
        let mut command: Command = media_command(&self.program);
        let mut child = command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What drivers say on their way, to nobody in particular; what is worth knowing is in the answer.
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.as_mut(), child.stdout.take()) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        // Its input stays open: one whose input ends, ends too.
        match write_frame(input, ask) {
            Ok(()) | Err(FrameError::Io(_)) => Ok((child, output)),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(io::Error::other(error))
            }
        }
    }
}
