//! Statements that name somebody or something themselves: proposed by postings, then looked at, so that no collision of
//! hashes ever finds another's.

use std::ops::ControlFlow;

use lectern_store::Error as StoreError;
use lectern_xapi::Statement;

use crate::entry::Entry;
use crate::error::Error;
use crate::index::postings::Postings;
use crate::index::{Term, terms};
use crate::view::View;

/// Is shown statements until it breaks.
pub(crate) type Visit<'v> =
    dyn FnMut(&Entry, &Statement) -> Result<ControlFlow<()>, StoreError> + 'v;

/// Shows every statement that has a term of each group, oldest or newest first, until `visit` breaks.
pub(crate) fn each(
    view: &View,
    groups: &[&[Term<'_>]],
    ascending: bool,
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    let mut postings = Vec::with_capacity(groups.len());
    for group in groups {
        let hashes: Vec<u64> = group.iter().map(Term::hash).collect();
        postings.push(Postings::new(view, &hashes, ascending).map_err(of_store)?);
    }
    let mut at = if ascending { 1 } else { view.head() };
    while at > 0 && at <= view.head() {
        let mut nearest = at;
        for list in &mut postings {
            match list.seek(view, nearest).map_err(of_store)? {
                Some(found) => nearest = found,
                None => return Ok(()),
            }
        }
        if nearest != at && postings.len() > 1 {
            // The others have not been asked from there.
            at = nearest;
            continue;
        }
        if let (Some(entry), Some(statement)) = (view.entry(nearest)?, view.statement(nearest)?) {
            let has = terms(&statement);
            let is_meant = groups
                .iter()
                .all(|group| group.iter().any(|term| has.contains(term)));
            if is_meant && visit(&entry, &statement)?.is_break() {
                return Ok(());
            }
        }
        at = if ascending { nearest + 1 } else { nearest - 1 };
    }
    Ok(())
}

/// Postings fail as the store does.
fn of_store(error: Error) -> StoreError {
    match error {
        Error::Store(error) => error,
        other => StoreError::Corrupt {
            table: "the index".to_owned(),
            detail: other.to_string(),
        },
    }
}
