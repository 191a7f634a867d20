//! What can go wrong in this room. Free of HTTP; `is_callers_fault` tells the edge which way to answer.

use lectern_store::Error as StoreError;

/// An operation did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record store refused or failed.
    #[error(transparent)]
    Records(#[from] lectern_lrs::Error),
    /// Somebody has that sign-in name already.
    #[error("the name {name} is taken")]
    NameTaken {
        /// The name asked for.
        name: String,
    },
    /// No such thing.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for: `person`, `registration`.
        what: &'static str,
    },
    /// A value that cannot be.
    #[error("{field}: {message}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it, for a person.
        message: String,
    },
    /// The box would be left without anybody who may run it.
    #[error("this is the last person who may run the box: make somebody else admin first")]
    LastAdmin,
    /// Statements carry the identity already.
    #[error("the identity is fixed: statements that carry it are stored")]
    IdentityFixed,
    /// The set-up link's token is not the one this box printed.
    #[error("this set-up link is not valid: use the one that the box printed when it started")]
    WrongSetupToken,
    /// Set-up is done once.
    #[error("this box is set up already: sign in")]
    SetUpAlready,
    /// argon2 failed: out of memory.
    #[error("the password could not be hashed: the box is out of memory, try again")]
    Hashing,
}

impl Error {
    /// Whether what was asked is at fault, not the box.
    #[must_use]
    pub fn is_callers_fault(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Records(_) | Self::Hashing)
    }
}

/// Why a sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or password is wrong; which of them is not said.
    #[error("name or password is not right")]
    Wrong,
    /// Too many wrong ones: the password was not even looked at.
    #[error("too many wrong passwords: wait {retry_after_s} s")]
    Throttled {
        /// Seconds until it is worth trying again.
        retry_after_s: u64,
    },
    /// The password is right and the account is closed.
    #[error("this account is closed: ask the people who run this box")]
    Disabled,
    /// The box failed.
    #[error(transparent)]
    Failed(#[from] Error),
}
