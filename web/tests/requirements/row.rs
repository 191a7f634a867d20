//! What a row of the table is: a requirement in our words, where it stands, and what shows whether it holds.

use std::future::Future;
use std::pin::Pin;

use lectern_xapi::Version;
use serde_json::Value;

use crate::ask::Ask;
use crate::world::World;

pub struct Row {
    pub versions: &'static [Version],
    old: &'static str,
    new: &'static str,
    pub rule: &'static str,
    pub base: Base,
    /// Whether what is said of statements is said of SubStatements, too (Data 2.4.4.3).
    pub is_nested: bool,
    pub tries: Vec<Try>,
}

/// The statement that the changes of a row are made to.
#[derive(Clone, Copy)]
pub enum Base {
    /// Every property that there is
    Full,
    /// Actor, verb, object
    Plain,
}

/// (JSON pointer, what is put there); see [`crate::statements::GONE`].
pub type Change = (&'static str, Value);

pub type Proof = for<'w> fn(&'w World) -> Pin<Box<dyn Future<Output = ()> + 'w>>;

pub enum Try {
    /// The base with these changes is taken, and given back as it was sent.
    Taken(Vec<Change>),
    /// It is refused with 400, the answer begins with this JSON path, and nothing is kept.
    Refused(Vec<Change>, &'static str),
    /// The request is answered with this status, and the body names this.
    Answered(Ask, u16, &'static str),
    /// Whatever takes more than that.
    Proven(Proof),
}

/// A requirement of both versions, with the clause of either.
pub fn both(old: &'static str, new: &'static str, rule: &'static str) -> Row {
    row(&[Version::V1_0_3, Version::V2_0_0], old, new, rule)
}

/// A requirement of 1.0.3 alone.
pub fn old(clause: &'static str, rule: &'static str) -> Row {
    row(&[Version::V1_0_3], clause, "", rule)
}

/// A requirement of 2.0 alone.
pub fn new(clause: &'static str, rule: &'static str) -> Row {
    row(&[Version::V2_0_0], "", clause, rule)
}

fn row(
    versions: &'static [Version],
    old: &'static str,
    new: &'static str,
    rule: &'static str,
) -> Row {
    Row {
        versions,
        old,
        new,
        rule,
        base: Base::Full,
        is_nested: true,
        tries: Vec::new(),
    }
}

impl Row {
    pub fn clause(&self, version: Version) -> &'static str {
        match version {
            Version::V1_0_3 => self.old,
            Version::V2_0_0 => self.new,
        }
    }

    /// Changes are made to a statement with nothing but an actor, a verb and an object.
    pub fn plain(mut self) -> Self {
        self.base = Base::Plain;
        self
    }

    /// It is no rule of SubStatements.
    pub fn outer(mut self) -> Self {
        self.is_nested = false;
        self
    }

    pub fn takes(self, pointer: &'static str, value: Value) -> Self {
        self.takes_all([(pointer, value)])
    }

    pub fn takes_all<const N: usize>(mut self, changes: [Change; N]) -> Self {
        self.tries.push(Try::Taken(changes.into()));
        self
    }

    pub fn refuses(self, pointer: &'static str, value: Value, path: &'static str) -> Self {
        self.refuses_all([(pointer, value)], path)
    }

    pub fn refuses_all<const N: usize>(mut self, changes: [Change; N], path: &'static str) -> Self {
        self.tries.push(Try::Refused(changes.into(), path));
        self
    }

    pub fn answers(self, ask: Ask, status: u16) -> Self {
        self.names(ask, status, "")
    }

    pub fn names(mut self, ask: Ask, status: u16, named: &'static str) -> Self {
        self.tries.push(Try::Answered(ask, status, named));
        self
    }

    pub fn proven(mut self, proof: Proof) -> Self {
        self.tries.push(Try::Proven(proof));
        self
    }
}
