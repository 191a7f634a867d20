//! How a command's answer looks: one JSON object with `--json`, lines for a person otherwise.
#![expect(
    clippy::print_stdout,
    reason = "standard output is where a command answers"
)]

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::control::Reply;

/// Where an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where commands answer
    StandardOutput,
    /// Where they do when standard output carries what they write
    StandardError,
}

/// Prints the answer and tells the exit code.
pub fn reply(reply: Reply, as_json: bool, place: Place) -> ExitCode {
    let (text, place, has_failed) = match (reply, as_json) {
        (Ok(value), as_json) => {
            let has_failed = value.get("error").is_some_and(|error| !error.is_null());
            let text = match as_json {
                true => format!("{value}\n"),
                false => lines(&value),
            };
            (text, place, has_failed)
        }
        (Err(sentence), true) => (format!("{}\n", json!({ "error": sentence })), place, true),
        // A person at a terminal reads it.
        (Err(sentence), false) => (format!("{sentence}\n"), Place::StandardError, true),
    };
    match place {
        Place::StandardOutput => print!("{text}"),
        Place::StandardError => eprint!("{text}"),
    }
    match has_failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// `name: value` lines; a list one line an item.
fn lines(value: &Value) -> String {
    let Some(object) = value.as_object() else {
        return format!("{value}\n");
    };
    let mut text = String::new();
    for (name, value) in object {
        match value {
            Value::Array(items) => {
                for item in items {
                    text.push_str(&one_line(item));
                    text.push('\n');
                }
            }
            value => text.push_str(&format!("{name}: {}\n", plain(value))),
        }
    }
    text
}

fn one_line(item: &Value) -> String {
    match item.as_object() {
        Some(object) => object
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join("  "),
        None => plain(item),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
