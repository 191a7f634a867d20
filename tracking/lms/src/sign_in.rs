//! Checking a password, slowly for those who guess.

use crate::lms::Lms;
use crate::person::{Person, folded};
use crate::tables::{NAMES, PASSWORDS, PEOPLE};
use crate::{Error, SignInError, password};
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::PoisonError;

impl Lms {
    /// Whose name and password these are. Takes some 30 ms, also for a name that nobody has. `address` is where it comes
    /// from, for the throttle; `None` from the box itself.
    ///
    /// # Errors
    /// [`SignInError`].
    pub fn verify_password(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Person, SignInError> {
        let folded: String = folded(name).chars().take(100).collect();
        let throttle = || {
            self.memory
                .throttle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(retry_after_s) = throttle().wait_s(&folded, address, now) {
            return Err(SignInError::Throttled { retry_after_s });
        }
        let (person, phc) = self.find(&folded)?;
        let is_right = password::is_right(password, phc.as_deref());
        let Some(person) = person.filter(|_| is_right) else {
            throttle().was_wrong(&folded, address, now);
            return Err(SignInError::Wrong);
        };
        throttle().was_right(&folded, address);
        if person.disabled {
            return Err(SignInError::Disabled);
        }
        Ok(person)
    }

    fn find(&self, folded: &String) -> Result<(Option<Person>, Option<String>), Error> {
        let snapshot = self.store.snapshot()?;
        let Some(id) = snapshot.get(&NAMES, folded)? else {
            return Ok((None, None));
        };
        Ok((
            snapshot.get(&PEOPLE, &id.person)?,
            snapshot.get(&PASSWORDS, &id.person)?,
        ))
    }
}
