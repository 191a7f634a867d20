//! Videos, versions and captions.

use std::collections::BTreeSet;

use lectern_library::{Error, Query, TextKind, VideoPatch, Visibility};

use crate::{Box_, at, titled};

fn people(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_new_source_is_the_next_version_and_the_old_one_stays() {
    let lectern = Box_::new();
    let video = lectern.video(b"first");
    let upload = lectern.uploaded(b"second");
    let second = lectern
        .library
        .add_version(video, upload, "anna", at(1))
        .unwrap();
    assert_eq!(second, 2);
    let video = lectern.library.video(video).unwrap();
    let numbers: Vec<_> = video.versions.iter().map(|info| info.version).collect();
    assert_eq!(numbers, [2, 1]);
    assert_ne!(video.versions[0].key, video.versions[1].key);
    assert_eq!(video.version(1).unwrap().source.bytes, 5);
    assert!(video.newest_watchable().is_none());
}

#[test]
fn a_list_is_newest_first_in_pages_filtered_and_searched() {
    let lectern = Box_::new();
    let library = &lectern.library;
    for n in 0..7 {
        let upload = lectern.uploaded(format!("{n}").as_bytes());
        let title = format!(
            "Linear Algebra {n}{}",
            if n % 2 == 0 { " Übung" } else { "" }
        );
        library.create_video(titled(&title, upload), at(n)).unwrap();
    }
    let mut seen = Vec::new();
    let mut query = Query {
        limit: 3,
        ..Query::default()
    };
    loop {
        let page = library
            .videos(&query, |video| !video.title.contains('3'))
            .unwrap();
        seen.extend(
            page.videos
                .iter()
                .map(|video| video.title.chars().nth(15).unwrap()),
        );
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, ['6', '5', '4', '2', '1', '0']);
    let query = Query {
        text: " übung ALGEBRA".to_owned(),
        limit: 50,
        after: None,
    };
    assert_eq!(library.videos(&query, |_| true).unwrap().videos.len(), 4);
}

#[test]
fn whoever_loses_access_loses_the_addresses_too() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let key = || library.version(video, 1).unwrap().key;
    let patch = |visibility, names: &[&str]| {
        let patch = VideoPatch {
            visibility: Some(visibility),
            people: Some(people(names)),
            ..VideoPatch::default()
        };
        let before = key();
        library.patch_video(video, patch).unwrap();
        before != key()
    };
    assert!(!patch(Visibility::Open, &[]), "opened wider");
    assert!(patch(Visibility::Named, &["a", "b"]), "narrowed");
    assert!(!patch(Visibility::Named, &["a", "b", "c"]), "one more");
    assert!(patch(Visibility::Named, &["a", "c"]), "one less");
    assert!(patch(Visibility::Private, &["a", "c"]), "narrowed");
    assert!(
        !patch(Visibility::Private, &[]),
        "they had no access before either"
    );
    let before = key();
    library.withdraw(video).unwrap();
    assert_ne!(before, key());
}

#[test]
fn fields_that_break_a_rule_are_refused_with_a_sentence() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    for title in ["", "  ", "two\nlines", &"x".repeat(501)] {
        let patch = VideoPatch {
            title: Some(title.to_owned()),
            ..VideoPatch::default()
        };
        assert!(matches!(
            library.patch_video(video, patch),
            Err(Error::Invalid(_))
        ));
    }
    for (tag, is_valid) in [
        ("", true),
        ("de", true),
        ("zh-Hant-TW", true),
        ("es-419", true),
        ("e", false),
        ("e1", false),
        ("../x", false),
        ("de_DE", false),
        ("de-", false),
        ("-", false),
    ] {
        let patch = VideoPatch {
            language: Some(tag.to_owned()),
            ..VideoPatch::default()
        };
        assert_eq!(library.patch_video(video, patch).is_ok(), is_valid, "{tag}");
    }
}

#[test]
fn a_language_has_one_spelling() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let captions = library.texts(TextKind::Captions);
    let video = lectern.video(b"source");
    for (tag, spelt) in [
        ("EN-gb", "en-GB"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("DE-1996", "de-1996"),
        ("en-a-BB-cccc", "en-a-bb-cccc"),
    ] {
        let text = "WEBVTT".to_owned();
        captions.put(video, tag, text, "ada", at(0)).unwrap();
        let found = captions.get(video, tag, None).unwrap();
        assert_eq!(found.info.language, spelt);
        captions.remove(video, tag).unwrap();
    }
}

#[test]
fn captions_count_their_revisions_even_over_a_removal() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let captions = library.texts(TextKind::Captions);
    let video = lectern.video(b"source");
    let put = |text: &str| {
        captions
            .put(video, "de", text.to_owned(), "ada", at(0))
            .unwrap()
    };
    assert_eq!((put("one"), put("two")), (1, 2));
    assert_eq!(captions.get(video, "de", Some(1)).unwrap().vtt, "one");
    assert_eq!(captions.get(video, "de", None).unwrap().vtt, "two");
    captions.remove(video, "de").unwrap();
    assert!(captions.list(video).unwrap().is_empty());
    assert!(matches!(
        captions.get(video, "de", Some(2)),
        Err(Error::NotFound(_))
    ));
    assert_eq!(put("three"), 3);
    for n in 0..20 {
        put(&format!("{n}"));
    }
    assert!(
        captions.get(video, "de", Some(3)).is_err(),
        "old revisions end"
    );
    assert!(captions.get(video, "de", Some(9)).is_ok());
    assert_eq!(captions.list(video).unwrap().len(), 1);
    assert!(matches!(
        captions.put(video, "", String::new(), "ada", at(0)),
        Err(Error::Invalid(_))
    ));
}

#[test]
fn descriptions_stand_beside_captions_of_the_same_language() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let video = lectern.video(b"source");
    let (heard, seen) = (
        library.texts(TextKind::Captions),
        library.texts(TextKind::Descriptions),
    );
    for text in ["one", "two"] {
        heard
            .put(video, "en", text.to_owned(), "ada", at(0))
            .unwrap();
    }
    let revision = seen.put(video, "en", "A red door.".to_owned(), "ada", at(0));
    assert_eq!(revision.unwrap(), 1);
    let draft = "A red door opens.".to_owned();
    seen.save_draft(video, "en", draft, "ada", 0, at(1))
        .unwrap();
    assert_eq!(heard.draft(video, "en").unwrap(), None);
    assert_eq!(heard.get(video, "en", None).unwrap().vtt, "two");
    assert_eq!(seen.get(video, "en", None).unwrap().vtt, "A red door.");
    heard.remove(video, "en").unwrap();
    assert_eq!(seen.list(video).unwrap().len(), 1);

    library.remove_video(video).unwrap();
    assert!(seen.list(video).unwrap().is_empty());
    assert_eq!(seen.draft(video, "en").unwrap(), None);
    let missing = seen.get(video, "en", Some(1)).unwrap_err().to_string();
    assert!(missing.contains("descriptions"), "{missing}");
}

#[test]
fn a_removed_video_is_gone_with_everything_of_its_own() {
    let lectern = Box_::new();
    let library = &lectern.library;
    let captions = library.texts(TextKind::Captions);
    let video = lectern.video(b"source");
    let other = lectern.video(b"other");
    captions
        .put(video, "de", "x".to_owned(), "ada", at(0))
        .unwrap();
    let job = library.next_job(at(0)).unwrap().unwrap();
    assert_eq!(job.video, video);
    library.remove_video(video).unwrap();
    assert!(matches!(library.video(video), Err(Error::NotFound(_))));
    assert!(captions.list(video).unwrap().is_empty());
    assert!(!library.holds(job.lease));
    assert!(matches!(
        library.remove_video(video),
        Err(Error::NotFound(_))
    ));
    assert_eq!(library.next_job(at(0)).unwrap().unwrap().video, other);
}
