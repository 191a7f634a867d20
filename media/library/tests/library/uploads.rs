//! Uploads: bytes count when they are on disk, once, and nothing else becomes a blob.

use std::fs;
use std::os::unix::fs::MetadataExt;

use lectern_library::{BlobHash, Error, room_for};
use proptest::prelude::{Strategy, any, prop, proptest};
use sha2::{Digest, Sha256};

use crate::{Box_, announced, at, titled};

fn hash(bytes: &[u8]) -> BlobHash {
    BlobHash(Sha256::digest(bytes).into())
}

fn blob(lectern: &Box_, hash: BlobHash) -> Vec<u8> {
    let name = hash.to_string();
    fs::read(
        lectern
            .folder
            .path()
            .join("content/blobs")
            .join(&name[..2])
            .join(name),
    )
    .unwrap()
}

#[test]
fn an_upload_in_pieces_over_restarts_is_the_blob_of_its_bytes() {
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut lectern = Box_::new();
    let id = lectern
        .library
        .create_upload(announced(400_000), at(0))
        .unwrap()
        .id;
    for (n, piece) in bytes.chunks(90_000).enumerate() {
        let offset = lectern.library.upload(id, at(1)).unwrap().offset;
        assert_eq!(offset, n as u64 * 90_000);
        let mut appender = lectern.library.append(id, offset, at(1)).unwrap();
        appender.write(piece, at(1)).unwrap();
        let info = appender.finish(at(1)).unwrap();
        assert_eq!(info.offset, offset + piece.len() as u64);
        if n % 2 == 0 {
            lectern = lectern.reopened();
        }
    }
    let info = lectern.library.upload(id, at(1)).unwrap();
    assert_eq!(info.blob, Some(hash(&bytes)));
    assert_eq!(blob(&lectern, hash(&bytes)), bytes);
    assert_eq!(
        fs::read_dir(lectern.folder.path().join("uploads"))
            .unwrap()
            .count(),
        0
    );
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(10))]
    #[test]
    fn whatever_happens_on_the_way_the_blob_is_the_bytes(
        bytes in prop::collection::vec(any::<u8>(), 1..5000),
        steps in prop::collection::vec((1..700_usize, 0..4_u8).prop_map(|step| step), 1..40),
    ) {
        let mut lectern = Box_::new();
        let id = lectern.library.create_upload(announced(bytes.len() as u64), at(0)).unwrap().id;
        for (len, what) in steps.into_iter().chain(std::iter::repeat((700, 0))) {
            let offset = lectern.library.upload(id, at(0)).unwrap().offset;
            let at_byte = usize::try_from(offset).unwrap();
            let piece = &bytes[at_byte..bytes.len().min(at_byte + len)];
            if piece.is_empty() {
                break;
            }
            let mut appender = lectern.library.append(id, offset, at(0)).unwrap();
            match what {
                // Lost on the way: the daemon dies with the bytes half written.
                1 => {
                    appender.write(piece, at(0)).unwrap();
                    drop(appender);
                    lectern = lectern.reopened();
                }
                // Its checksum was wrong.
                2 => {
                    appender = appender.all_or_nothing();
                    appender.write(&vec![7; piece.len()], at(0)).unwrap();
                    appender.discard().unwrap();
                }
                // The connection broke, the daemon lives.
                3 => {
                    appender.write(piece, at(0)).unwrap();
                    drop(appender);
                }
                _ => {
                    appender.write(piece, at(0)).unwrap();
                    appender.finish(at(0)).unwrap();
                }
            }
        }
        let info = lectern.library.upload(id, at(0)).unwrap();
        assert_eq!(info.blob, Some(hash(&bytes)));
        assert_eq!(blob(&lectern, hash(&bytes)), bytes);
    }
}

#[test]
fn a_large_request_that_breaks_off_keeps_its_checkpoints() {
    let lectern = Box_::new();
    let id = lectern
        .library
        .create_upload(announced(64 << 20), at(0))
        .unwrap()
        .id;
    let mut appender = lectern.library.append(id, 0, at(0)).unwrap();
    for _ in 0..40 {
        appender.write(&vec![1; 1 << 20], at(0)).unwrap();
    }
    drop(appender);
    let lectern = lectern.reopened();
    assert_eq!(lectern.library.upload(id, at(0)).unwrap().offset, 32 << 20);
}

#[test]
fn bytes_at_another_place_or_too_many_are_refused() {
    let lectern = Box_::new();
    let id = lectern
        .library
        .create_upload(announced(10), at(0))
        .unwrap()
        .id;
    let refused = lectern.library.append(id, 3, at(0));
    assert!(matches!(
        refused,
        Err(Error::WrongOffset { at: 0, offered: 3 })
    ));
    let mut appender = lectern.library.append(id, 0, at(0)).unwrap();
    let refused = appender.write(&[0; 11], at(0));
    assert!(matches!(refused, Err(Error::TooManyBytes { length: 10 })));
}

#[test]
fn one_request_writes_at_a_time_and_can_be_asked_to_stop() {
    let lectern = Box_::new();
    let id = lectern
        .library
        .create_upload(announced(10), at(0))
        .unwrap()
        .id;
    let first = lectern.library.append(id, 0, at(0)).unwrap();
    assert!(matches!(
        lectern.library.append(id, 0, at(0)),
        Err(Error::Busy)
    ));
    assert!(matches!(
        lectern.library.terminate_upload(id),
        Err(Error::Busy)
    ));
    lectern.library.interrupt_upload(id);
    assert!(*first.interrupted().borrow());
    drop(first);
    lectern.library.append(id, 0, at(0)).unwrap();
}

#[test]
fn an_upload_that_nobody_goes_on_with_expires_and_each_chunk_puts_it_off() {
    const DAY: i64 = 24 * 3600;
    let lectern = Box_::new();
    let idle = lectern
        .library
        .create_upload(announced(10), at(0))
        .unwrap()
        .id;
    let alive = lectern
        .library
        .create_upload(announced(10), at(0))
        .unwrap()
        .id;
    let mut appender = lectern.library.append(alive, 0, at(6 * DAY)).unwrap();
    appender.write(b"12345", at(6 * DAY)).unwrap();
    appender.finish(at(6 * DAY)).unwrap();
    let now = at(8 * DAY);
    assert!(matches!(
        lectern.library.upload(idle, now),
        Err(Error::NotFound(_))
    ));
    assert_eq!(lectern.library.expire_uploads(now).unwrap(), 1);
    assert_eq!(lectern.library.upload(alive, now).unwrap().offset, 5);
    lectern.library.terminate_upload(alive).unwrap();
    assert!(matches!(
        lectern.library.upload(alive, now),
        Err(Error::NotFound(_))
    ));
    assert_eq!(
        fs::read_dir(lectern.folder.path().join("uploads"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn what_does_not_fit_is_refused_before_a_byte_is_sent() {
    let lectern = Box_::new();
    let disk = lectern.library.disk().unwrap();
    let refused = lectern
        .library
        .create_upload(announced(disk.free_bytes), at(0));
    assert!(refused.unwrap_err().is_full());
    let refused = lectern.library.create_upload(announced(1 << 41), at(0));
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[test]
fn space_promised_to_an_upload_is_not_promised_again() {
    let lectern = Box_::new();
    let before = lectern.library.disk().unwrap();
    // Each with as much again for its renditions.
    let quarter = before.available_bytes() / 4 + (64 << 20);
    lectern
        .library
        .create_upload(announced(quarter), at(0))
        .unwrap();
    let refused = lectern.library.create_upload(announced(quarter), at(0));
    assert!(matches!(refused, Err(Error::NoRoom { .. })));
}

#[test]
fn an_upload_that_fits_but_leaves_no_room_for_its_renditions_is_refused() {
    let lectern = Box_::new();
    let available = lectern.library.disk().unwrap().available_bytes();
    let length = available / 4 * 3;
    match lectern.library.create_upload(announced(length), at(0)) {
        Err(Error::NoRoom { needed, .. }) => assert_eq!(needed, room_for(length)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_made_of_a_source_is_reserved_until_it_is_made() {
    let lectern = Box_::new();
    let reserved = || lectern.library.disk().unwrap().reserved_bytes;
    let bytes = [7; 100_000];
    let upload = lectern.uploaded(&bytes);
    assert_eq!(reserved(), 100_000);
    let library = &lectern.library;
    library.create_video(titled("x", upload), at(0)).unwrap();
    assert_eq!(reserved(), 100_000);
    let job = library.next_job(at(0)).unwrap().unwrap();
    library.job_progress(&job, 0.75, None, at(0)).unwrap();
    assert_eq!(reserved(), 25_000);
    library
        .finish_job(&job, "x".to_owned(), serde_json::json!({}), 1, at(0))
        .unwrap();
    assert_eq!(reserved(), 0);
}

#[test]
fn the_space_that_was_set_aside_stays_so_when_bytes_come() {
    let lectern = Box_::new();
    let id = lectern
        .library
        .create_upload(announced(8 << 20), at(0))
        .unwrap()
        .id;
    let file = lectern.folder.path().join("uploads").join(id.to_string());
    let held = || fs::metadata(&file).unwrap().blocks() * 512;
    let set_aside = held();
    if set_aside < 8 << 20 {
        return; // This file system cannot.
    }
    let append = |offset, bytes: &[u8]| {
        let mut appender = lectern.library.append(id, offset, at(0)).unwrap();
        appender.write(bytes, at(0)).unwrap();
        appender
    };
    append(0, b"first").finish(at(0)).unwrap();
    assert_eq!(held(), set_aside);
    // Not finished: what it wrote does not count and is cut off by the next one.
    drop(append(5, b"lost"));
    append(5, b"second").finish(at(0)).unwrap();
    assert_eq!(held(), set_aside);
    let wrong = lectern.library.append(id, 11, at(0)).unwrap();
    let mut wrong = wrong.all_or_nothing();
    wrong.write(b"wrong", at(0)).unwrap();
    wrong.discard().unwrap();
    assert_eq!(held(), set_aside);
}

#[test]
fn a_name_is_never_a_path_and_an_empty_file_is_whole_at_once() {
    let lectern = Box_::new();
    for (sent, kept) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.mp4", "b.mp4"),
        ("a\u{0}b\n", "ab"),
        ("/", ""),
    ] {
        let mut new = announced(0);
        new.name = sent.to_owned();
        let info = lectern.library.create_upload(new, at(0)).unwrap();
        assert_eq!(info.name, kept);
        assert_eq!(info.blob, Some(hash(b"")));
    }
}

#[test]
fn an_upload_makes_a_video_once_when_it_is_whole_and_its_owners() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let open = library.create_upload(announced(10), at(0)).unwrap().id;
    let refused = library.create_video(titled("x", open), at(0));
    assert!(matches!(
        refused,
        Err(Error::Incomplete { at: 0, length: 10 })
    ));
    let upload = lectern.uploaded(b"bytes");
    let mut of_another = titled("x", upload);
    of_another.owner = "bert".to_owned();
    assert!(matches!(
        library.create_video(of_another, at(0)),
        Err(Error::NotFound("upload"))
    ));
    library.create_video(titled("x", upload), at(0)).unwrap();
    let again = library.create_video(titled("x", upload), at(0));
    assert!(matches!(again, Err(Error::NotFound("upload"))));
}
