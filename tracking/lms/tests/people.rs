//! People, sign-in, set-up and import through the public door.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{at, learner, lms, new};
use lectern_lms::{
    AuditEvent, Error, Lms, NewPerson, PersonPatch, Role, SettingsPatch, SignInError, Whose,
};
use lectern_store::testing::CrashDisk;
use lectern_store::{Options, Store};
use std::collections::BTreeSet;

#[test]
fn a_name_belongs_to_one_person_whatever_its_case() {
    let (lms, _dir) = lms();
    lms.add_person(&new("Ada", &[Role::Learner]), at(1))
        .unwrap();
    let again = lms.add_person(&new("aDA", &[]), at(2));
    assert!(matches!(again, Err(Error::NameTaken { .. })), "{again:?}");
    assert_eq!(lms.person_by_name(" ADA ").unwrap().unwrap().name, "Ada");
}

#[test]
fn a_new_name_frees_the_old_one() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    let patch = PersonPatch {
        name: Some("countess".into()),
        ..PersonPatch::default()
    };
    lms.update_person(ada.id, patch).unwrap();
    assert!(lms.person_by_name("ada").unwrap().is_none());
    learner(&lms, "ada");
}

#[test]
fn sign_in_takes_the_right_password_of_an_open_account_only() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    let sign_in = |password: &str| lms.verify_password("Ada", password, None, at(5));
    assert_eq!(sign_in("a good password").unwrap().id, ada.id);
    assert!(matches!(sign_in("a bad password"), Err(SignInError::Wrong)));
    let nobody = lms.verify_password("nobody", "a good password", None, at(5));
    assert!(matches!(nobody, Err(SignInError::Wrong)));
    let close = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    lms.update_person(ada.id, close).unwrap();
    assert!(matches!(
        sign_in("a good password"),
        Err(SignInError::Disabled)
    ));
    assert!(matches!(sign_in("a bad password"), Err(SignInError::Wrong)));
}

#[test]
fn who_guesses_waits_even_with_the_right_password() {
    let (lms, _dir) = lms();
    learner(&lms, "ada");
    let from = Some("192.0.2.7".parse().unwrap());
    for _ in 0..5 {
        let wrong = lms.verify_password("ada", "wrong wrong", from, at(100));
        assert!(matches!(wrong, Err(SignInError::Wrong)));
    }
    let right = lms.verify_password("ada", "a good password", from, at(100));
    assert!(
        matches!(right, Err(SignInError::Throttled { retry_after_s: 1 })),
        "{right:?}"
    );
    assert!(
        lms.verify_password("ada", "a good password", from, at(101))
            .is_ok()
    );
}

#[test]
fn a_session_ends_by_time_by_sign_out_by_closing_and_by_a_new_password() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    let start = || lms.start_session(ada.id, at(0)).unwrap();
    let is_good = |token: &str, second| lms.session(token, at(second)).unwrap().is_some();

    let one = start();
    assert_eq!(
        lms.session(&one.token, at(1)).unwrap().unwrap().csrf,
        one.csrf
    );
    assert_ne!(one.csrf, one.token);
    assert!(is_good(&one.token, 14 * 86_400 - 1));
    assert!(!is_good(&one.token, 14 * 86_400));
    lms.end_session(&one.token).unwrap();
    assert!(!is_good(&one.token, 1));

    let (kept, other) = (start(), start());
    lms.set_password(ada.id, "another password", Some(&kept.token))
        .unwrap();
    assert!(is_good(&kept.token, 1) && !is_good(&other.token, 1));
    let close = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    lms.update_person(ada.id, close).unwrap();
    assert!(!is_good(&kept.token, 1));
}

#[test]
fn sessions_of_one_person_are_bounded() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    let sessions: Vec<_> = (0..25)
        .map(|second| lms.start_session(ada.id, at(second)).unwrap())
        .collect();
    let good = sessions
        .iter()
        .filter(|session| lms.session(&session.token, at(30)).unwrap().is_some())
        .count();
    assert_eq!(good, 20);
    assert!(lms.session(&sessions[24].token, at(30)).unwrap().is_some());
}

#[test]
fn an_api_token_is_its_persons_until_revoked() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    let token = lms.add_api_token("ADA", at(0)).unwrap();
    assert_eq!(lms.api_token(&token).unwrap().unwrap().id, ada.id);
    for wrong in ["", "lectern_", &token[1..], &format!("{token}x")] {
        assert!(lms.api_token(wrong).unwrap().is_none(), "{wrong}");
    }
    lms.revoke_api_tokens(ada.id).unwrap();
    assert!(lms.api_token(&token).unwrap().is_none());
    let nobody = lms.add_api_token("nobody", at(0));
    assert!(matches!(nobody, Err(Error::NotFound { .. })));
}

#[test]
fn the_last_admin_cannot_go() {
    let (lms, _dir) = lms();
    let root = lms.add_person(&new("root", &[Role::Admin]), at(0)).unwrap();
    let no_roles = PersonPatch {
        roles: Some(BTreeSet::new()),
        ..PersonPatch::default()
    };
    let closed = PersonPatch {
        disabled: Some(true),
        ..PersonPatch::default()
    };
    for patch in [no_roles.clone(), closed] {
        assert!(matches!(
            lms.update_person(root.id, patch),
            Err(Error::LastAdmin)
        ));
    }
    assert!(matches!(lms.remove_person(root.id), Err(Error::LastAdmin)));
    lms.add_person(&new("other", &[Role::Admin]), at(0))
        .unwrap();
    lms.update_person(root.id, no_roles).unwrap();
    lms.remove_person(root.id).unwrap();
}

#[test]
fn set_up_happens_once_and_with_the_printed_token_only() {
    let (lms, _dir) = lms();
    let token = lms.setup_token().unwrap().unwrap();
    let admin = || NewPerson {
        password: Some("a good password".into()),
        ..new("root", &[])
    };
    let wrong = lms.complete_setup("guess", admin(), None, None, at(0));
    assert!(matches!(wrong, Err(Error::WrongSetupToken)));
    let weak = NewPerson {
        password: Some("short".into()),
        ..admin()
    };
    assert!(lms.complete_setup(&token, weak, None, None, at(0)).is_err());
    assert!(lms.needs_setup().unwrap());
    let made = lms
        .complete_setup(
            &token,
            admin(),
            Some("Campus".into()),
            Some("https://campus.example/"),
            at(0),
        )
        .unwrap();
    assert!(made.is(Role::Admin));
    assert_eq!(lms.settings().unwrap().site_name, "Campus");
    assert_eq!(lms.identity().unwrap(), "https://campus.example");
    assert_eq!(lms.setup_token().unwrap(), None);
    let other = NewPerson {
        name: "other".into(),
        ..admin()
    };
    let again = lms.complete_setup(&token, other, None, None, at(0));
    assert!(matches!(again, Err(Error::SetUpAlready)));
}

#[test]
fn people_are_found_and_paged_by_name() {
    let (lms, _dir) = lms();
    for name in ["carol", "Ada", "bob", "adam"] {
        lms.add_person(&new(name, &[]), at(0)).unwrap();
    }
    let names = |query: &str, cursor: Option<&str>, limit| {
        let page = lms.people(query, cursor, limit).unwrap();
        let names: Vec<String> = page.items.into_iter().map(|person| person.name).collect();
        (names, page.next)
    };
    let (first, next) = names("", None, 3);
    assert_eq!(first, ["Ada", "adam", "bob"]);
    assert_eq!(
        names("", next.as_deref(), 3),
        (vec!["carol".to_owned()], None)
    );
    assert_eq!(names("AD", None, 10).0, ["Ada", "adam"]);
}

#[test]
fn an_import_takes_good_rows_and_names_bad_lines() {
    let (lms, _dir) = lms();
    let csv = "\u{feff}Name;Role;Email;Display name\r\n\
        ada;instructor;ada@example.org;\"Ada; Countess\"\r\n\
        \r\n\
        b ob;learner;;\r\n\
        carol;queen;;\r\n\
        dan;learner + auditor;;Dan\r\n\
        ADA;;;\r\n\
        eve;;no mail;\r\n\
        fay;;;;;\r\n";
    let report = lms.import_people(csv.as_bytes(), at(0)).unwrap();
    let lines: Vec<u64> = report.errors.iter().map(|error| error.line).collect();
    assert_eq!(
        (report.added, report.updated),
        (2, 0),
        "{:?}",
        report.errors
    );
    assert_eq!(lines, [4, 5, 7, 8, 9], "{:?}", report.errors);
    let ada = lms.person_by_name("ada").unwrap().unwrap();
    assert_eq!(ada.display_name, "Ada; Countess");
    assert!(ada.is(Role::Instructor));
    let dan = lms.person_by_name("dan").unwrap().unwrap();
    assert!(dan.is(Role::Learner) && dan.is(Role::Auditor));

    let again = "name,display_name,password\nada,,a good password\n";
    let report = lms.import_people(again.as_bytes(), at(1)).unwrap();
    assert_eq!((report.added, report.updated), (0, 1));
    let ada = lms.person_by_name("ada").unwrap().unwrap();
    assert_eq!(
        (ada.display_name.as_str(), ada.is(Role::Instructor)),
        ("Ada; Countess", true)
    );
    assert!(
        lms.verify_password("ada", "a good password", None, at(2))
            .is_ok()
    );
}

#[test]
fn a_file_that_is_no_csv_of_people_is_answered_with_one_sentence() {
    let (lms, _dir) = lms();
    let cases: [&[u8]; 6] = [
        b"",
        b"first,second\n1,2\n",
        b"name,name\na,b\n",
        b"name\nada\nb\xe4rbel\n",
        b"display_name\nAda\n",
        &[0xff; 300],
    ];
    for csv in cases {
        let report = lms.import_people(csv, at(0)).unwrap();
        assert_eq!((report.added, report.errors.len()), (0, 1), "{csv:?}");
    }
    let latin = lms.import_people(cases[3], at(0)).unwrap();
    assert_eq!(latin.errors[0].line, 3);
}

#[test]
fn an_import_cannot_take_the_last_admin_away() {
    let (lms, _dir) = lms();
    lms.add_person(&new("root", &[Role::Admin]), at(0)).unwrap();
    let report = lms
        .import_people(b"name,role\nroot,learner\nada,learner\n", at(0))
        .unwrap();
    assert_eq!((report.added, report.errors.len()), (1, 1));
    assert!(lms.person_by_name("root").unwrap().unwrap().is(Role::Admin));
}

#[test]
fn the_audit_log_only_grows_and_is_read_newest_first() {
    let (lms, _dir) = lms();
    for number in 1..=5 {
        let event = AuditEvent {
            who: "box".into(),
            what: format!("thing.{number}"),
            detail: Some("ä".repeat(1000)),
            ..AuditEvent::default()
        };
        lms.audit(event, at(number)).unwrap();
    }
    let page = lms.audit_list(None, 3).unwrap();
    let numbers: Vec<u64> = page.items.iter().map(|entry| entry.number).collect();
    assert_eq!((numbers, page.next), (vec![5, 4, 3], Some(3)));
    let rest = lms.audit_list(page.next, 3).unwrap();
    let numbers: Vec<u64> = rest.items.iter().map(|entry| entry.number).collect();
    assert_eq!((numbers, rest.next), (vec![2, 1], None));
    assert_eq!(rest.items[0].detail.as_ref().unwrap().len(), 500);
}

#[test]
fn reading_anothers_record_is_written_down_once_in_ten_minutes() {
    let (lms, _dir) = lms();
    let (ines, ada, bob) = (
        learner(&lms, "ines"),
        learner(&lms, "ada"),
        learner(&lms, "bob"),
    );
    let read = |people: &[&lectern_lms::Person], second| {
        let mut whose: BTreeSet<Whose> = people.iter().map(|it| Whose::Person(it.id)).collect();
        whose.insert(Whose::Actor("mbox mailto:eve@example.org".to_owned()));
        lms.audit_reading(ines.id, "video 1", whose, at(second))
            .unwrap();
        lms.audit_list(None, 100).unwrap().items.len()
    };
    assert_eq!(read(&[&ada, &ines], 1_000), 2);
    assert_eq!(read(&[&ada, &bob], 1_500), 3);
    assert_eq!(read(&[&ada, &bob], 1_599), 3);
    assert_eq!(read(&[&ada], 1_601), 5);
    let newest = lms.audit_list(None, 2).unwrap().items;
    let on = |index: usize| newest[index].on.clone().unwrap();
    assert_eq!(newest[0].what, "record.read");
    assert_eq!(newest[0].detail.as_deref(), Some("video 1"));
    assert_eq!(
        (on(0), on(1)),
        ("mbox mailto:eve@example.org".to_owned(), ada.id.to_string())
    );
}

#[test]
fn what_is_kept_to_know_a_reading_again_does_not_grow_with_the_years() {
    let dir = tempfile::tempdir().unwrap();
    let options = lectern_store::Options::default();
    let store = lectern_store::Store::open(&dir.path().join("records.redb"), options).unwrap();
    let lms = lectern_lms::Lms::open(store.clone()).unwrap();
    for round in 0..300 {
        let reading = lectern_lms::Reading {
            on: format!("person {round}"),
            resource: "xapi/statements".to_owned(),
            filters: String::new(),
        };
        let now = at(1_000 + round * 100);
        let readings = vec![reading.clone(), reading];
        lms.audit_readings("credential:a", readings, now).unwrap();
    }
    lms.settle().unwrap();
    let recent: lectern_store::Table<[u8; 32], u64> =
        lectern_store::Table::new("lms.recent_readings");
    let kept = store
        .snapshot()
        .unwrap()
        .range(&recent, ..)
        .unwrap()
        .count();
    assert!(
        (6..=8).contains(&kept),
        "{kept} for ten minutes of a hundred seconds each"
    );
    assert_eq!(lms.audit_list(None, 500).unwrap().items.len(), 300);
}

#[test]
fn settings_are_kept() {
    let (lms, _dir) = lms();
    let patch: SettingsPatch = SettingsPatch {
        site_name: Some("Campus".into()),
        ..SettingsPatch::default()
    };
    lms.update_settings(patch).unwrap();
    assert_eq!(lms.settings().unwrap().site_name, "Campus");
}

#[test]
fn who_makes_room_on_a_full_disk_can_sign_in_and_what_they_remove_is_written_down() {
    let disk = CrashDisk::new();
    let options = Options::default();
    let lms = Lms::open(Store::open_on(Box::new(disk.clone()), options).unwrap()).unwrap();
    let admin = lms.add_person(&new("ada", &[Role::Admin]), at(0)).unwrap();
    let learner = learner(&lms, "bob");
    disk.set_free_bytes(options.reserve_bytes);
    assert!(
        lms.add_person(&new("eve", &[Role::Learner]), at(1))
            .is_err()
    );
    let session = lms.start_session(admin.id, at(1)).unwrap();
    assert!(lms.session(&session.token, at(2)).unwrap().is_some());
    lms.remove_person(learner.id).unwrap();
    let event = AuditEvent {
        who: admin.id.to_string(),
        what: "person.remove".into(),
        on: Some(learner.id.to_string()),
        detail: None,
    };
    lms.audit(event, at(2)).unwrap();
    assert_eq!(
        lms.audit_list(None, 1).unwrap().items[0].what,
        "person.remove"
    );
}

#[test]
fn whom_somebody_types_is_found_and_shown_as_it_was_typed() {
    let (lms, _folder) = common::lms();
    let ada = common::learner(&lms, "ada");
    let home = lms.identity().unwrap();
    let read = |typed: &str| lms.read_identifier(typed).unwrap().key();
    assert_eq!(read("ada"), format!("account {home} {}", ada.actor));
    assert_eq!(read("nobody"), format!("account {home} nobody"));
    assert_eq!(read("mailto:a@a.example"), "mbox mailto:a@a.example");
    for typed in ["ada", "mailto:a@a.example", "https://a.example 17"] {
        assert_eq!(lms.print_identifier(&read(typed)).unwrap(), typed);
    }
    assert_eq!(
        lms.print_identifier(&read("nobody")).unwrap(),
        format!("{home} nobody")
    );
    assert!(lms.read_identifier(" ").is_err());
}

#[test]
fn a_table_of_identities_is_read_or_refused_by_its_row() {
    let (lms, _folder) = common::lms();
    common::learner(&lms, "ada");
    let good = [
        ("ada", "mailto:ada@uni.example"),
        ("https://a.example 17", "https://uni.example 4711"),
    ];
    let table = lms.read_identities(good.into_iter()).unwrap();
    assert_eq!(table.len(), 2);
    let key = lms.read_identifier("ada").unwrap().key();
    assert_eq!(table[&key].key(), "mbox mailto:ada@uni.example");
    for bad in [("", "mailto:a@a"), ("bob", "4711"), ("ADA", "mailto:a@a")] {
        let rows = good.into_iter().chain([bad]);
        let refused = lms.read_identities(rows).unwrap_err().to_string();
        assert!(refused.contains("row 3"), "{refused}");
    }
}
