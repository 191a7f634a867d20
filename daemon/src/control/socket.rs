//! Where the control socket lies. A Unix socket's path holds 108 bytes, state folders can be deeper: both sides go
//! through `/proc/self/fd/N/lecternd.sock`, N being the opened state folder.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

const NAME: &str = "lecternd.sock";

/// The socket's path, short however deep the state folder lies; valid as long as the value lives.
pub struct SocketPath {
    _folder: File,
    path: PathBuf,
}

impl SocketPath {
    /// Opens the state folder.
    pub fn in_state(state: &Path) -> io::Result<Self> {
        let folder = File::open(state)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
        Ok(Self {
            _folder: folder,
            path,
        })
    }

    /// The path to bind or connect to.
    pub fn as_path(&self) -> &Path {
        &self.path
    }
}
