//! What the record store knows about somebody, before it is erased.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use lectern_xapi::Ifi;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::each;
use crate::documents;
use crate::error::Error;
use crate::forward::Counting;
use crate::index::Term;
use crate::lrs::Lrs;
use crate::view::View;

/// What there is about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// Statements that name them: as the actor, the object, a member of a Group, or anywhere else.
    pub statements: u64,
    /// When the first of these was stored.
    pub oldest: Option<Timestamp>,
    /// When the last was.
    pub newest: Option<Timestamp>,
    /// State and Agent Profile documents.
    pub documents: u64,
    /// Upstreams that may have statements of these.
    pub upstreams: Vec<Received>,
}

/// An upstream that may have statements about somebody who is erased here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its endpoint.
    pub url: String,
    /// How many it got, if its filter was always what it is now.
    pub statements: u64,
}

/// The identifiers that a mail address is known by, as [`Ifi::key`].
pub fn identifiers_of_mail(address: &str) -> [String; 2] {
    let mbox = format!("mailto:{address}");
    let sum = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, mbox.as_bytes());
    [Ifi::Mbox(mbox).key(), Ifi::MboxSha1(hex::encode(sum)).key()]
}

/// Everything that a statement about these is found by.
fn terms_of(who: &BTreeSet<String>) -> Vec<Term<'_>> {
    who.iter()
        .flat_map(|key| [Term::Agent(key.into()), Term::RelatedAgent(key.into())])
        .collect()
}

pub(super) fn about(lrs: &Lrs, who: &BTreeSet<String>) -> Result<About, Error> {
    lrs.settle();
    let view = lrs.view()?;
    let mut about = About::default();
    let mut upstreams = Counting::all(view.snapshot())?;
    each(&view, &[&terms_of(who)], true, &mut |entry, statement| {
        about.statements += 1;
        about.oldest.get_or_insert(entry.stored);
        about.newest = Some(entry.stored);
        for upstream in &mut upstreams {
            upstream.look(view.snapshot(), entry, statement)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for key in who {
        about.documents += documents::count_of(view.snapshot(), key)?;
    }
    let received = upstreams.iter().filter(|upstream| upstream.may_have_some());
    about.upstreams = received
        .map(|upstream| Received {
            id: upstream.id,
            name: upstream.name().to_owned(),
            url: upstream.url().to_owned(),
            statements: upstream.statements,
        })
        .collect();
    Ok(about)
}

/// Their numbers in the log.
pub(super) fn sequences_of(view: &View, who: &BTreeSet<String>) -> Result<BTreeSet<u64>, Error> {
    let mut found = BTreeSet::new();
    each(view, &[&terms_of(who)], true, &mut |entry, _| {
        found.insert(entry.sequence);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
