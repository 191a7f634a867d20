//! What IT sets and what the box notes about itself, through the public door.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{at, learner, lms};
use lectern_lms::{Error, SettingsPatch};

#[test]
fn a_change_of_settings_happens_whole_or_not_at_all() {
    let (lms, _dir) = lms();
    let before = (lms.identity().unwrap(), lms.settings().unwrap());
    let patch = |site_name: &str, identity: &str| SettingsPatch {
        site_name: Some(site_name.into()),
        identity: Some(identity.into()),
        ..SettingsPatch::default()
    };
    for wrong in [patch(" ", "https://a.example"), patch("Campus", "a b")] {
        let refused = lms.update_settings(wrong);
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
        assert_eq!((lms.identity().unwrap(), lms.settings().unwrap()), before);
    }
    lms.update_settings(patch("Campus", "https://a.example/"))
        .unwrap();
    assert_eq!(lms.identity().unwrap(), "https://a.example");
    assert_eq!(lms.settings().unwrap().site_name, "Campus");
}

#[test]
fn the_time_of_the_last_backup_is_kept() {
    let (lms, _dir) = lms();
    assert_eq!(lms.last_backup().unwrap(), None);
    for made in [at(7), at(5)] {
        lms.note_backup(made).unwrap();
        assert_eq!(lms.last_backup().unwrap(), Some(made));
    }
}

#[test]
fn whoever_revokes_tokens_is_told_how_many() {
    let (lms, _dir) = lms();
    let ada = learner(&lms, "ada");
    for _ in 0..2 {
        lms.add_api_token("ada", at(0)).unwrap();
    }
    assert_eq!(lms.revoke_api_tokens(ada.id).unwrap(), 2);
    assert_eq!(lms.revoke_api_tokens(ada.id).unwrap(), 0);
    lms.remove_person(ada.id).unwrap();
    let gone = lms.revoke_api_tokens(ada.id);
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
}
