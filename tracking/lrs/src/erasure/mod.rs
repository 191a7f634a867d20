//! Erasing: statements lose their bodies, everything that was derived from them is as if they had never been, and what
//! else the record store knows of a person goes, too. The chain stays valid (`docs/decisions/0054-erasure.md`).
//!
//! What is to be erased is written down first ([`record`]). Then every step can be done again: bodies go slice by slice,
//! each with what follows from it in one transaction ([`slice`]); the index is cleaned run by run
//! ([`crate::index::clean`]); text that was journaled is written over at the end.

mod about;
mod expiry;
mod find;
mod record;
mod refused;
mod slice;

pub use about::{About, Received, identifiers_of_mail};
pub use expiry::{Cutoffs, Expiring};
pub use record::{Erasure, Erasures};
pub use slice::Erased;

pub(crate) use find::each;
pub(crate) use refused::{REFUSED, Refused};
