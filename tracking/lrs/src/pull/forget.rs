//! What sources have to do with an erasure: texts of refused statements are kept here, and may name somebody. They may be
//! of any form, so every text in them is compared.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lectern_store::Tx;
use serde_json::Value;

use super::refused;
use crate::error::Error;
use crate::forward::print_identifier;

/// Refused statements of this time or before are too old.
pub(crate) fn forget_before(tx: &Tx<'_>, time: Timestamp) -> Result<(), Error> {
    refused::forget(tx, "it is older than what is kept", |kept| kept.at <= time)
}

/// Refused statements that name one of these, by [`lectern_xapi::Ifi::key`], lose their text.
pub(crate) fn forget_people(tx: &Tx<'_>, who: &BTreeSet<String>) -> Result<(), Error> {
    let printed: Vec<String> = who
        .iter()
        .map(|key| print_identifier(key).to_owned())
        .collect();
    refused::forget(tx, "it was about somebody who was erased", |kept| {
        let Some(text) = &kept.text else {
            return false;
        };
        match serde_json::from_str(text) {
            Ok(value) => names(&value, &printed),
            // It is no JSON: whoever may be in it is taken to be.
            Err(_) => true,
        }
    })
}

fn names(value: &Value, who: &[String]) -> bool {
    match value {
        Value::String(text) => who.iter().any(|one| one.eq_ignore_ascii_case(text)),
        Value::Array(all) => all.iter().any(|value| names(value, who)),
        Value::Object(object) => {
            let text = |key| object.get(key).and_then(Value::as_str);
            let account = text("homePage").zip(text("name"));
            let account = account.map(|(home_page, name)| format!("{home_page} {name}"));
            account.is_some_and(|account| who.contains(&account))
                || object.values().any(|value| names(value, who))
        }
        _ => false,
    }
}
