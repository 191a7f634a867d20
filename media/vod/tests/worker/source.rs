//! Sources for the tests: the sample in the repository, and what ffmpeg makes on the spot.

use std::path::{Path, PathBuf};
use std::process::Command;

/// 30 s, 854x480, 24 frames a second, key frames up to 10.4 s apart, sound of six channels.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/big-buck-bunny-480p-30s.mp4")
}

/// Runs `ffmpeg` with these arguments (split at spaces) and `name` in `folder` as its output.
pub fn make(folder: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split(' '))
        .arg(&path)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success(), "ffmpeg {arguments}");
    path
}
