//! What is said becomes captions: models, the queue, and whose word stands above whose.

use super::{Box_, announced, at};
use lectern_library::{Error, SpeechJob, TextKind, UploadId, VideoId};

const MARKS: &str = "[[0,80]]";

fn model(it: &Box_) -> UploadId {
    let bytes = b"a model";
    let new = announced(bytes.len() as u64);
    it.library.import(new, &mut &bytes[..], at(0)).unwrap().id
}

fn with_model() -> Box_ {
    let it = Box_::new();
    let upload = model(&it);
    it.library
        .install_speech_model(upload, "anna", "base", true, at(0))
        .unwrap();
    it
}

/// A video that is ready.
fn ready(it: &Box_, bytes: &[u8]) -> VideoId {
    let video = it.video(bytes);
    let job = it.library.next_job(at(1)).unwrap().unwrap();
    assert_eq!(job.video, video);
    let report = serde_json::Value::Null;
    it.library
        .finish_job(&job, "{}".to_owned(), report, 1_000, at(2))
        .unwrap();
    video
}

fn taken(it: &Box_, video: VideoId) -> SpeechJob {
    let job = it.library.next_speech(at(3)).unwrap().unwrap();
    assert_eq!(job.video, video);
    job
}

fn heard(it: &Box_, job: &SpeechJob, text: &str) {
    let said = Some(format!("\"{text}\""));
    it.library.keep_speech(job, "en", said, 500).unwrap();
    let vtt = Some((text.to_owned(), MARKS.to_owned()));
    it.library.finish_speech(job, vtt, at(4)).unwrap();
}

#[test]
fn a_model_is_installed_from_its_owners_upload_and_outlives_a_tidying_up() {
    let it = Box_::new();
    let upload = model(&it);
    let install = |owner: &str| {
        it.library
            .install_speech_model(upload, owner, "base", true, at(0))
    };
    assert!(matches!(install("eve"), Err(Error::NotFound("upload"))));
    assert!(matches!(
        it.library.model_file(upload, "eve", at(0)),
        Err(Error::NotFound("upload"))
    ));
    let file = it.library.model_file(upload, "anna", at(0)).unwrap();
    let hash = install("anna").unwrap();
    it.library.collect_garbage().unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), b"a model");
    let models = it.library.speech_models().unwrap();
    assert_eq!((models[0].hash, models[0].is_active), (hash, true));
    assert!(it.library.is_speech_automatic().unwrap());

    it.library.remove_speech_model(hash).unwrap();
    it.library.collect_garbage().unwrap();
    assert!(!file.path.exists());
    assert_eq!(
        it.library
            .set_speech(Some(hash), None)
            .map_err(|e| e.to_string()),
        Err("there is no such model".to_owned())
    );
}

#[test]
fn a_video_that_is_ready_gets_captions_which_say_that_a_machine_wrote_them() {
    let it = with_model();
    let video = ready(&it, b"one");
    // What waits to be prepared comes first.
    let other = it.video(b"two");
    assert!(it.library.awaits_job(at(3)).unwrap());
    let job = taken(&it, video);
    assert!(it.library.speech(video).unwrap().unwrap().is_running);
    heard(&it, &job, "hello");
    assert_eq!(it.library.speech(video).unwrap(), None);
    let captions = it
        .library
        .texts(TextKind::Captions)
        .get(video, "en", None)
        .unwrap();
    assert_eq!(captions.vtt, "hello");
    assert_eq!(
        captions.info.machine.as_deref(),
        Some("Whisper base (lecture.mp4)")
    );
    let marks = it
        .library
        .texts(TextKind::Captions)
        .marks(video, "en")
        .unwrap();
    assert_eq!(marks.as_deref(), Some(MARKS));

    // A person has read it over.
    it.library
        .texts(TextKind::Captions)
        .put(video, "en", "Hello.".to_owned(), "ada", at(5))
        .unwrap();
    assert_eq!(
        it.library.texts(TextKind::Captions).list(video).unwrap()[0].machine,
        None
    );
    let revisions = it
        .library
        .texts(TextKind::Captions)
        .revisions(video, "en")
        .unwrap();
    let by: Vec<_> = revisions
        .iter()
        .map(|r| (r.revision, r.by.as_deref()))
        .collect();
    assert_eq!(by, [(2, Some("ada")), (1, None)]);
    it.library.remove_video(other).unwrap();
}

#[test]
fn a_persons_captions_are_not_written_over_but_get_a_draft_beside_them() {
    let it = with_model();
    let video = ready(&it, b"one");
    let mine = "mine".to_owned();
    it.library
        .texts(TextKind::Captions)
        .put(video, "en", mine, "ada", at(3))
        .unwrap();
    let job = taken(&it, video);
    heard(&it, &job, "theirs");
    let captions = it
        .library
        .texts(TextKind::Captions)
        .get(video, "en", None)
        .unwrap();
    assert_eq!(captions.vtt, "mine");
    let draft = it
        .library
        .texts(TextKind::Captions)
        .draft(video, "en")
        .unwrap()
        .unwrap();
    assert_eq!(draft.vtt, "theirs");
    // Another version asks no more.
    let upload = it.uploaded(b"three");
    it.library
        .add_version(video, upload, "anna", at(5))
        .unwrap();
    let job = it.library.next_job(at(6)).unwrap().unwrap();
    it.library
        .finish_job(&job, "{}".to_owned(), serde_json::Value::Null, 1_000, at(7))
        .unwrap();
    assert_eq!(it.library.speech(video).unwrap(), None);
}

#[test]
fn what_was_heard_is_kept_over_a_restart_and_what_goes_nowhere_is_given_up() {
    let it = with_model();
    let video = ready(&it, b"one");
    let job = taken(&it, video);
    let said = Some("\"hello\"".to_owned());
    it.library.keep_speech(&job, "en", said, 90_000).unwrap();
    let it = it.reopened();
    let info = it.library.speech(video).unwrap().unwrap();
    assert!(!info.is_running);
    let job = taken(&it, video);
    assert_eq!((job.from_ms, job.language.as_str()), (90_000, "en"));
    assert_eq!(it.library.heard(&job).unwrap(), ["\"hello\""]);

    it.library.put_back_speech(&job).unwrap();
    for second in 0..3 {
        let job = it
            .library
            .next_speech(at(10 + second * 100))
            .unwrap()
            .unwrap();
        it.library
            .fail_speech(&job, "It stopped.", true, at(10 + second * 100))
            .unwrap();
    }
    assert_eq!(it.library.next_speech(at(1_000)).unwrap(), None);
    let info = it.library.speech(video).unwrap().unwrap();
    assert_eq!(info.error.as_deref(), Some("It stopped."));
    // Asked for again, it begins anew.
    it.library.ask_speech(video, Some("de"), at(1_000)).unwrap();
    let job = it.library.next_speech(at(1_000)).unwrap().unwrap();
    assert_eq!((job.from_ms, job.language.as_str()), (0, "de"));
    assert!(it.library.cancel_speech(video).unwrap());
    assert!(!it.library.wants_speech(&job).unwrap());
    let late = it.library.keep_speech(&job, "de", None, 1);
    assert!(matches!(late, Err(Error::JobGone)));
}

#[test]
fn two_people_do_not_save_over_each_other() {
    let it = Box_::new();
    let video = it.video(b"one");
    let save = |by: &str, text: &str, over| {
        let text = text.to_owned();
        it.library
            .texts(TextKind::Captions)
            .save_draft(video, "en", text, by, over, at(1))
            .unwrap()
    };
    let first = save("ada", "a", 0).unwrap();
    assert_eq!(save("bob", "b", 0), None);
    let second = save("bob", "b", first).unwrap();
    assert!(second > first);
    assert_eq!(save("ada", "c", first), None);
    let draft = it
        .library
        .texts(TextKind::Captions)
        .draft(video, "en")
        .unwrap()
        .unwrap();
    assert_eq!((draft.by.as_str(), draft.vtt.as_str()), ("bob", "b"));
    // What is approved is no draft any more.
    it.library
        .texts(TextKind::Captions)
        .put(video, "en", "b".to_owned(), "bob", at(2))
        .unwrap();
    assert_eq!(
        it.library
            .texts(TextKind::Captions)
            .draft(video, "en")
            .unwrap(),
        None
    );
}
