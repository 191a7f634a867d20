//! Logs go to standard error: text for a terminal, JSON lines otherwise asked for by `LECTERN_LOG_FORMAT=json`.

use tracing_subscriber::EnvFilter;

/// Starts logging; `LECTERN_LOG` holds the filter (default: `info`).
pub fn start() {
    let filter = EnvFilter::try_from_env("LECTERN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::env::var_os("LECTERN_LOG_FORMAT").is_some_and(|format| format == "json") {
        builder.json().init();
    } else {
        use std::io::IsTerminal;
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
