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
use crate::tables::{AUDIT, PEOPLE};

/// Begin the names that the box gives to what sends statements, in its own accounts.
const OWN_NAMES: [&str; 3] = ["credential:", "device:", "token:"];

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
    /// Their mail address, when somebody else here has it, too: what is said under it stays.
    pub shared: Option<String>,
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
            if OWN_NAMES.iter().any(|own| name.starts_with(own)) {
                return Err(Error::Invalid {
                    field: "name",
                    message: format!(
                        "{name} is no person but what somebody sends statements with: name the person"
                    ),
                });
            }
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
            shared: None,
        })
    }

    fn of(&self, person: Person) -> Result<Whom, Error> {
        let shared = self.shared_addresses()?;
        Ok(whom_of(&self.lms.identity()?, &shared, person))
    }

    /// Mail addresses that more than one person here has, case folded.
    pub(crate) fn shared_addresses(&self) -> Result<BTreeSet<String>, Error> {
        let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for row in self.lms.store.snapshot()?.range(&PEOPLE, ..)? {
            let address = row?.1.email.map(|address| address.to_lowercase());
            shared.extend(address.filter(|address| !seen.insert(address.clone())));
        }
        Ok(shared)
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

    /// Finishes every erasure that was begun, while `goes_on` says so; those that were finished now. One that fails holds up
    /// no other. Blocks.
    ///
    /// # Errors
    /// The first failure, when all others were tried; then it is to be called again.
    pub fn carry_out(
        &self,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Erasure>, Error> {
        let erasures = self.lrs.erasures();
        let mut finished = Vec::new();
        let mut failed = None;
        for pending in erasures.pending()? {
            match self.carry_out_one(pending.id, clock, goes_on) {
                Ok(true) => finished.push(erasures.get(pending.id)?),
                Ok(false) => break,
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(finished),
        }
    }

    /// First what is known of them goes, then what was written down to find it, then what the files still hold of both.
    fn carry_out_one(
        &self,
        id: Uuid,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        let erasures = self.lrs.erasures();
        if !erasures.carry_out(id, goes_on)? {
            return Ok(false);
        }
        let erasure = erasures.get(id)?;
        if erasure.finished.is_some() {
            return Ok(true);
        }
        self.conceal(&erasure)?;
        self.lms.memory.notes.scrub()?;
        if !erasures.overwrite(id, goes_on)? {
            return Ok(false);
        }
        self.finish(&erasures.get(id)?, clock())?;
        Ok(true)
    }

    /// One transaction: no identifier is left in the audit log, nor in the erasure.
    fn conceal(&self, erasure: &Erasure) -> Result<(), Error> {
        // Readings that were noted lately are in the table then.
        self.lms.settle()?;
        let names: Vec<String> = erasure
            .who
            .iter()
            .map(|key| print_identifier(key).to_owned())
            .collect();
        let replaced = format!("erasure:{}", erasure.id);
        let mut naming = Vec::new();
        for row in self.lms.store.snapshot()?.range(&AUDIT, ..)? {
            let (number, entry) = row?;
            let texts = [&entry.on, &entry.detail];
            let mut texts = texts.into_iter().flatten();
            if texts.any(|text| without(text, &names, &replaced) != *text) {
                naming.push(number);
            }
        }
        let id = erasure.id;
        self.lms.store.write_making_room(move |tx| {
            for number in &naming {
                if let Some(mut entry) = tx.get(&AUDIT, number)? {
                    for text in [&mut entry.on, &mut entry.detail].into_iter().flatten() {
                        *text = without(text, &names, &replaced);
                    }
                    tx.insert(&AUDIT, number, &entry)?;
                }
            }
            Erasures::conceal(tx, id)?;
            Ok::<_, Error>(())
        })
    }

    /// One transaction: that it is done, in both books.
    fn finish(&self, erasure: &Erasure, now: Timestamp) -> Result<(), Error> {
        let erasure = erasure.clone();
        self.lms.store.write_making_room(move |tx| {
            if !Erasures::finish(tx, erasure.id, now)? {
                return Ok(());
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

/// The text with something else in place of each of these names, where they stand alone: a name that is part of another
/// (`ann@x.org` of `joann@x.org`) is left.
fn without(text: &str, names: &[String], replaced: &str) -> String {
    let mut text = text.to_owned();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(name.as_str())) {
            let (start, end) = (from + at, from + at + name.len());
            let is_apart = |letter: Option<char>| {
                letter.is_none_or(|letter| {
                    letter.is_whitespace() || "\"'`,;()[]{}<>|=".contains(letter)
                })
            };
            let before = text
                .get(..start)
                .and_then(|before| before.chars().next_back());
            let behind = text.get(end..).and_then(|behind| behind.chars().next());
            if is_apart(before) && is_apart(behind) {
                text.replace_range(start..end, replaced);
                from = start + replaced.len();
            } else {
                from = end;
            }
        }
    }
    text
}

/// All that a person is known by, but an address that is not theirs alone.
pub(crate) fn whom_of(identity: &str, shared: &BTreeSet<String>, person: Person) -> Whom {
    let mut whom = of_account(identity, &person.actor);
    if let Some(address) = &person.email {
        if shared.contains(&address.to_lowercase()) {
            whom.shared = Some(address.clone());
        } else {
            whom.who.extend(identifiers_of_mail(address));
            // As people write it, and as most systems keep it.
            whom.who
                .extend(identifiers_of_mail(&address.to_lowercase()));
        }
    }
    whom.person = Some(person);
    whom
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
        shared: None,
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
