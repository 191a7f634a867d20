//! How a command's answer looks: one JSON object with `--json`, lines for a person otherwise.
#![expect(
    clippy::print_stdout,
    reason = "standard output is where a command answers"
)]

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::control::Reply;

/// Prints the answer and tells the exit code.
pub fn reply(reply: Reply, as_json: bool) -> ExitCode {
    match (reply, as_json) {
        (Ok(value), true) => {
            let failed = value.get("error").is_some_and(|error| !error.is_null());
            println!("{value}");
            if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
        (Ok(value), false) => {
            let failed = value.get("error").is_some_and(|error| !error.is_null());
            print!("{}", lines(&value));
            if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
        (Err(sentence), true) => {
            println!("{}", json!({ "error": sentence }));
            ExitCode::FAILURE
        }
        (Err(sentence), false) => {
            #[expect(clippy::print_stderr, reason = "a person at a terminal reads it")]
            {
                eprintln!("{sentence}");
            }
            ExitCode::FAILURE
        }
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
