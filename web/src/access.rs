//! Who may watch, edit, and look into a video. One place, so that the API, the media routes and the
//! events cannot disagree. Pure.

use lectern_library::{Video, Visibility};
use lectern_lms::{Person, Role};

/// Whether this person (`None`: a device that nobody signed in on) may watch it.
pub fn may_watch(video: &Video, person: Option<&Person>) -> bool {
    let Some(person) = person else {
        return video.visibility == Visibility::Open;
    };
    let id = person.id.to_string();
    video.owner == id
        || match video.visibility {
            Visibility::Private => false,
            Visibility::Named => video.people.contains(&id),
            Visibility::Members | Visibility::Open => true,
        }
}

/// Whether they may change it: its owner while they are staff, and whoever runs the box.
pub fn may_edit(video: &Video, person: Option<&Person>) -> bool {
    person.is_some_and(|person| {
        person.is(Role::Admin)
            || (person.is(Role::Instructor) && video.owner == person.id.to_string())
    })
}

/// Whether they may know that it exists.
pub fn may_see(video: &Video, person: Option<&Person>) -> bool {
    may_watch(video, person)
        || may_edit(video, person)
        || person.is_some_and(|person| person.is(Role::Auditor))
}

/// Whether they may read how often each second was watched: figures that point at nobody.
pub fn may_see_figures(video: &Video, person: Option<&Person>) -> bool {
    const FIGURES: [Role; 3] = [Role::Instructor, Role::Auditor, Role::Admin];
    may_see(video, person)
        && person.is_some_and(|person| FIGURES.iter().any(|role| person.is(*role)))
}

/// Whether they may read individuals' records: instructors of what they may watch, and auditors.
/// An administrator only when also one of these.
pub fn may_see_who(video: &Video, person: Option<&Person>) -> bool {
    person.is_some_and(|person| {
        person.is(Role::Auditor) || (person.is(Role::Instructor) && may_watch(video, Some(person)))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use lectern_library::VideoId;
    use lectern_lms::PersonId;
    use uuid::Uuid;

    use super::*;

    fn person(number: u128, roles: &[Role]) -> Person {
        Person {
            id: PersonId(Uuid::from_u128(number)),
            name: String::new(),
            display_name: String::new(),
            email: None,
            roles: roles.iter().copied().collect(),
            actor: String::new(),
            disabled: false,
            created: Timestamp::UNIX_EPOCH,
            last_seen: None,
            has_password: true,
        }
    }

    fn video(visibility: Visibility) -> Video {
        Video {
            id: VideoId(Uuid::nil()),
            title: String::new(),
            language: String::new(),
            visibility,
            owner: Uuid::from_u128(1).to_string(),
            people: BTreeSet::from([Uuid::from_u128(2).to_string()]),
            created: Timestamp::UNIX_EPOCH,
            versions: Vec::new(),
        }
    }

    #[test]
    fn each_visibility_opens_to_those_it_names_and_no_others() {
        let owner = person(1, &[Role::Instructor]);
        let named = person(2, &[Role::Learner]);
        let other = person(
            3,
            &[Role::Learner, Role::Instructor, Role::Admin, Role::Auditor],
        );
        let rows = [
            (Visibility::Private, [true, false, false, false]),
            (Visibility::Named, [true, true, false, false]),
            (Visibility::Members, [true, true, true, false]),
            (Visibility::Open, [true, true, true, true]),
        ];
        for (visibility, expected) in rows {
            let video = video(visibility);
            let found = [Some(&owner), Some(&named), Some(&other), None]
                .map(|person| may_watch(&video, person));
            assert_eq!(found, expected, "{visibility:?}");
        }
    }

    #[test]
    fn an_administrator_changes_everything_and_sees_no_individual() {
        let admin = person(9, &[Role::Admin]);
        for visibility in [Visibility::Private, Visibility::Members, Visibility::Open] {
            let video = video(visibility);
            assert!(may_edit(&video, Some(&admin)) && may_see_figures(&video, Some(&admin)));
            assert!(!may_see_who(&video, Some(&admin)));
        }
    }

    #[test]
    fn learners_neither_change_nor_look_into_what_they_watch() {
        let learner = person(2, &[Role::Learner]);
        let video = video(Visibility::Members);
        assert!(!may_edit(&video, Some(&learner)) && !may_see_who(&video, Some(&learner)));
        assert!(!may_see_figures(&video, Some(&learner)));
    }
}
