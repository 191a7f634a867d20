//! What is looked at, and when it is bad. The judging is pure; gathering the facts is not.

use jiff::{SignedDuration, Timestamp};
use lectern_library::DiskReport;
use lectern_lms::PlainHttp;
use lectern_lrs::pull::{Source, SourceState};
use lectern_store::Stats;
use uuid::Uuid;

use super::{Check, Health};
use crate::app::App;
use crate::problem::Problem;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A backup older than this is worth a word.
const BACKUP_DAYS: i64 = 7;
/// An authority that ends means a visit to every device.
const CA_DAYS: i64 = 90;
/// A source that gave nothing for longer than this is worth more than a word.
const SOURCE_SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// Statements that wait longer than this for an upstream are worth a word.
const UPSTREAM_LAG_SECONDS: u64 = 15 * 60;
/// A clock before this is wrong: nothing of Lectern is older.
const EARLIEST: i64 = 1_767_225_600; // 2026-01-01

/// Everything that the checks look at.
pub(crate) struct Facts {
    now: Timestamp,
    pub(crate) disk: DiskReport,
    pub(crate) records: Stats,
    pub(crate) library: Stats,
    pub(crate) statements: u64,
    /// Statements that the folds have not taken in
    pub(crate) fold_lag: u64,
    pub(crate) last_backup: Option<Timestamp>,
    pub(crate) upstreams: Vec<UpstreamFacts>,
    pub(crate) sources: Vec<Source>,
    ca_expires: Option<Timestamp>,
    server_expires: Option<Timestamp>,
    plain_http: PlainHttp,
    can_sign: bool,
    /// What the last verification of the evidence found broken
    broken: Option<String>,
}

/// An upstream, as far as its health goes.
pub(crate) struct UpstreamFacts {
    pub(crate) upstream: Uuid,
    pub(crate) name: String,
    pub(crate) lag: u64,
    pub(crate) lag_seconds: u64,
    pub(crate) dead: u64,
    pub(crate) delivered: u64,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    pub(crate) is_paused: bool,
}

impl Facts {
    pub(crate) fn gather(app: &App, now: Timestamp) -> Result<Self, Problem> {
        Ok(Self {
            now,
            disk: app.library.disk()?,
            records: app.records.stats(),
            library: app.library_store.stats(),
            statements: app.lrs.head()?,
            fold_lag: app.lrs.fold_lag()?,
            last_backup: app.lms.last_backup()?,
            upstreams: super::super::upstreams::facts(app)?,
            sources: app.lrs.sources().list()?,
            ca_expires: app.authority(|authority| authority.ca_expires()),
            server_expires: app
                .authority(|authority| authority.server_expires())
                .flatten(),
            plain_http: app.plain_http(),
            can_sign: app.evidence.can_sign(),
            broken: app
                .evidence
                .standing()?
                .verified
                .and_then(|verified| verified.error),
        })
    }

    /// All checks, bad first.
    pub(super) fn checks(&self, failed: usize) -> Vec<Check> {
        let mut checks = vec![
            self.disk(),
            self.store(),
            self.clock(),
            self.https(),
            self.backup(),
            self.evidence(),
            jobs(failed),
        ];
        checks.extend(self.upstreams.iter().map(|upstream| upstream.check()));
        checks.extend(self.sources.iter().map(|source| self.source(source)));
        checks.sort_by_key(|check| check.state);
        checks
    }

    fn disk(&self) -> Check {
        let DiskReport {
            free_bytes,
            total_bytes,
            floor_bytes,
            ..
        } = self.disk;
        let detail = format!("{} of {} free.", size(free_bytes), size(total_bytes));
        let act = "Delete videos that nobody needs, or give the box a larger disk.";
        if !self.disk.is_above_floor() {
            let detail = format!("{detail} Uploads and encoding have stopped; records go on.");
            return check("disk", Health::Bad, "The disk is full", detail, Some(act));
        }
        if free_bytes < floor_bytes.saturating_mul(4).max(total_bytes / 20) {
            return check(
                "disk",
                Health::Soon,
                "The disk is filling up",
                detail,
                Some(act),
            );
        }
        check("disk", Health::Ok, "Disk", detail, None)
    }

    fn evidence(&self) -> Check {
        if let Some(broken) = &self.broken {
            let act = "Keep this box as it is, and compare it with a backup or an earlier export.";
            let title = "The evidence does not hold";
            return check("evidence", Health::Bad, title, broken.clone(), Some(act));
        }
        if !self.can_sign {
            let detail =
                "The key is missing or another one. Records are kept, and no head is signed.";
            let act = "Put keys/evidence.key back from a backup, and restart.";
            let title = "The evidence is not signed";
            return check("evidence", Health::Bad, title, detail.to_owned(), Some(act));
        }
        let detail = "The chain of records is signed once a day.".to_owned();
        check("evidence", Health::Ok, "Evidence", detail, None)
    }

    fn store(&self) -> Check {
        let reopened = self.records.reopened + self.library.reopened;
        let refused = self.records.refused_full + self.library.refused_full;
        let act = "Look at the disk's own health (smartctl), and make a backup now.";
        if reopened > 0 {
            let detail = format!(
                "The disk failed {reopened} times since the start; the stores were opened again."
            );
            return check(
                "store",
                Health::Bad,
                "The disk makes errors",
                detail,
                Some(act),
            );
        }
        if refused > 0 {
            let detail = format!(
                "{refused} writes were refused since the start, because the disk was full."
            );
            return check(
                "store",
                Health::Soon,
                "Writes were refused",
                detail,
                Some("Make room on the disk."),
            );
        }
        let detail = format!(
            "{} statements, {} on disk.",
            self.statements,
            size(self.records.file_bytes)
        );
        check("store", Health::Ok, "Records", detail, None)
    }

    fn clock(&self) -> Check {
        if self.now.as_second() < EARLIEST {
            let detail = format!("The box believes it is {}.", self.now.strftime("%Y-%m-%d"));
            let act = "Set the clock, or let the box reach a time server.";
            return check(
                "clock",
                Health::Bad,
                "The clock is wrong",
                detail,
                Some(act),
            );
        }
        check(
            "clock",
            Health::Ok,
            "Clock",
            self.now.strftime("%Y-%m-%d %H:%M UTC.").to_string(),
            None,
        )
    }

    fn https(&self) -> Check {
        let Some(ca_expires) = self.ca_expires else {
            let (state, detail) = match self.plain_http {
                PlainHttp::All => (
                    Health::Soon,
                    "Off, and everybody may sign in over plain HTTP: passwords can be read.",
                ),
                _ => (
                    Health::Soon,
                    "Off: only on the box itself can more than learners sign in.",
                ),
            };
            let act = "Start the box with --https.";
            return check("https", state, "HTTPS is off", detail.to_owned(), Some(act));
        };
        if self.server_expires.is_some_and(|end| end <= self.now) {
            let act = "Look into the log for certificate_failed; is the state folder writable?";
            return check(
                "https",
                Health::Bad,
                "The certificate has ended",
                "Browsers refuse it.".into(),
                Some(act),
            );
        }
        if ca_expires.duration_since(self.now) < DAY * i32::try_from(CA_DAYS).unwrap_or(90) {
            let detail = format!(
                "The box's authority ends on {}.",
                ca_expires.strftime("%Y-%m-%d")
            );
            let act =
                "Move the folder tls away, restart, and install the new authority on every device.";
            return check(
                "https",
                Health::Soon,
                "The authority ends soon",
                detail,
                Some(act),
            );
        }
        if self.plain_http == PlainHttp::All {
            let detail = "Everybody may sign in over plain HTTP: passwords can be read on the way."
                .to_owned();
            let act = "Set plain HTTP to learners once every device trusts the box.";
            return check(
                "https",
                Health::Soon,
                "Plain HTTP is open to everybody",
                detail,
                Some(act),
            );
        }
        let until = self
            .server_expires
            .map(|end| end.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default();
        check(
            "https",
            Health::Ok,
            "HTTPS",
            format!("On; the certificate renews itself, this one lasts until {until}."),
            None,
        )
    }

    fn backup(&self) -> Check {
        let act = Some("Download one below, or let `lecternd backup` run every night.");
        let Some(last) = self.last_backup else {
            return check(
                "backup",
                Health::Soon,
                "There is no backup",
                "None was ever finished.".to_owned(),
                act,
            );
        };
        let days = self.now.duration_since(last).as_hours() / 24;
        let detail = format!("The last one was made on {}.", last.strftime("%Y-%m-%d"));
        if days >= BACKUP_DAYS {
            return check("backup", Health::Soon, "The backup is old", detail, act);
        }
        check("backup", Health::Ok, "Backup", detail, None)
    }
}

impl Facts {
    fn source(&self, source: &Source) -> Check {
        let id = format!("source:{}", source.id);
        let act = Some("Open the source: it shows the last error and what was not taken.");
        if let (SourceState::Waiting, Some(error)) = (source.state, &source.last_error) {
            let since = source.last_success.unwrap_or(error.at);
            let is_long = self.now.duration_since(since) > SOURCE_SILENCE;
            let state = if is_long { Health::Bad } else { Health::Soon };
            let title = format!("{} cannot be read", source.name);
            return check(&id, state, &title, error.message.clone(), act);
        }
        if source.refused > 0 {
            let title = format!("Statements of {} were not taken", source.name);
            let detail = format!("{} were refused.", source.refused);
            return check(&id, Health::Soon, &title, detail, act);
        }
        let detail = format!("{} statements read.", source.stored + source.known);
        check(&id, Health::Ok, &source.name, detail, None)
    }
}

impl UpstreamFacts {
    fn id(&self) -> String {
        format!("upstream:{}", self.upstream)
    }

    fn check(&self) -> Check {
        let act = Some("Open the upstream below: it shows the last error and the statements.");
        if let (Some(error), true) = (&self.last_error, self.lag > 0 && !self.is_paused) {
            let is_long = self.lag_seconds > UPSTREAM_LAG_SECONDS;
            let state = if is_long { Health::Bad } else { Health::Soon };
            let title = format!("{} does not take statements", self.name);
            return check(
                &self.id(),
                state,
                &title,
                format!("{} wait. {error}", self.lag),
                act,
            );
        }
        if self.dead > 0 {
            let title = format!("{} refused statements", self.name);
            return check(
                &self.id(),
                Health::Soon,
                &title,
                format!("{} were refused for good.", self.dead),
                act,
            );
        }
        let detail = match (self.is_paused, self.lag) {
            (true, lag) => format!("Paused; {lag} statements wait."),
            (false, lag) => format!("{lag} statements wait."),
        };
        check(&self.id(), Health::Ok, &self.name, detail, None)
    }
}

fn jobs(failed: usize) -> Check {
    if failed == 0 {
        return check(
            "jobs",
            Health::Ok,
            "Encoding",
            "Nothing has failed.".to_owned(),
            None,
        );
    }
    let detail = match failed {
        1 => "One video could not be encoded; its page says why.".to_owned(),
        _ => format!("{failed} videos could not be encoded; the page of each says why."),
    };
    check(
        "jobs",
        Health::Soon,
        "Encoding failed",
        detail,
        Some("Retry them, or replace the file."),
    )
}

fn check(id: &str, state: Health, title: &str, detail: String, action: Option<&str>) -> Check {
    Check {
        id: id.to_owned(),
        state,
        title: title.to_owned(),
        detail,
        action: action.map(ToOwned::to_owned),
    }
}

/// For people: `3.2 GB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 100.0);
    format!("{value:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let now: Timestamp = "2026-11-23T18:30:00Z".parse().unwrap();
        Facts {
            now,
            disk: DiskReport {
                free_bytes: 50 << 30,
                total_bytes: 100 << 30,
                floor_bytes: 1 << 29,
                reserved_bytes: 0,
            },
            records: Stats::default(),
            library: Stats::default(),
            statements: 7,
            fold_lag: 0,
            last_backup: Some(now),
            upstreams: Vec::new(),
            sources: Vec::new(),
            ca_expires: Some(now + DAY * 3000),
            server_expires: Some(now + DAY * 300),
            plain_http: PlainHttp::Learners,
            can_sign: true,
            broken: None,
        }
    }

    fn state(facts: &Facts, id: &str) -> Health {
        facts
            .checks(0)
            .iter()
            .find(|check| check.id == id)
            .unwrap()
            .state
    }

    #[test]
    fn a_healthy_box_has_nothing_to_complain_about() {
        assert!(
            facts()
                .checks(0)
                .iter()
                .all(|check| check.state == Health::Ok && check.action.is_none())
        );
    }

    #[test]
    fn what_is_bad_comes_first() {
        let mut facts = facts();
        facts.disk.free_bytes = 1;
        facts.last_backup = None;
        let checks = facts.checks(2);
        let states: Vec<_> = checks.iter().map(|check| check.state).collect();
        assert!(states.is_sorted(), "{states:?}");
        assert_eq!(checks[0].id, "disk");
    }

    #[test]
    fn each_fact_changes_its_own_check() {
        let mut full = facts();
        full.disk.free_bytes = full.disk.floor_bytes;
        assert_eq!(state(&full, "disk"), Health::Bad);
        full.disk.free_bytes = full.disk.floor_bytes * 3;
        assert_eq!(state(&full, "disk"), Health::Soon);
        let mut broken = facts();
        broken.records.reopened = 1;
        assert_eq!(state(&broken, "store"), Health::Bad);
        let mut ended = facts();
        ended.server_expires = Some(ended.now);
        assert_eq!(state(&ended, "https"), Health::Bad);
        let mut old = facts();
        old.last_backup = Some(old.now - DAY * 8);
        assert_eq!(state(&old, "backup"), Health::Soon);
        let mut lost = facts();
        lost.now = Timestamp::UNIX_EPOCH;
        assert_eq!(state(&lost, "clock"), Health::Bad);
        let mut unsigned = facts();
        unsigned.can_sign = false;
        assert_eq!(state(&unsigned, "evidence"), Health::Bad);
        let mut forged = facts();
        forged.broken = Some("head 2 is missing".to_owned());
        assert_eq!(state(&forged, "evidence"), Health::Bad);
    }

    #[test]
    fn an_upstream_that_fails_for_long_is_bad_and_a_paused_one_is_not() {
        let mut facts = facts();
        let upstream = |seconds, is_paused| UpstreamFacts {
            upstream: Uuid::nil(),
            name: "central".into(),
            lag: 5,
            lag_seconds: seconds,
            dead: 0,
            delivered: 0,
            last_success: None,
            last_error: Some("it answered 503".into()),
            is_paused,
        };
        for (seconds, is_paused, expected) in [
            (5, false, Health::Soon),
            (5000, false, Health::Bad),
            (5000, true, Health::Ok),
        ] {
            facts.upstreams = vec![upstream(seconds, is_paused)];
            assert_eq!(
                state(&facts, &format!("upstream:{}", Uuid::nil())),
                expected
            );
        }
    }
}
