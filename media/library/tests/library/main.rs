//! The library through its public door: uploads, jobs, videos, captions, garbage.
#![allow(clippy::unwrap_used, clippy::panic)] // of tests: clippy.toml allows it in `#[test]` functions alone

mod first_version;
mod full_disk;
mod garbage;
mod hold;
mod jobs;
mod speech;
mod uploads;
mod videos;

use std::path::Path;

use jiff::Timestamp;
use lectern_library::{Library, NewUpload, NewVideo, Options, UploadId, VideoId, Visibility};
use lectern_store::Store;
use tempfile::TempDir;

/// A library in a folder of its own, that can be opened anew as after `kill -9`: nothing is said
/// to it before.
struct Box_ {
    folder: TempDir,
    library: Library,
}

impl Box_ {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = open(folder.path());
        Self { folder, library }
    }

    fn reopened(self) -> Self {
        let Self { folder, library } = self;
        drop(library);
        let library = open(folder.path());
        Self { folder, library }
    }

    fn uploaded(&self, bytes: &[u8]) -> UploadId {
        let new = announced(bytes.len() as u64);
        self.library.import(new, &mut &*bytes, at(0)).unwrap().id
    }

    fn video(&self, bytes: &[u8]) -> VideoId {
        let upload = self.uploaded(bytes);
        self.library
            .create_video(titled("A lecture", upload), at(0))
            .unwrap()
    }
}

fn open(folder: &Path) -> Library {
    let options = lectern_store::Options {
        cache_bytes: 1 << 20,
        reserve_bytes: 1 << 20,
        ..lectern_store::Options::default()
    };
    let store = Store::open(&folder.join("library.redb"), options).unwrap();
    let options = Options {
        floor_bytes: 1 << 20,
        max_upload_bytes: 1 << 40,
    };
    Library::open(store, folder, options).unwrap()
}

fn announced(length: u64) -> NewUpload {
    NewUpload {
        length,
        name: "lecture.mp4".to_owned(),
        owner: "anna".to_owned(),
        metadata: "filename bGVjdHVyZS5tcDQ=".to_owned(),
    }
}

fn titled(title: &str, upload: UploadId) -> NewVideo {
    NewVideo {
        title: title.to_owned(),
        language: "en".to_owned(),
        visibility: Visibility::Members,
        owner: "anna".to_owned(),
        upload,
    }
}

/// So many seconds after the tests' beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}
