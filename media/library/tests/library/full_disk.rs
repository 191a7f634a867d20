//! A box whose disk is full starts, shows what it has and lets people make room.

use std::path::Path;

use lectern_library::{Error, Library, MIGRATIONS, Options, Query, TextKind};
use lectern_store::Store;

use crate::{Box_, announced, at};

/// Opened where the store takes `reserve_bytes` of the disk for its reserve.
fn open(folder: &Path, reserve_bytes: u64) -> Library {
    let options = lectern_store::Options {
        reserve_bytes,
        migrations: MIGRATIONS,
        ..lectern_store::Options::default()
    };
    let store = Store::open(&folder.join("library.redb"), options).unwrap();
    Library::open(store, folder, Options::default()).unwrap()
}

#[test]
fn a_library_on_a_full_disk_opens_without_a_write_and_can_be_read() {
    let Box_ { folder, library } = {
        let lectern = Box_::new();
        lectern.video(b"source");
        lectern
    };
    drop(library);
    let library = open(folder.path(), u64::MAX);
    let query = Query {
        limit: 10,
        ..Query::default()
    };
    let videos = library.videos(&query, |_| true).unwrap().videos;
    assert_eq!(videos.len(), 1);
    // The store's reserve is larger than the library's floor here: no job runs, and that is no error.
    assert!(library.next_job(at(0)).unwrap().is_none());
    let refused = library.create_upload(announced(1), at(0));
    assert!(refused.unwrap_err().is_full());
    assert_eq!(library.store().stats().commits, 0);
}

#[test]
fn on_a_full_disk_a_video_can_be_removed_and_a_job_cancelled() {
    let Box_ { folder, library } = {
        let lectern = Box_::new();
        lectern.video(b"one");
        lectern.video(b"two");
        lectern
    };
    let free = library.disk().unwrap().free_bytes;
    drop(library);
    let library = open(folder.path(), free / 2 * 3);
    let jobs = library.jobs().unwrap();
    let refused =
        library
            .texts(TextKind::Captions)
            .put(jobs[0].video, "en", String::new(), "ada", at(0));
    assert!(matches!(
        refused,
        Err(Error::Store(lectern_store::Error::Full { .. }))
    ));
    library.cancel(jobs[0].video, 1).unwrap();
    library.remove_video(jobs[1].video).unwrap();
    assert_eq!(library.collect_garbage().unwrap().blobs, 1);
}
