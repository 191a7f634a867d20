//! Work waits for the hours that IT has set and for heat to pass, says why and until when, and goes on.

use lectern_library::{ChangeKind, Error, Hold};

use crate::{Box_, at};

fn hours() -> Hold {
    Hold {
        why: "Videos are prepared at night.".to_owned(),
        until: Some(at(9_000)),
        is_for_all: false,
    }
}

fn heat() -> Hold {
    Hold {
        why: "Too hot.".to_owned(),
        until: None,
        is_for_all: true,
    }
}

#[test]
fn what_waits_says_why_and_until_when_and_goes_on_by_itself() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    library.set_hold(Some(hours())).unwrap();
    assert!(library.next_job(at(1)).unwrap().is_none());
    assert!(!library.awaits_job(at(1)).unwrap());
    assert!(!library.awaits_first_segment(at(1)).unwrap());
    let [job] = &library.jobs().unwrap()[..] else {
        panic!("one job")
    };
    assert_eq!(
        job.waiting_for.as_deref(),
        Some("Videos are prepared at night.")
    );
    assert_eq!((job.waiting_until, job.can_hurry), (Some(at(9_000)), true));
    let info = library.version(video, 1).unwrap();
    assert_eq!(info.waiting_for, job.waiting_for);
    assert_eq!(
        (info.waiting_until, info.can_hurry),
        (Some(at(9_000)), true)
    );

    let mut changes = library.changes();
    library.set_hold(Some(hours())).unwrap();
    assert!(changes.try_recv().is_err(), "nothing has changed");
    library.set_hold(None).unwrap();
    let kinds = [(); 2].map(|()| changes.try_recv().unwrap().kind);
    assert_eq!(kinds, [ChangeKind::Video, ChangeKind::JobQueued]);
    let job = library.next_job(at(2)).unwrap().unwrap();
    assert!(library.jobs().unwrap()[0].waiting_for.is_none());
    assert!(!library.is_held(job.lease).unwrap());
}

#[test]
fn a_job_that_runs_is_held_and_goes_on_where_it_was() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let job = library.next_job(at(1)).unwrap().unwrap();
    library.set_hold(Some(hours())).unwrap();
    assert!(library.is_held(job.lease).unwrap());
    // It still runs: it does not say that it waits.
    assert!(library.jobs().unwrap()[0].waiting_for.is_none());
    library.put_back(&job).unwrap();
    assert!(library.version(video, 1).unwrap().waiting_for.is_some());
    assert!(library.next_job(at(2)).unwrap().is_none());
    library.set_hold(None).unwrap();
    assert_eq!(
        library.next_job(at(3)).unwrap().unwrap().attempt,
        job.attempt
    );
}

#[test]
fn what_somebody_wants_at_once_waits_for_heat_alone() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let (first, second) = (lectern.video(b"one"), lectern.video(b"two"));
    library.set_hold(Some(hours())).unwrap();
    assert!(matches!(library.hurry(second, 7), Err(Error::NotFound(_))));
    library.hurry(second, 1).unwrap();
    assert!(library.awaits_job(at(1)).unwrap());
    let job = library.next_job(at(1)).unwrap().unwrap();
    assert_eq!(job.video, second);
    assert!(!library.is_held(job.lease).unwrap());
    assert!(library.next_job(at(1)).unwrap().is_none());
    assert!(library.version(first, 1).unwrap().can_hurry);

    library.set_hold(Some(heat())).unwrap();
    assert!(library.is_held(job.lease).unwrap());
    library.put_back(&job).unwrap();
    assert!(library.next_job(at(2)).unwrap().is_none());
    let info = library.version(second, 1).unwrap();
    assert_eq!(info.waiting_for.as_deref(), Some("Too hot."));
    assert_eq!((info.waiting_until, info.can_hurry), (None, false));
    // Cooler, and still day: it is still wanted.
    library.set_hold(Some(hours())).unwrap();
    assert_eq!(library.next_job(at(3)).unwrap().unwrap().video, second);
}
