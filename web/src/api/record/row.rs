//! A statement as a row of CSV: what a spreadsheet can sort and count. The whole of it is in the JSON.

use lectern_xapi::video::iri;
use serde_json::Value;

use crate::api::csv::{cell, row};
use crate::api::statements::StatementOut;
use crate::problem::Problem;

/// The header row.
pub(super) const HEADER: &str = "stored,timestamp,id,actor,verb,activity,title,registration,version,\
    position_s,completion,success,score_scaled,score_raw,response,duration,played_segments\r\n";

/// Appends a statement.
pub(super) fn append(text: &mut String, one: &StatementOut) -> Result<(), Problem> {
    let whole: Value = serde_json::from_str(one.statement.get()).map_err(Problem::internal)?;
    let (object, result, context) = (&whole["object"], &whole["result"], &whole["context"]);
    let said = &result["extensions"];
    let position = [iri::result::TIME, iri::result::TIME_TO]
        .into_iter()
        .map(|name| plain(&said[name]))
        .find(|text| !text.is_empty());
    let title = match &one.video {
        Some(video) => cell(&video.title),
        None => first(&object["definition"]["name"]),
    };
    let actor = match &one.actor.person {
        Some(person) => cell(&person.name),
        None => plain(&whole["actor"]["name"]),
    };
    let cells = [
        one.stored.clone(),
        one.timestamp.clone(),
        one.id.to_string(),
        actor,
        plain(&whole["verb"]["id"]),
        plain(&object["id"]),
        title,
        plain(&context["registration"]),
        plain(&context["revision"]),
        position.unwrap_or_default(),
        plain(&result["completion"]),
        plain(&result["success"]),
        plain(&result["score"]["scaled"]),
        plain(&result["score"]["raw"]),
        plain(&result["response"]),
        plain(&result["duration"]),
        plain(&said[iri::result::PLAYED_SEGMENTS]),
    ];
    row(text, &cells);
    Ok(())
}

/// A text, a number or a truth as a cell, else an empty one. A number is no formula, also when it is negative.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => cell(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// The first entry of a language map.
fn first(map: &Value) -> String {
    let entries = map.as_object();
    entries
        .and_then(|entries| entries.values().next())
        .map(plain)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::api::statements::{ActorKind, ActorOut};

    #[test]
    fn a_row_has_as_many_cells_as_the_header_and_no_formula() {
        let raw = r#"{"id":"00000000-0000-4000-8000-000000000001","actor":{"mbox":"mailto:a@b.c","name":"=cmd|x"},
            "verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},"object":{"id":"http://a/b","definition":{"name":{"en":"Q, \"1\""}}},
            "result":{"success":true,"score":{"scaled":-0.5},"response":"-1","extensions":{"https://w3id.org/xapi/video/extensions/time":1.50}}}"#;
        let one = StatementOut {
            id: uuid::Uuid::nil(),
            stored: "2026-11-26T05:00:00.000Z".into(),
            timestamp: "2026-11-26T05:00:00.000Z".into(),
            actor: ActorOut {
                kind: ActorKind::Other,
                person: None,
            },
            video: None,
            voided: false,
            statement: RawValue::from_string(raw.into()).unwrap(),
            whose: Vec::new(),
        };
        let mut text = HEADER.to_owned();
        append(&mut text, &one).unwrap();
        let expected = "2026-11-26T05:00:00.000Z,2026-11-26T05:00:00.000Z,00000000-0000-0000-0000-000000000000,'=cmd|x,\
            http://adlnet.gov/expapi/verbs/answered,http://a/b,\"Q, \"\"1\"\"\",,,1.50,,true,-0.5,,'-1,,\r\n";
        assert_eq!(text, format!("{HEADER}{expected}"));
    }
}
