//! The queue: every source becomes a package or fails with a sentence, whatever dies on the way.

use std::fs;

use lectern_library::{ChangeKind, Error, Job, PackageUpdate, VersionState};
use serde_json::json;

use crate::{Box_, at};

fn write_track(job: &Job) {
    let track = job.package_dir.join("v480");
    fs::create_dir_all(&track).unwrap();
    fs::write(track.join("init.mp4"), b"init").unwrap();
    fs::write(track.join("1.m4s"), b"one").unwrap();
    fs::write(job.package_dir.join("poster.jpg"), b"poster").unwrap();
}

fn playable(package: &str) -> PackageUpdate {
    PackageUpdate {
        package: Some(package.to_owned()),
        is_playable: true,
        duration_ms: Some(30_000),
        report: Some(json!({"why": "a test"})),
    }
}

#[test]
fn a_job_goes_from_queued_to_ready() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let mut changes = library.changes();
    let video = lectern.video(b"source");
    assert_eq!(
        library.version(video, 1).unwrap().state,
        VersionState::Queued
    );
    let kinds = [
        changes.try_recv().unwrap().kind,
        changes.try_recv().unwrap().kind,
    ];
    assert_eq!(kinds, [ChangeKind::Video, ChangeKind::JobQueued]);

    let job = library.next_job(at(1)).unwrap().unwrap();
    assert!(library.next_job(at(1)).unwrap().is_none());
    assert_eq!(fs::read(&job.source).unwrap(), b"source");
    assert_eq!((job.video, job.version, job.attempt), (video, 1, 1));
    assert_eq!(
        library.version(video, 1).unwrap().state,
        VersionState::Processing
    );

    write_track(&job);
    library
        .save_package(&job, playable("{\"n\":1}"), at(2))
        .unwrap();
    library.job_progress(&job, 0.5, Some(1000), at(2)).unwrap();
    let info = library.version(video, 1).unwrap();
    assert_eq!(
        (info.state, info.progress, info.eta_ms),
        (VersionState::Playable, 0.5, Some(1000))
    );
    assert_eq!(info.duration_ms, Some(30_000));

    let hash = library
        .finish_job(&job, "{\"n\":2}".to_owned(), json!({}), 30_033, at(3))
        .unwrap();
    let done = library.version(video, 1).unwrap();
    assert_eq!((done.state, done.progress), (VersionState::Ready, 1.0));
    assert_eq!(done.package_hash, Some(hash));
    assert_eq!(done.key, info.key);
    assert!(done.revision > info.revision);
    assert_eq!(
        library.package_json(video, 1).unwrap().as_deref(),
        Some("{\"n\":2}")
    );
    assert!(library.jobs().unwrap().is_empty());
    // What `sha256sum v480/*.m4s v480/*.mp4 | sha256sum` says.
    assert_eq!(
        hash.to_string(),
        "d097c8b65dab7602b651dc66adc0e7bdb325529a40c153f4f53d5ba476ae9ee1"
    );
}

#[test]
fn after_a_kill_a_job_goes_on_from_what_was_saved() {
    let lectern = Box_::new();
    let video = lectern.video(b"source");
    let job = lectern.library.next_job(at(1)).unwrap().unwrap();
    lectern
        .library
        .save_package(&job, playable("saved"), at(2))
        .unwrap();
    let key = lectern.library.version(video, 1).unwrap().key;

    let lectern = lectern.reopened();
    let again = lectern.library.next_job(at(3)).unwrap().unwrap();
    assert_eq!(again.package.as_deref(), Some("saved"));
    assert_eq!((again.attempt, &again.package_dir), (1, &job.package_dir));
    let info = lectern.library.version(video, 1).unwrap();
    assert_eq!((info.state, info.key), (VersionState::Playable, key));
    // The worker from before, should it still live, cannot write any more.
    let stale = lectern.library.save_package(&job, playable("stale"), at(3));
    assert!(matches!(stale, Err(Error::JobGone)));
}

#[test]
fn a_job_whose_daemon_is_killed_six_times_is_still_done() {
    let mut lectern = Box_::new();
    let video = lectern.video(b"source");
    for second in 0..6 {
        lectern.library.next_job(at(second)).unwrap().unwrap();
        lectern = lectern.reopened();
    }
    let job = lectern.library.next_job(at(6)).unwrap().unwrap();
    assert!(!job.is_last_try(), "nobody saw it fail");
    write_track(&job);
    lectern
        .library
        .finish_job(&job, "whole".to_owned(), json!({}), 1, at(7))
        .unwrap();
    let info = lectern.library.version(video, 1).unwrap();
    assert_eq!(info.state, VersionState::Ready);
}

#[test]
fn a_job_that_takes_the_daemon_with_it_each_time_ends_with_a_sentence() {
    let mut lectern = Box_::new();
    let video = lectern.video(b"source");
    let mut deaths = 0;
    while lectern.library.next_job(at(deaths)).unwrap().is_some() {
        lectern = lectern.reopened();
        deaths += 1;
    }
    assert_eq!(deaths, 50);
    let info = lectern.library.version(video, 1).unwrap();
    assert_eq!(info.state, VersionState::Failed);
    assert!(info.error.unwrap().contains("damaged"));
    assert!(lectern.library.jobs().unwrap().is_empty());
}

#[test]
fn what_cannot_be_gone_on_with_is_begun_anew_twice_and_then_fails() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let mut keys = vec![library.version(video, 1).unwrap().key];
    for attempt in [2, 3] {
        let job = library.next_job(at(0)).unwrap().unwrap();
        library.save_package(&job, playable("half"), at(0)).unwrap();
        library.begin_anew(&job, "It cannot go on.").unwrap();
        let info = library.version(video, 1).unwrap();
        assert_eq!((info.state, info.attempt), (VersionState::Queued, attempt));
        assert!(!keys.contains(&info.key));
        keys.push(info.key);
    }
    let job = library.next_job(at(0)).unwrap().unwrap();
    assert_eq!(job.package, None);
    library.begin_anew(&job, "It cannot go on.").unwrap();
    let info = library.version(video, 1).unwrap();
    assert_eq!(info.error.as_deref(), Some("It cannot go on."));
    assert!(library.jobs().unwrap().is_empty());
}

#[test]
fn a_job_that_gets_on_may_die_as_often_as_it_likes() {
    let mut lectern = Box_::new();
    lectern.video(b"source");
    for n in 0..8 {
        let job = lectern.library.next_job(at(n)).unwrap().unwrap();
        lectern
            .library
            .save_package(&job, playable(&format!("{n}")), at(n))
            .unwrap();
        lectern = lectern.reopened();
    }
}

#[test]
fn a_job_that_is_ended_from_outside_goes_on_where_it_was_and_does_not_fail_soon() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let job = library.next_job(at(0)).unwrap().unwrap();
    library.save_package(&job, playable("half"), at(0)).unwrap();
    let key = library.version(video, 1).unwrap().key;
    library.interrupt(&job, "Ended.", at(0)).unwrap();
    let stale = library.interrupt(&job, "Ended.", at(0));
    assert!(matches!(stale, Err(Error::JobGone)));
    for n in 1..49 {
        assert!(library.next_job(at(5 * n - 1)).unwrap().is_none());
        let job = library.next_job(at(5 * n)).unwrap().unwrap();
        assert!(!job.is_last_try());
        assert_eq!(job.package.as_deref(), Some("half"));
        library.interrupt(&job, "Ended.", at(5 * n)).unwrap();
        let info = library.version(video, 1).unwrap();
        assert_eq!(
            info.waiting_for.as_deref(),
            Some("Ended. It is tried again by itself.")
        );
        assert_eq!(info.key, key);
    }
    // Fifty runs that made nothing: whatever ends them, it is always there.
    library.next_job(at(1000)).unwrap().unwrap();
    assert!(library.next_job(at(2000)).unwrap().is_none());
    assert_eq!(
        library.version(video, 1).unwrap().state,
        VersionState::Failed
    );
}

#[test]
fn what_may_pass_is_tried_again_later_each_time_later() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let mut now = 0;
    for wait in [5, 20, 80] {
        let job = library.next_job(at(now)).unwrap().unwrap();
        assert!(!job.is_last_try());
        library
            .fail_job(&job, "The worker died.", true, None, at(now))
            .unwrap();
        let waiting_for = library.version(video, 1).unwrap().waiting_for.unwrap();
        assert_eq!(waiting_for, "The worker died. It is tried again by itself.");
        assert_eq!(library.next_job_at().unwrap(), Some(at(now + wait)));
        assert!(library.next_job(at(now + wait - 1)).unwrap().is_none());
        now += wait;
    }
    let job = library.next_job(at(now)).unwrap().unwrap();
    assert!(job.is_last_try());
    assert_eq!(library.version(video, 1).unwrap().waiting_for, None);
    library
        .fail_job(&job, "The worker died.", true, None, at(now))
        .unwrap();
    let info = library.version(video, 1).unwrap();
    assert_eq!(info.error.as_deref(), Some("The worker died."));
}

#[test]
fn a_job_that_got_on_has_all_its_tries_again_and_goes_on_under_its_key() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let key = library.version(video, 1).unwrap().key;
    for n in 0..8 {
        let job = library.next_job(at(n * 1000)).unwrap().unwrap();
        assert!(!job.is_last_try());
        library
            .save_package(&job, playable(&format!("{n}")), at(n * 1000))
            .unwrap();
        library
            .fail_job(&job, "The worker died.", true, None, at(n * 1000))
            .unwrap();
    }
    let info = library.version(video, 1).unwrap();
    assert_eq!((info.key, info.attempt), (key, 1));
}

#[test]
fn a_retry_is_made_anew_under_a_new_key_in_a_new_folder() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let job = library.next_job(at(0)).unwrap().unwrap();
    library.save_package(&job, playable("old"), at(0)).unwrap();
    let before = library.version(video, 1).unwrap();
    assert!(matches!(
        library.retry(video, 1, at(0)),
        Err(Error::WrongState(VersionState::Playable))
    ));
    library
        .fail_job(&job, "No.", false, Some(json!({"found": 1})), at(1))
        .unwrap();
    assert_eq!(
        library.version(video, 1).unwrap().report,
        json!({"found": 1})
    );

    library.retry(video, 1, at(2)).unwrap();
    let after = library.version(video, 1).unwrap();
    assert_eq!(
        (after.state, after.error, after.attempt),
        (VersionState::Queued, None, 2)
    );
    assert_ne!(after.key, before.key);
    let again = library.next_job(at(2)).unwrap().unwrap();
    assert_eq!(again.package, None);
    assert_ne!(again.package_dir, job.package_dir);
}

#[test]
fn a_cancelled_job_is_told_so_and_its_version_says_so() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let job = library.next_job(at(0)).unwrap().unwrap();
    let mut changes = library.changes();
    library.cancel(video, 1).unwrap();
    assert_eq!(changes.try_recv().unwrap().kind, ChangeKind::JobCancelled);
    assert!(!library.holds(job.lease));
    assert!(matches!(
        library.job_progress(&job, 0.9, None, at(1)),
        Err(Error::JobGone)
    ));
    let finished = library.finish_job(&job, "x".to_owned(), json!({}), 1, at(1));
    assert!(matches!(finished, Err(Error::JobGone)));
    let info = library.version(video, 1).unwrap();
    assert_eq!(info.error.as_deref(), Some("Processing was cancelled."));
    assert!(matches!(
        library.cancel(video, 1),
        Err(Error::WrongState(VersionState::Failed))
    ));
}

#[test]
fn a_silent_worker_loses_its_job_and_one_that_speaks_keeps_it() {
    let lectern = Box_::new();
    let library = &lectern.library;
    lectern.video(b"source");
    let job = library.next_job(at(0)).unwrap().unwrap();
    library.renew(job.lease, at(50)).unwrap();
    assert!(library.next_job(at(100)).unwrap().is_none());
    let other = library.next_job(at(111)).unwrap().unwrap();
    assert_eq!(other.lease.job, job.lease.job);
    assert!(matches!(
        library.renew(job.lease, at(112)),
        Err(Error::JobGone)
    ));
    library.put_back(&other).unwrap();
    assert!(library.next_job(at(113)).unwrap().is_some());
}

#[test]
fn a_job_with_something_to_watch_makes_way_for_those_without() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let lecture = lectern.video(b"lecture");
    let long = library.next_job(at(0)).unwrap().unwrap();
    library
        .save_package(&long, playable("half"), at(0))
        .unwrap();
    library.job_progress(&long, 0.5, Some(9), at(0)).unwrap();
    assert!(!library.awaits_first_segment(at(0)).unwrap());
    let clip = lectern.video(b"clip");
    assert!(library.awaits_first_segment(at(0)).unwrap());
    library.put_back(&long).unwrap();
    let info = library.version(lecture, 1).unwrap();
    assert_eq!(
        (info.progress, info.eta_ms),
        (0.5, None),
        "known, but at rest"
    );

    let first = library.next_job(at(0)).unwrap().unwrap();
    assert_eq!(first.video, clip);
    assert!(!library.awaits_first_segment(at(0)).unwrap());
    let again = library.next_job(at(0)).unwrap().unwrap();
    assert_eq!(again.package.as_deref(), Some("half"));
}

#[test]
fn jobs_are_given_out_in_order() {
    let lectern = Box_::new();
    let videos = [
        lectern.video(b"1"),
        lectern.video(b"2"),
        lectern.video(b"3"),
    ];
    for video in videos {
        assert_eq!(
            lectern.library.next_job(at(0)).unwrap().unwrap().video,
            video
        );
    }
}

#[test]
fn a_job_that_meets_a_full_disk_keeps_what_it_has_and_goes_on_when_there_is_room() {
    let lectern = Box_::new();
    let library = &lectern.library;
    lectern.video(b"source");
    for n in 0..10 {
        let job = library.next_job(at(n * 1000)).unwrap().unwrap();
        assert!(!job.is_last_try(), "a full disk is no failure of the job");
        library.set_floor(u64::MAX);
        let stopped = library.save_package(&job, playable("half"), at(n * 1000));
        assert!(matches!(stopped, Err(Error::AtFloor { .. })));
        library.wait_for_room(&job, at(n * 1000)).unwrap();
        assert!(library.next_job(at(n * 1000 + 500)).unwrap().is_none());
        library.set_floor(0);
    }
    let again = library.next_job(at(10_000)).unwrap().unwrap();
    assert_eq!(again.package.as_deref(), Some("half"));
}

#[test]
fn a_job_that_waits_for_room_says_so_and_one_at_work_does_not() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let says = || {
        let of_job = library.jobs().unwrap()[0].waiting_for.clone();
        assert_eq!(library.version(video, 1).unwrap().waiting_for, of_job);
        let listed = library.video(video).unwrap().versions[0].clone();
        assert_eq!(listed.waiting_for, of_job);
        of_job.is_some_and(|sentence| sentence.contains("disk is full"))
    };
    assert!(!says());
    library.set_floor(u64::MAX);
    assert!(library.next_job(at(0)).unwrap().is_none() && says());
    library.set_floor(0);
    assert!(!says());
    let job = library.next_job(at(0)).unwrap().unwrap();
    library.set_floor(u64::MAX);
    assert!(!says());
    library.wait_for_room(&job, at(0)).unwrap();
    library.set_floor(0);
    assert!(says(), "until it runs again");
    library.next_job(at(100)).unwrap().unwrap();
    assert!(!says());
}

#[test]
fn a_job_keeps_the_loudness_that_it_was_begun_with_until_it_is_begun_anew() {
    let mut lectern = Box_::new();
    lectern.video(b"source");
    let job = lectern.library.next_job(at(0)).unwrap().unwrap();
    assert_eq!(lectern.library.loudness_of(&job, -16).unwrap(), -16);
    lectern = lectern.reopened();
    let job = lectern.library.next_job(at(1)).unwrap().unwrap();
    assert_eq!(lectern.library.loudness_of(&job, -23).unwrap(), -16);
    lectern
        .library
        .begin_anew(&job, "It cannot go on.")
        .unwrap();
    let job = lectern.library.next_job(at(2)).unwrap().unwrap();
    assert_eq!(lectern.library.loudness_of(&job, -23).unwrap(), -23);
}
