//! Registrations, viewings and their tokens through the public door.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{at, learner, lms};
use lectern_lms::{DeviceId, Error, NewViewing, PersonId, Viewer, Viewing, Who};

fn viewing(viewer: &Viewer, video: &str, version: u32) -> NewViewing {
    NewViewing {
        viewer: viewer.clone(),
        video: video.into(),
        activity_id: format!("https://box.lectern.invalid/videos/{video}"),
        version,
        pins: true,
        viewing_expires: at(10_000),
        media_expires: at(1_000),
    }
}

#[test]
fn a_learner_has_one_registration_a_video_on_every_device() {
    let (lms, _dir) = lms();
    let ada = Viewer::Person(learner(&lms, "ada").id);
    let bob = Viewer::Person(learner(&lms, "bob").id);
    let one = lms.registration(&ada, "v1", at(1)).unwrap();
    assert_eq!(lms.registration(&ada, "v1", at(2)).unwrap(), one);
    let other_video = lms.registration(&ada, "v2", at(1)).unwrap();
    let other_learner = lms.registration(&bob, "v1", at(1)).unwrap();
    assert_ne!(one.registration, other_video.registration);
    assert_ne!(one.registration, other_learner.registration);
    assert_eq!(one.actor, other_video.actor);
    assert_ne!(one.actor, other_learner.actor);
    assert_eq!(lms.registered(one.registration).unwrap(), Some(one));
    assert_eq!(lms.registrations(&ada).unwrap().len(), 2);
}

#[test]
fn a_learner_stays_on_the_version_they_began() {
    let (lms, _dir) = lms();
    let ada = Viewer::Person(learner(&lms, "ada").id);
    assert_eq!(
        lms.registration(&ada, "v1", at(1)).unwrap().version_pinned,
        None
    );
    lms.start_viewing(viewing(&ada, "v1", 1), at(1)).unwrap();
    assert_eq!(
        lms.registration(&ada, "v1", at(1)).unwrap().version_pinned,
        Some(1)
    );
    let look = NewViewing {
        pins: false,
        ..viewing(&ada, "v1", 2)
    };
    let looking = lms.start_viewing(look, at(1)).unwrap();
    assert_eq!(looking.registration.version_pinned, Some(1));
    lms.pin_version(&ada, "v1", 2, at(1)).unwrap();
    let found = lms.find_registration(&ada, "v1").unwrap().unwrap();
    assert_eq!(found.version_pinned, Some(2));
}

#[test]
fn a_device_keeps_its_actor_and_its_actor_does_not_tell_its_id() {
    let (lms, _dir) = lms();
    let id = DeviceId::random();
    let device = Viewer::Device(id.clone());
    let one = lms.registration(&device, "v1", at(1)).unwrap();
    let two = lms.registration(&device, "v2", at(1)).unwrap();
    assert_eq!(one.actor, two.actor);
    assert!(!one.actor.contains(id.as_str()));
    assert_eq!(lms.who_is(&one.actor).unwrap(), Some(Who::Device));
}

#[test]
fn an_actor_says_nothing_about_the_person_and_points_at_them_until_erased() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    assert_ne!(ada.actor, ada.id.0.simple().to_string());
    let Some(Who::Person(found)) = lms.who_is(&ada.actor).unwrap() else {
        panic!("the actor points at nobody");
    };
    assert_eq!(found.id, ada.id);
    let viewer = Viewer::Person(ada.id);
    let begun = lms.start_viewing(viewing(&viewer, "v1", 1), at(1)).unwrap();
    lms.remove_person(ada.id).unwrap();
    assert_eq!(lms.who_is(&ada.actor).unwrap(), None);
    assert_eq!(
        lms.registered(begun.registration.registration).unwrap(),
        None
    );
    assert_eq!(lms.viewing(&begun.viewing_token, at(2)).unwrap(), None);
    let gone = lms.registration(&viewer, "v1", at(2));
    assert!(matches!(gone, Err(Error::NotFound { .. })));
}

#[test]
fn tokens_open_what_they_were_made_for_until_they_end() {
    let (lms, _dir) = lms();
    let ada = Viewer::Person(learner(&lms, "ada").id);
    let Viewing {
        registration,
        viewing_token,
        media_token,
    } = lms.start_viewing(viewing(&ada, "v1", 3), at(0)).unwrap();
    let grant = lms.viewing(&viewing_token, at(9_999)).unwrap().unwrap();
    assert_eq!(grant.registration, registration.registration);
    assert_eq!((grant.actor, grant.version), (registration.actor, 3));
    assert!(lms.viewing(&viewing_token, at(10_000)).unwrap().is_none());
    let media = lms.media(&media_token, at(999)).unwrap().unwrap();
    assert_eq!(
        (media.video.as_str(), media.version, media.person),
        ("v1", 3, ada.person())
    );
    assert!(lms.media(&media_token, at(1_000)).unwrap().is_none());
    // One does not open what the other opens.
    assert!(lms.viewing(&media_token, at(1)).unwrap().is_none());
    assert!(lms.media(&viewing_token, at(1)).unwrap().is_none());
}

#[test]
fn what_has_ended_is_cleared_away_and_no_secret_lies_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.redb");
    let store = lectern_store::Store::open(&path, lectern_store::Options::default()).unwrap();
    let lms = lectern_lms::Lms::open(store.clone()).unwrap();
    let ada = learner(&lms, "ada");
    let viewer = Viewer::Person(ada.id);
    let device = DeviceId::random();
    lms.registration(&Viewer::Device(device.clone()), "v1", at(0))
        .unwrap();
    let mut secrets = vec![device.as_str().to_owned(), "a good password".to_owned()];
    secrets.push(lms.add_api_token("ada", at(0)).unwrap());
    for second in 0..40 {
        let now = at(second * 100_000);
        let ends = NewViewing {
            viewing_expires: at(second * 100_000 + 50),
            media_expires: at(second * 100_000 + 50),
            ..viewing(&viewer, "v1", 1)
        };
        let begun = lms.start_viewing(ends, now).unwrap();
        let session = lms.start_session(ada.id, now).unwrap();
        secrets.extend([
            begun.viewing_token,
            begun.media_token,
            session.token,
            session.csrf,
        ]);
    }
    let tables = store.check().unwrap();
    drop((lms, store));
    let bytes = std::fs::read(&path).unwrap();
    for secret in &secrets {
        let is_there = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!is_there, "{secret} lies in the file ({tables:?})");
    }
}

#[test]
fn the_identity_can_be_chosen_until_it_is_fixed() {
    let (lms, _dir) = lms();
    let default = lms.identity().unwrap();
    assert_eq!(
        default,
        format!("https://{}.lectern.invalid", lms.box_id().unwrap())
    );
    lms.set_identity("https://campus.example").unwrap();
    assert_eq!(lms.identity().unwrap(), "https://campus.example");
    assert!(!lms.is_identity_fixed().unwrap());
}

#[test]
fn who_makes_devices_by_the_thousand_is_slowed_and_others_are_not() {
    let (lms, _dir) = lms();
    let begin = |address: &str| {
        let device = Viewer::Device(DeviceId::random());
        lms.may_begin(&device, true, address.parse().unwrap(), at(0))
    };
    let begun = (0..2_000u32)
        .filter(|number| begin(&format!("2001:db8::{number:x}")).is_ok())
        .count();
    assert_eq!(begun, 600);
    assert!(begin("2001:db8:0:1::1").is_ok() && begin("192.0.2.1").is_ok());
    let ada = Viewer::Person(learner(&lms, "ada").id);
    let from = "2001:db8::1".parse().unwrap();
    let viewings = (0..200).filter(|_| lms.may_begin(&ada, true, from, at(0)).is_ok());
    assert_eq!(viewings.count(), 120);
}

#[test]
fn a_person_who_is_none_cannot_watch() {
    let (lms, _dir) = lms();
    let nobody = Viewer::Person(PersonId(uuid::Uuid::new_v4()));
    let refused = lms.start_viewing(viewing(&nobody, "v1", 1), at(0));
    assert!(matches!(refused, Err(Error::NotFound { .. })));
}
