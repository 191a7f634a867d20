//! Garbage collection takes what nothing refers to, and never anything else.

use std::fs;

use lectern_library::{Query, UploadId, VersionState};
use proptest::prelude::{any, prop, proptest};

use crate::{Box_, announced, at, titled};

#[test]
fn what_nothing_refers_to_is_removed() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let job = library.next_job(at(0)).unwrap().unwrap();
    fs::write(job.package_dir.join("poster.jpg"), b"12345").unwrap();
    fs::write(lectern.folder.path().join("uploads/stray"), b"123").unwrap();
    assert_eq!(library.collect_garbage().unwrap().uploads, 1);
    library.remove_video(video).unwrap();
    let swept = library.collect_garbage().unwrap();
    assert_eq!((swept.blobs, swept.packages, swept.bytes), (1, 1, 6 + 5));
    assert!(!job.source.exists() && !job.package_dir.exists());
}

#[test]
fn two_videos_of_the_same_bytes_share_them_until_the_last_is_removed() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let first = lectern.video(b"same");
    let second = lectern.video(b"same");
    library.remove_video(first).unwrap();
    assert_eq!(library.collect_garbage().unwrap().blobs, 0);
    assert!(library.next_job(at(0)).unwrap().unwrap().source.exists());
    library.remove_video(second).unwrap();
    assert_eq!(library.collect_garbage().unwrap().blobs, 1);
}

#[test]
fn while_a_backup_holds_the_files_uploads_go_on_and_garbage_waits() {
    let lectern = Box_::new();
    let held = lectern.library.hold_garbage();
    assert!(matches!(
        lectern.library.collect_garbage(),
        Err(lectern_library::Error::Busy)
    ));
    lectern.uploaded(b"bytes");
    drop(held);
    lectern.library.collect_garbage().unwrap();
}

#[test]
fn what_cannot_be_removed_now_is_removed_later_and_keeps_nothing_else() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let trash = lectern.folder.path().join("content/trash");
    // What a sweep before left behind, with a name that is no folder's any more.
    fs::create_dir_all(trash.join("left/v480")).unwrap();
    fs::write(trash.join("left/v480/1.m4s.part"), b"123").unwrap();
    let video = lectern.video(b"source");
    library.remove_video(video).unwrap();
    let swept = library.collect_garbage().unwrap();
    assert_eq!((swept.blobs, swept.bytes), (1, 6 + 3));
    assert_eq!(fs::read_dir(trash).unwrap().count(), 0);
}

#[test]
fn where_no_trash_can_be_made_garbage_is_removed_all_the_same() {
    let lectern = Box_::new();
    let library = &lectern.library;
    // As on a disk that is full to the last byte: there is no room for a folder.
    fs::write(lectern.folder.path().join("content/trash"), b"").unwrap();
    let video = lectern.video(b"source");
    library.remove_video(video).unwrap();
    let swept = library.collect_garbage().unwrap();
    assert_eq!((swept.blobs, swept.bytes), (1, 6));
}

#[test]
fn while_garbage_is_removed_the_same_bytes_may_come_again() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"same");
    library.remove_video(video).unwrap();
    library.collect_garbage().unwrap();
    lectern.video(b"same");
    assert_eq!(library.collect_garbage().unwrap().blobs, 0);
    assert!(library.next_job(at(0)).unwrap().unwrap().source.exists());
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(10))]
    #[test]
    fn whatever_was_done_before_everything_referred_to_stays(
        steps in prop::collection::vec((0..8_u8, any::<u8>()), 1..40),
    ) {
        let mut lectern = Box_::new();
        let mut uploads: Vec<UploadId> = Vec::new();
        for (now, (what, which)) in (0_i64..).zip(steps) {
            let library = &lectern.library;
            let videos = library.videos(&Query { limit: 200, ..Query::default() }, |_| true).unwrap().videos;
            let chosen = videos.get(usize::from(which) % videos.len().max(1)).map(|video| video.id);
            match (what, chosen) {
                (0, _) => uploads.push(lectern.uploaded(&[which % 4; 10])),
                (1, _) => uploads.push(library.create_upload(announced(10), at(0)).unwrap().id),
                (2, _) => {
                    if let Some(upload) = uploads.pop() {
                        let _ = library.create_video(titled("x", upload), at(now));
                    }
                }
                (3, Some(video)) => {
                    let upload = lectern.uploaded(&[which % 4; 10]);
                    library.add_version(video, upload, "anna", at(now)).unwrap();
                }
                (4, Some(video)) if which % 3 == 0 => library.remove_video(video).unwrap(),
                (5, _) => {
                    if let Some(job) = library.next_job(at(now)).unwrap() {
                        fs::write(job.package_dir.join("poster.jpg"), b"p").unwrap();
                        if which % 2 == 0 {
                            library.fail_job(&job, "no", false, None, at(now)).unwrap();
                        }
                    }
                }
                (6, Some(video)) => {
                    let _ = library.retry(video, 1, at(now));
                }
                (7, _) => lectern = lectern.reopened(),
                _ => {}
            }
            let library = &lectern.library;
            library.collect_garbage().unwrap();
            for video in library.videos(&Query { limit: 200, ..Query::default() }, |_| true).unwrap().videos {
                for version in video.versions {
                    let hash = version.source.blob.to_string();
                    let blob = lectern.folder.path().join("content/blobs").join(&hash[..2]).join(&hash);
                    assert_eq!(fs::metadata(blob).unwrap().len(), 10);
                    if version.state == VersionState::Processing {
                        assert!(version.package_dir.exists());
                    }
                }
            }
            for upload in &uploads {
                if let Ok(info) = library.upload(*upload, at(0)) {
                    // Whole or not, it can be gone on with.
                    drop(library.append(*upload, info.offset, at(0)).unwrap());
                }
            }
        }
    }
}
