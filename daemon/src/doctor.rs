//! `lecternd doctor`: what is wrong first, what will be, and what to do about it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use lectern_lrs::evidence::Error;
use lectern_store::{CheckReport, Store};
use lectern_web::tls::Expiry;
use serde_json::{Value, json};

use crate::services::Services;

/// Below this share of the disk free, `doctor` warns.
const LOW_DISK_SHARE: f64 = 0.1;
/// The daemon makes the server's certificate anew a month before its end: one that is nearer to it was not made.
const LATE: SignedDuration = SignedDuration::from_hours(24 * 25);
/// An authority that ends means a visit to every device.
const AUTHORITY_NOTICE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Checks stores, evidence, disk, certificates and media machine. The answer has `checks`, and `error` when one is bad.
///
/// # Errors
/// A check itself cannot be made.
pub fn examine(services: &Services, now: Timestamp) -> anyhow::Result<Value> {
    let checks = [
        ("records", store_check(&services.records, services.serves)),
        (
            "library",
            store_check(&services.library_store, services.serves),
        ),
        ("evidence", evidence_check(services)),
        ("disk", disk_check(services)),
        ("certificates", certificate_check(&services.state, now)),
        ("media", media_check()),
    ];
    let bad: Vec<&str> = checks
        .iter()
        .filter(|(_, check)| check.state == "bad")
        .map(|(name, _)| *name)
        .collect();
    let error = (!bad.is_empty()).then(|| format!("Look at: {}", bad.join(", ")));
    let rows: Vec<Value> = checks
        .iter()
        .map(|(name, check)| json!({ "check": name, "state": check.state, "detail": check.detail }))
        .collect();
    Ok(match error {
        Some(error) => json!({ "checks": rows, "error": error }),
        None => json!({ "checks": rows }),
    })
}

#[derive(Debug)]
struct Check {
    state: &'static str,
    detail: String,
}

impl Check {
    fn ok(detail: impl Into<String>) -> Self {
        Self {
            state: "ok",
            detail: detail.into(),
        }
    }

    fn soon(detail: impl Into<String>) -> Self {
        Self {
            state: "soon",
            detail: detail.into(),
        }
    }

    fn bad(detail: impl Into<String>) -> Self {
        Self {
            state: "bad",
            detail: detail.into(),
        }
    }
}

/// Every page's checksum is looked at when nobody `serves` people meanwhile: they would wait for it.
fn store_check(store: &Store, serves: bool) -> Check {
    verdict(match serves {
        true => store.check(),
        false => store.check_every_page(),
    })
}

fn verdict(found: Result<CheckReport, lectern_store::Error>) -> Check {
    const RESTORE: &str = "Restore the newest backup into an empty folder.";
    match found {
        Ok(report) if !report.problems.is_empty() => {
            Check::bad(format!("{}. {RESTORE}", report.problems.join("; ")))
        }
        Ok(report) if report.pages_verified => Check::ok("every page and row can be read"),
        Ok(_) => Check::ok(
            "every row can be read; the pages' checksums are verified only while the daemon is stopped",
        ),
        Err(error) => Check::bad(format!("{error}. {RESTORE}")),
    }
}

fn evidence_check(services: &Services) -> Check {
    match services.evidence.verify() {
        Err(Error::Broken(found)) => Check::bad(format!(
            "{} Keep this folder and compare it with a backup.",
            found.broken
        )),
        Err(error) => Check::bad(error.to_string()),
        Ok(_) if !services.evidence.can_sign() => Check::bad(
            "the box's evidence key is not here, or another one: nothing is signed. Put keys/evidence.key back from a \
             backup and restart.",
        ),
        Ok(found) => Check::ok(format!(
            "{} records, {} signed heads, the chain is whole; {} records came since the last head",
            found.entries, found.heads, found.unsigned
        )),
    }
}

fn disk_check(services: &Services) -> Check {
    match services.library.disk() {
        Ok(disk) if !disk.is_above_floor() => Check::bad(
            "the disk is full: uploads and processing wait. Free space, work goes on by itself.",
        ),
        Ok(disk) if (disk.free_bytes as f64) < disk.total_bytes as f64 * LOW_DISK_SHARE => {
            Check::soon(format!(
                "{} MB are free. Free space or enlarge the disk soon.",
                disk.free_bytes >> 20
            ))
        }
        Ok(disk) => Check::ok(format!(
            "{} MB of {} MB are free",
            disk.free_bytes >> 20,
            disk.total_bytes >> 20
        )),
        Err(error) => Check::bad(error.to_string()),
    }
}

/// What the daemon noted of its certificates; nothing is made here.
fn certificate_check(state: &Path, now: Timestamp) -> Check {
    match Expiry::read(&state.join("tls")) {
        Ok(None) => Check::ok("HTTPS was never switched on here"),
        Ok(Some(expiry)) => judged(&expiry, now),
        Err(error) => Check::bad(error.to_string()),
    }
}

fn judged(expiry: &Expiry, now: Timestamp) -> Check {
    let ca = expiry.authority.strftime("%Y-%m-%d");
    if expiry.authority < now {
        return Check::bad(format!(
            "the box's authority has ended on {ca}. Move the folder tls away, restart, and install the new authority \
             on every device."
        ));
    }
    let Some(server) = expiry.server else {
        return Check::ok(format!(
            "the box's authority lasts until {ca}; the server's certificate is made when HTTPS starts"
        ));
    };
    let until = server.strftime("%Y-%m-%d");
    if server < now {
        return Check::bad(format!(
            "the server's certificate has ended on {until}. Start the daemon with --https, or move the folder tls away \
             where HTTPS is served by something else; if the daemon runs with it, look into its log for \
             certificate_failed."
        ));
    }
    if server.duration_since(now) < LATE {
        return Check::soon(format!(
            "the server's certificate ends on {until} and was not made anew. Start the daemon with --https; if it \
             runs, look into its log for certificate_failed."
        ));
    }
    if expiry.authority.duration_since(now) < AUTHORITY_NOTICE {
        return Check::soon(format!(
            "the box's authority ends on {ca}. Move the folder tls away, restart, and install the new authority on \
             every device."
        ));
    }
    Check::ok(format!(
        "the server's certificate lasts until {until} and renews itself, the box's authority until {ca}"
    ))
}

/// The worker's elements, looked for on disk: GStreamer is never started in this process.
fn media_check() -> Check {
    const PLUGINS: [&str; 4] = [
        "libgstx264.so",
        "libgstlibav.so",
        "libgstcoreelements.so",
        "libgstplayback.so",
    ];
    let folders = [
        "/usr/lib/x86_64-linux-gnu/gstreamer-1.0",
        "/usr/lib/aarch64-linux-gnu/gstreamer-1.0",
        "/usr/lib/gstreamer-1.0",
    ];
    let missing: Vec<&str> = PLUGINS
        .into_iter()
        .filter(|plugin| {
            !folders
                .iter()
                .any(|folder| Path::new(folder).join(plugin).exists())
        })
        .collect();
    if missing.is_empty() {
        Check::ok("GStreamer's decoders and encoders are installed")
    } else {
        Check::bad(format!(
            "GStreamer lacks {}. Install gstreamer1.0-plugins-ugly and gstreamer1.0-libav.",
            missing.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_store_is_bad_and_an_unverified_one_says_so() {
        let damaged = CheckReport {
            pages_verified: true,
            problems: vec!["table t: a page is not what was written".to_owned()],
            ..CheckReport::default()
        };
        let check = verdict(Ok(damaged));
        assert_eq!(check.state, "bad");
        assert!(check.detail.contains("not what was written"), "{check:?}");
        let busy = verdict(Ok(CheckReport::default()));
        assert!(
            busy.detail.contains("while the daemon is stopped"),
            "{busy:?}"
        );
        let whole = CheckReport {
            pages_verified: true,
            ..CheckReport::default()
        };
        assert_eq!(verdict(Ok(whole)).state, "ok");
        let failed = verdict(Err(lectern_store::Error::Closed));
        assert_eq!(failed.state, "bad");
    }

    #[test]
    fn certificates_are_judged_by_their_ends() {
        let now: Timestamp = "2026-11-23T18:30:00Z".parse().unwrap();
        let day = SignedDuration::from_hours(24);
        let state = |authority: i32, server: Option<i32>| {
            let expiry = Expiry {
                authority: now + day * authority,
                server: server.map(|days| now + day * days),
            };
            judged(&expiry, now).state
        };
        assert_eq!(state(3000, Some(300)), "ok");
        assert_eq!(state(3000, None), "ok");
        assert_eq!(state(3000, Some(10)), "soon");
        assert_eq!(state(3000, Some(-1)), "bad");
        assert_eq!(state(80, Some(60)), "soon");
        assert_eq!(state(-1, Some(-1)), "bad");
    }
}
