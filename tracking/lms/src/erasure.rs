//! Erasing people: the account here and everything that the record store has about them, in one act that is written down
//! first and finished whatever comes between.
//!
//! Who is erased loses account, sessions, tokens and registrations at once, in the transaction that writes down what is
//! still to be done; the statements follow (`lectern_lrs::erasure`). What stays is that it happened: when, who asked, the
//! person's id, which says nothing any more, and how many of what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lectern_lrs::erasure::{About, Erasure, Erasures, identifiers_of_mail};
use lectern_lrs::forward::{print_identifier, read_identifier};
use lectern_lrs::{Caller, Lrs};
use lectern_store::Tx;
use lectern_xapi::Ifi;
use uuid::Uuid;

use crate::Error;
use crate::audit::{AuditEvent, append};
use crate::lms::Lms;
use crate::people::remove;
use crate::person::{Person, PersonId};
use crate::registration::Who;
use crate::tables::AUDIT;

/// Whom an erasure is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Whom {
    /// The person here, when there is one.
    pub person: Option<Person>,
    /// Their identifiers, [`Ifi::key`].
    pub who: BTreeSet<String>,
    /// Of these, accounts that this box gave out: nothing about them is taken any more.
    refused: Vec<String>,
    /// JSON of the authorities of their own devices and tokens.
    authorities: Vec<String>,
}

impl Whom {
    /// The identifiers as somebody would type them, without those of their devices and tokens.
    #[must_use]
    pub fn identifiers(&self) -> Vec<String> {
        let of_devices = |key: &&String| {
            let name = print_identifier(key).split_once(' ');
            !name.is_some_and(|(_, name)| name.starts_with("device:") || name.starts_with("token:"))
        };
        let shown = self.who.iter().filter(of_devices);
        shown.map(|key| print_identifier(key).to_owned()).collect()
    }
}

/// Erases people. Clones are the same one.
#[derive(Clone)]
pub struct Erasing {
    pub(crate) lms: Lms,
    pub(crate) lrs: Lrs,
}

impl Erasing {
    /// Joins people and record store.
    #[must_use]
    pub fn new(lms: Lms, lrs: Lrs) -> Self {
        Self { lms, lrs }
    }

    /// That person.
    ///
    /// # Errors
    /// [`Error::NotFound`]; when the store fails.
    pub fn whom(&self, id: PersonId) -> Result<Whom, Error> {
        let person = self.lms.person(id)?;
        self.of(person.ok_or(Error::NotFound { what: "person" })?)
    }

    /// The person of this sign-in name, or whoever has this identifier (`mailto:…`, an OpenID, home page and name of an
    /// account) and perhaps no account here.
    ///
    /// # Errors
    /// [`Error::NotFound`]; when the store fails.
    pub fn whom_typed(&self, typed: &str) -> Result<Whom, Error> {
        if let Some(person) = self.lms.person_by_name(typed)? {
            return self.of(person);
        }
        let ifi = read_identifier(typed).ok_or(Error::NotFound { what: "person" })?;
        let identity = self.lms.identity()?;
        if let Ifi::Account { home_page, name } = &ifi
            && *home_page == identity
        {
            return match self.lms.who_is(name)? {
                Some(Who::Person(person)) => self.of(*person),
                // A device that nobody signed in on, or somebody who was removed before.
                _ => Ok(of_account(&identity, name)),
            };
        }
        let mut who = BTreeSet::from([ifi.key()]);
        if let Some(address) = typed.trim().strip_prefix("mailto:") {
            who.extend(identifiers_of_mail(address));
        }
        Ok(Whom {
            person: None,
            who,
            refused: Vec::new(),
            authorities: Vec::new(),
        })
    }

    pub(crate) fn of(&self, person: Person) -> Result<Whom, Error> {
        let mut whom = of_account(&self.lms.identity()?, &person.actor);
        if let Some(address) = &person.email {
            whom.who.extend(identifiers_of_mail(address));
        }
        whom.person = Some(person);
        Ok(whom)
    }

    /// What there is about them. Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn preview(&self, whom: &Whom) -> Result<About, Error> {
        Ok(self.lrs.erasures().about(&whom.who)?)
    }

    /// Begins an erasure that `by` asked for: the account is gone when this returns, the rest will be. Blocks.
    ///
    /// # Errors
    /// [`Error::LastAdmin`]; [`Error::NotFound`] when the person is gone meanwhile; when the store fails.
    pub fn begin(&self, whom: &Whom, by: &str, now: Timestamp) -> Result<Erasure, Error> {
        let id = Uuid::now_v7();
        let of = match &whom.person {
            Some(person) => person.id.to_string(),
            None => format!("erasure:{id}"),
        };
        let erasure = Erasure {
            id,
            asked: now,
            by: by.to_owned(),
            of,
            who: whom.who.clone(),
            authorities: whom.authorities.clone(),
            statements: 0,
            documents: 0,
            attachments: 0,
            upstreams: self.preview(whom)?.upstreams,
            overwritten: false,
            finished: None,
        };
        let (intent, refused) = (erasure.clone(), whom.refused.clone());
        let person = whom.person.as_ref().map(|person| person.id);
        self.lms.store.write_making_room(move |tx| {
            if let Some(person) = person {
                remove(tx, person)?;
            }
            Erasures::intend(tx, &intent, &refused)?;
            let event = AuditEvent {
                who: intent.by.clone(),
                what: "person.erase".to_owned(),
                on: Some(intent.of.clone()),
                detail: Some(format!("erasure {id}")),
            };
            append(tx, &event, now)?;
            Ok::<_, Error>(())
        })?;
        self.lrs.erasures().noticed()?;
        Ok(erasure)
    }

    /// Finishes every erasure that was begun, while `goes_on` says so; those that were finished now. Blocks.
    ///
    /// # Errors
    /// When the store fails; then it is to be called again.
    pub fn carry_out(
        &self,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Erasure>, Error> {
        let erasures = self.lrs.erasures();
        let mut finished = Vec::new();
        for pending in erasures.pending()? {
            if !erasures.carry_out(pending.id, goes_on)? {
                break;
            }
            let erasure = erasures.get(pending.id)?;
            if erasure.finished.is_none() {
                self.finish(&erasure, clock())?;
            }
            finished.push(erasures.get(pending.id)?);
        }
        Ok(finished)
    }

    /// One transaction: that it is done, in both books, and no identifier left in the audit log.
    fn finish(&self, erasure: &Erasure, now: Timestamp) -> Result<(), Error> {
        let names: Vec<String> = erasure
            .who
            .iter()
            .map(|key| print_identifier(key).to_owned())
            .collect();
        let mut naming = Vec::new();
        for row in self.lms.store.snapshot()?.range(&AUDIT, ..)? {
            let (number, entry) = row?;
            let texts = [&entry.on, &entry.detail];
            let mut texts = texts.into_iter().flatten();
            if texts.any(|text| names.iter().any(|name| text.contains(name.as_str()))) {
                naming.push(number);
            }
        }
        let erasure = erasure.clone();
        let replaced = format!("erasure:{}", erasure.id);
        self.lms.store.write_making_room(move |tx| {
            if !Erasures::finish(tx, erasure.id, now)? {
                return Ok(());
            }
            for number in &naming {
                if let Some(mut entry) = tx.get(&AUDIT, number)? {
                    for text in [&mut entry.on, &mut entry.detail].into_iter().flatten() {
                        for name in &names {
                            *text = text.replace(name.as_str(), &replaced);
                        }
                    }
                    tx.insert(&AUDIT, number, &entry)?;
                }
            }
            let event = AuditEvent {
                who: erasure.by.clone(),
                what: "person.erased".to_owned(),
                on: Some(erasure.of.clone()),
                detail: Some(told(&erasure)),
            };
            append(tx, &event, now)?;
            Ok::<_, Error>(())
        })
    }
}

/// Whoever has this account of the box, and their own devices and tokens.
fn of_account(identity: &str, actor: &str) -> Whom {
    let ifi = Ifi::account(identity.to_owned(), actor.to_owned());
    let callers = [Caller::device(bound(&ifi)), Caller::token(ifi.clone())];
    let mut who = BTreeSet::from([ifi.key()]);
    let mut authorities = Vec::new();
    for caller in callers {
        who.insert(Ifi::account(identity.to_owned(), caller.credential.clone()).key());
        authorities.push(caller.authority.to_string());
    }
    Whom {
        person: None,
        refused: who.iter().cloned().collect(),
        who,
        authorities,
    }
}

fn bound(actor: &Ifi) -> lectern_lrs::Bound {
    lectern_lrs::Bound {
        actor: actor.clone(),
        registration: None,
        activity: None,
    }
}

fn told(erasure: &Erasure) -> String {
    let Erasure {
        statements,
        documents,
        attachments,
        upstreams,
        ..
    } = erasure;
    let upstreams: Vec<&str> = upstreams.iter().map(|one| one.name.as_str()).collect();
    let mut told =
        format!("{statements} statements, {documents} documents, {attachments} attachments");
    if !upstreams.is_empty() {
        told.push_str("; upstreams: ");
        told.push_str(&upstreams.join(", "));
    }
    told
}

/// What ties tokens for watching to somebody.
pub(crate) fn forget_grants(tx: &Tx<'_>, id: PersonId, actor: &str) -> Result<(), Error> {
    use crate::tables::{ENDINGS, ENDS_MEDIA, ENDS_VIEWING, MEDIA, VIEWINGS};
    let mut gone = Vec::new();
    for row in tx.range(&VIEWINGS, ..)? {
        let (hash, grant) = row?;
        if grant.actor == actor {
            gone.push((grant.expires.as_second(), ENDS_VIEWING, hash));
        }
    }
    for row in tx.range(&MEDIA, ..)? {
        let (hash, grant) = row?;
        if grant.person == Some(id) {
            gone.push((grant.expires.as_second(), ENDS_MEDIA, hash));
        }
    }
    for ending in gone {
        match ending.1 {
            ENDS_VIEWING => tx.remove(&VIEWINGS, &ending.2)?,
            _ => tx.remove(&MEDIA, &ending.2)?,
        };
        tx.remove(&ENDINGS, &ending)?;
    }
    Ok(())
}
