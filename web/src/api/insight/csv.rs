//! Viewers as CSV (RFC 4180) for a spreadsheet. Names come from people: a cell that a spreadsheet would
//! take for a formula gets an apostrophe in front.

use std::fmt::Write;

use super::shapes::ViewerOut;

/// The header row, behind a byte order mark, by which spreadsheets know UTF-8.
pub(super) fn header() -> String {
    "\u{feff}id,name,watched_percent,completed,time_s,last_seen,segments\r\n".to_owned()
}

/// One learner.
pub(super) fn row(text: &mut String, viewer: &ViewerOut) {
    let segments: Vec<String> = viewer
        .segments
        .iter()
        .map(|[from, to]| format!("{from:.1}-{to:.1}"))
        .collect();
    let cells = [
        cell(&viewer.id),
        cell(viewer.name.as_deref().unwrap_or_default()),
        format!("{:.1}", viewer.watched * 100.0),
        if viewer.completed { "yes" } else { "no" }.to_owned(),
        (viewer.time_ms / 1000).to_string(),
        viewer.last_seen.clone(),
        segments.join(" "),
    ];
    // Writing to a String cannot fail.
    let _ = write!(text, "{}\r\n", cells.join(","));
}

fn cell(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_formula_or_another_cell() {
        for (name, written) in [
            ("Ada", "Ada"),
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("Obi, Ada", "\"Obi, Ada\""),
            ("a\"b", "\"a\"\"b\""),
            ("-1,2", "\"'-1,2\""),
        ] {
            assert_eq!(cell(name), written);
        }
    }
}
