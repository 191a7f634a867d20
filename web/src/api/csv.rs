//! Answers as CSV (RFC 4180) for a spreadsheet: cells, rows, and the headers of a file to keep.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::problem::Problem;

/// The byte order mark, by which spreadsheets know UTF-8.
pub(super) const UTF8: &str = "\u{feff}";
/// The type of a CSV with a header row.
pub(super) const TYPE: &str = "text/csv; charset=utf-8; header=present";

/// One value. What it says comes from people: a spreadsheet would take some for formulas, so those get an apostrophe
/// in front.
pub(super) fn cell(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let value = if is_formula {
        format!("'{value}")
    } else {
        value.to_owned()
    };
    if value.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

/// One row of what [`cell`] made, or of numbers.
pub(super) fn row<T: AsRef<str>>(text: &mut String, cells: &[T]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(cell.as_ref());
    }
    text.push_str("\r\n");
}

/// An answer that browsers save under `name` and caches do not keep.
pub(super) fn file(
    kind: &'static str,
    name: &str,
    body: impl Into<Body>,
) -> Result<Response, Problem> {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition).map_err(Problem::internal)?,
        ),
    ];
    Ok((headers, body.into()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_formula_or_another_cell() {
        for (name, written) in [
            ("Ada", "Ada"),
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("\n=1", "\"'\n=1\""),
            ("Obi, Ada", "\"Obi, Ada\""),
            ("a\"b", "\"a\"\"b\""),
            ("-1,2", "\"'-1,2\""),
        ] {
            assert_eq!(cell(name), written);
        }
    }

    #[test]
    fn rows_end_as_rfc_4180_says() {
        let mut text = String::new();
        row(&mut text, &[cell("a,b"), cell(""), cell("ä")]);
        assert_eq!(text, "\"a,b\",,ä\r\n");
    }
}
