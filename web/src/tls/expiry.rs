//! When the box's certificates end, for whoever looks without serving (`lecternd doctor`): nothing is made or changed.

use std::path::Path;

use jiff::Timestamp;

use super::Error;
use super::authority::{NOTE, Note, read_note};

/// The ends of both certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Of the box's authority
    pub authority: Timestamp,
    /// Of the server's certificate, once one was made
    pub server: Option<Timestamp>,
}

impl Expiry {
    /// What the folder `tls/` notes; `None` where no authority was ever made.
    ///
    /// # Errors
    /// The folder cannot be read, or holds something else.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        if !folder.join(NOTE).exists() {
            return Ok(None);
        }
        let Note { ca_expires, server } = read_note(folder)?;
        Ok(Some(Self {
            authority: ca_expires,
            server: server.map(|server| server.expires),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Authority, Names};
    use super::*;

    #[test]
    fn the_ends_are_read_without_making_anything() {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        assert_eq!(Expiry::read(&tls).unwrap(), None);
        assert!(!tls.exists());
        let now: Timestamp = "2026-11-23T18:30:00Z".parse().unwrap();
        let mut authority = Authority::open(&tls, now).unwrap();
        let ends = |authority: &Authority| Expiry {
            authority: authority.ca_expires(),
            server: authority.server_expires(),
        };
        assert_eq!(Expiry::read(&tls).unwrap(), Some(ends(&authority)));
        authority.server(&Names::default(), now).unwrap();
        let read = Expiry::read(&tls).unwrap();
        assert_eq!(read, Some(ends(&authority)));
        assert!(read.unwrap().server.is_some());
    }
}
