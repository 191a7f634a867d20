//! `library.redb` as the first version wrote it, opened by this one.

use std::fs;
use std::path::Path;

use lectern_library::{PackageUpdate, Query, TextKind, VersionState, Visibility};
use serde_json::json;

use crate::{Box_, announced, at, open, titled};

/// Never make it anew: it is the proof that later versions read what the first one left.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1.redb");

#[test]
fn a_library_of_the_first_version_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(FIXTURE, folder.path().join("library.redb")).unwrap();
    let library = open(folder.path());
    let query = Query {
        limit: 10,
        ..Query::default()
    };
    let videos = library.videos(&query, |_| true).unwrap().videos;
    let titles: Vec<_> = videos.iter().map(|video| video.title.as_str()).collect();
    assert_eq!(titles, ["Waiting", "Failed", "Under way", "Done"]);
    let states: Vec<_> = videos.iter().map(|video| video.versions[0].state).collect();
    use VersionState::{Failed, Playable, Queued, Ready};
    assert_eq!(states, [Queued, Failed, Playable, Ready]);

    let done = &videos[3];
    assert_eq!(done.visibility, Visibility::Members);
    assert_eq!(
        (done.language.as_str(), done.owner.as_str()),
        ("en", "anna")
    );
    let version = &done.versions[0];
    assert_eq!(version.duration_ms, Some(30_033));
    assert_eq!(version.report, json!({"why": "a test"}));
    assert!(version.package_hash.is_some());
    assert_eq!(version.source.original_name, "lecture.mp4");
    assert_eq!(
        library.package_json(done.id, 1).unwrap().as_deref(),
        Some("whole")
    );
    assert_eq!(
        library
            .texts(TextKind::Captions)
            .get(done.id, "de", None)
            .unwrap()
            .vtt,
        "two"
    );
    assert_eq!(
        library.texts(TextKind::Captions).list(done.id).unwrap()[0].revision,
        2
    );
    assert_eq!(videos[1].versions[0].error.as_deref(), Some("No."));

    let jobs = library.jobs().unwrap();
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job.waiting_for.is_none()));
    let job = library.next_job(at(100)).unwrap().unwrap();
    assert_eq!(job.package, None, "what cannot be watched yet comes first");
    let job = library.next_job(at(100)).unwrap().unwrap();
    assert_eq!(job.package.as_deref(), Some("half"));
    assert!(
        library.disk().unwrap().reserved_bytes >= 10,
        "an upload under way"
    );
}

#[test]
#[ignore = "made the fixture once, in the first version"]
fn makes_the_fixture() {
    assert!(!Path::new(FIXTURE).exists());
    let lectern = Box_::new();
    let library = &lectern.library;
    let add = |title: &str, bytes: &[u8]| {
        let upload = lectern.uploaded(bytes);
        library.create_video(titled(title, upload), at(0)).unwrap()
    };
    let update = |package: &str| PackageUpdate {
        package: Some(package.to_owned()),
        is_playable: true,
        duration_ms: Some(30_000),
        report: Some(json!({"why": "a test"})),
    };
    let done = add("Done", b"1");
    let job = library.next_job(at(0)).unwrap().unwrap();
    let report = json!({"why": "a test"});
    library
        .finish_job(&job, "whole".to_owned(), report, 30_033, at(1))
        .unwrap();
    library
        .texts(TextKind::Captions)
        .put(done, "de", "one".to_owned(), "ada", at(2))
        .unwrap();
    library
        .texts(TextKind::Captions)
        .put(done, "de", "two".to_owned(), "ada", at(3))
        .unwrap();
    add("Under way", b"2");
    let job = library.next_job(at(4)).unwrap().unwrap();
    library.save_package(&job, update("half"), at(4)).unwrap();
    add("Failed", b"3");
    let job = library.next_job(at(5)).unwrap().unwrap();
    library.fail_job(&job, "No.", false, None, at(5)).unwrap();
    add("Waiting", b"4");
    let id = library.create_upload(announced(20), at(6)).unwrap().id;
    let mut appender = library.append(id, 0, at(6)).unwrap();
    appender.write(b"0123456789", at(6)).unwrap();
    appender.finish(at(6)).unwrap();
    fs::create_dir_all(Path::new(FIXTURE).parent().unwrap()).unwrap();
    library.store().backup(Path::new(FIXTURE)).unwrap();
}
