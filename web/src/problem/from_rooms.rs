//! The rooms' errors as problems: whose fault it is decides the status; what the machine says of
//! itself (paths, tables, causes) goes to the log alone.

use lectern_lms::SignInError;
use lectern_store::Error as StoreError;

use super::{Problem, Status};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Full { .. } => full().because(&error),
            StoreError::TooLarge { .. } => Self::new(
                Status::TooLarge,
                "That is larger than the box can keep in one piece.",
            )
            .because(&error),
            StoreError::Io(_) | StoreError::Reopened | StoreError::Closed => Self::new(
                Status::Unavailable,
                "The box's disk does not answer just now. Try again in a moment.",
            )
            .retry_after(5)
            .because(&error),
            _ => Self::internal(&error),
        }
    }
}

impl From<lectern_lms::Error> for Problem {
    fn from(error: lectern_lms::Error) -> Self {
        use lectern_lms::Error as E;
        let words = sentence(&error);
        match error {
            E::Store(error) => error.into(),
            E::Records(error) => error.into(),
            E::Hashing => Self::new(Status::Unavailable, words).retry_after(5),
            E::NameTaken { .. } => Self::conflict(words).kind("name-taken", "That name is taken"),
            E::NotFound { what } => Self::not_found(what),
            E::Invalid { field, .. } => Self::new(Status::Unprocessable, words)
                .kind("invalid", "That cannot be kept as it is")
                .with("field", field),
            E::LastAdmin => Self::conflict(words).kind("last-admin", "Somebody has to run the box"),
            E::IdentityFixed => {
                Self::conflict(words).kind("identity-fixed", "The identity cannot change any more")
            }
            E::WrongSetupToken => {
                Self::forbidden(words).kind("setup-token", "The set-up link is not valid")
            }
            E::SetUpAlready => Self::conflict(words).kind("set-up-already", "The box is set up"),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let words = sentence(&error);
        match error {
            SignInError::Wrong => {
                Self::new(Status::Unauthorized, words).kind("sign-in", "Not signed in")
            }
            SignInError::Throttled { retry_after_s } => Self::new(Status::TooMany, words)
                .kind("throttled", "Too many wrong passwords")
                .retry_after(retry_after_s),
            SignInError::Disabled => {
                Self::forbidden(words).kind("account-closed", "This account is closed")
            }
            SignInError::Failed(error) => error.into(),
        }
    }
}

impl From<lectern_lrs::Error> for Problem {
    fn from(error: lectern_lrs::Error) -> Self {
        use lectern_lrs::Error as E;
        let words = sentence(&error);
        match error {
            // Comm 3.2. Bounds on parameters and settings, whose paths begin with a name, are no body's size.
            E::Invalid(invalid)
                if invalid.is_limit()
                    && (invalid.path.starts_with('$') || invalid.path == "body") =>
            {
                Self::new(Status::TooLarge, format!("{invalid}."))
            }
            // It begins with a path or a parameter's name, whose case counts.
            E::Invalid(invalid) => Self::bad_request(format!("{invalid}.")),
            E::Conflict(_) => Self::conflict(words),
            E::Forbidden(_) => Self::forbidden(words),
            E::TooLarge(_) => Self::new(Status::TooLarge, words),
            E::PreconditionFailed(_) => Self::new(Status::PreconditionFailed, words),
            E::NotFound(_) => Self::new(Status::NotFound, words),
            E::Sealing(_) => Self::internal(words),
            E::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<lectern_lrs::evidence::Error> for Problem {
    fn from(error: lectern_lrs::evidence::Error) -> Self {
        use lectern_lrs::evidence::Error as E;
        match error {
            E::NoKey => Self::conflict(E::NoKey.to_string()),
            E::Lrs(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<lectern_library::Error> for Problem {
    fn from(error: lectern_library::Error) -> Self {
        use lectern_library::Error as E;
        if error.is_full() {
            return full().because(&error);
        }
        let words = sentence(&error);
        match error {
            E::NotFound(what) => Self::not_found(what),
            E::WrongOffset { at, .. } => Self::conflict(words).with("offset", at),
            E::TooManyBytes { .. } | E::TooLarge { .. } => Self::new(Status::TooLarge, words),
            E::Incomplete { .. } | E::Busy | E::WrongState(_) | E::JobGone => Self::conflict(words),
            E::Invalid(_) => Self::new(Status::Unprocessable, words)
                .kind("invalid", "That cannot be kept as it is"),
            E::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

fn full() -> Problem {
    Problem::new(
        Status::Full,
        "The box's disk is full, so nothing was changed. Delete what is no longer needed, or ask whoever runs the box.",
    )
}

/// The rooms write clauses; a person reads a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_507_wherever_it_was_found() {
        let store = || StoreError::Full {
            free_bytes: 1,
            reserve_bytes: 2,
        };
        let all = [
            Problem::from(store()),
            lectern_lms::Error::from(store()).into(),
            lectern_lrs::Error::from(store()).into(),
            lectern_library::Error::from(store()).into(),
            lectern_library::Error::NoRoom {
                needed: 2,
                available: 1,
            }
            .into(),
        ];
        for problem in all {
            assert_eq!(problem.status(), Status::Full);
        }
    }

    #[test]
    fn what_the_rooms_say_of_a_caller_becomes_a_sentence() {
        let problem = Problem::from(lectern_lms::Error::NameTaken { name: "ada".into() });
        assert_eq!(
            (problem.status(), problem.detail()),
            (Status::Conflict, "The name ada is taken.")
        );
    }

    #[test]
    fn paths_of_the_machine_stay_inside() {
        let error = StoreError::InUse("/var/lib/lectern/records.redb".into());
        assert!(!Problem::from(error).document().to_string().contains("/var"));
    }
}
