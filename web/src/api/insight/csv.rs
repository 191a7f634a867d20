//! Viewers as CSV.

use super::shapes::ViewerOut;
use crate::api::csv::{UTF8, cell, row};

/// The header row.
pub(super) fn header() -> String {
    format!("{UTF8}id,name,watched_percent,completed,time_s,last_seen,segments\r\n")
}

/// One learner.
pub(super) fn viewer(text: &mut String, viewer: &ViewerOut) {
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
    row(text, &cells);
}
