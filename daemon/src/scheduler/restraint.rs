//! What keeps the box from preparing videos for now: the hours that IT has set, and its heat.
//!
//! Who watches needs no hours and no heat: workers run behind every answer anyway (`nice`, and the service's weights).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use lectern_library::Hold;
use lectern_lms::PrepareHours;
use tokio_util::sync::CancellationToken;

use crate::services::Services;

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Where the kernel tells of heat (Documentation/driver-api/thermal/sysfs-api).
const ZONES: &str = "/sys/class/thermal";
/// Work stops so far below the first point at which the kernel slows the box down or switches it off,
const STOP_BELOW: i64 = 5_000;
/// and goes on so far below it. Thousandths of a degree.
const GO_ON_BELOW: i64 = 15_000;
/// Boards tell of lower points, too, at which nothing is hot: there work would never go on.
const LOWEST_POINT: i64 = 75_000;

/// Keeps the library told, until cancelled.
pub(super) async fn watch(services: Services, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => look(&services).await,
        }
    }
}

/// Tells the library what work waits for now.
pub(super) async fn look(services: &Services) {
    let services = services.clone();
    let look = move || -> anyhow::Result<()> {
        let held = services.library.hold();
        let hours = services.lms.settings()?.prepare_hours;
        let now = Timestamp::now().to_zoned(TimeZone::system());
        let is_hot = is_hot(Path::new(ZONES), held.as_ref().is_some_and(is_of_heat));
        let hold = of_heat(is_hot).or_else(|| of_hours(hours, &now));
        if hold != held {
            let why = hold.as_ref().map_or("", |hold| hold.why.as_str());
            tracing::info!(event = "scheduler.hold", why);
        }
        Ok(services.library.set_hold(hold)?)
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(event = "scheduler.queue", "{error:#}"),
        Err(error) => tracing::error!(event = "scheduler.queue", %error),
    }
}

fn is_of_heat(hold: &Hold) -> bool {
    hold.is_for_all
}

fn of_heat(is_hot: bool) -> Option<Hold> {
    is_hot.then(|| Hold {
        why: "The box is too hot to prepare videos. It goes on by itself once it has cooled down; look after its fans and its place."
            .to_owned(),
        until: None,
        is_for_all: true,
    })
}

/// Until the hours begin, where they are not now.
fn of_hours(hours: PrepareHours, now: &Zoned) -> Option<Hold> {
    let PrepareHours::Between { from, to } = hours else {
        return None;
    };
    let (begin, end) = (from.time(), to.time());
    let time = now.time();
    let is_now = match begin < end {
        true => begin <= time && time < end,
        // Over midnight.
        false => begin <= time || time < end,
    };
    if is_now {
        return None;
    }
    // A clock that is set forward has no such time that day: the one that jiff takes for it.
    let on = |day: Date| day.to_datetime(begin).to_zoned(now.time_zone().clone());
    let today = on(now.date()).ok().filter(|next| next > now);
    let next = today.or_else(|| on(now.date().tomorrow().ok()?).ok());
    Some(Hold {
        why: format!("Videos are prepared from {from} to {to}, by the box's clock."),
        until: next.map(|next| next.timestamp()),
        is_for_all: false,
    })
}

/// Whether a part of the box is about to be slowed down for its heat; `was_hot` asks for more before it says no.
fn is_hot(zones: &Path, was_hot: bool) -> bool {
    let margin = if was_hot { GO_ON_BELOW } else { STOP_BELOW };
    let Ok(zones) = fs::read_dir(zones) else {
        return false;
    };
    zones
        .flatten()
        .map(|zone| zone.path())
        .filter_map(|zone| Some((number(&zone.join("temp"))?, limit(&zone)?)))
        .any(|(now, limit)| now >= limit - margin)
}

/// The lowest of a zone's points at which the kernel acts against heat otherwise than by a fan.
fn limit(zone: &Path) -> Option<i64> {
    let points = fs::read_dir(zone).ok()?.flatten().map(|entry| entry.path());
    points
        .filter_map(|kind: PathBuf| {
            let name = kind.file_name()?.to_str()?;
            let point = name.strip_suffix("_type")?.to_owned();
            let acts = matches!(
                fs::read_to_string(&kind).ok()?.trim(),
                "passive" | "hot" | "critical"
            );
            let at =
                number(&zone.join(format!("{point}_temp"))).filter(|at| *at >= LOWEST_POINT)?;
            (point.starts_with("trip_point_") && acts).then_some(at)
        })
        .min()
}

fn number(file: &Path) -> Option<i64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> PrepareHours {
        PrepareHours::Between {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn outside_its_hours_work_waits_until_they_begin() {
        for (hours, now, until) in [
            (
                ("22:00", "06:00"),
                "2026-11-27T21:59:59+01:00[Europe/Berlin]",
                Some("2026-11-27T21:00:00Z"),
            ),
            (
                ("22:00", "06:00"),
                "2026-11-27T22:00:00+01:00[Europe/Berlin]",
                None,
            ),
            (
                ("22:00", "06:00"),
                "2026-11-28T05:59:59+01:00[Europe/Berlin]",
                None,
            ),
            (
                ("22:00", "06:00"),
                "2026-11-28T06:00:00+01:00[Europe/Berlin]",
                Some("2026-11-28T21:00:00Z"),
            ),
            (
                ("01:30", "05:00"),
                "2026-11-27T12:00:00+01:00[Europe/Berlin]",
                Some("2026-11-28T00:30:00Z"),
            ),
            (
                ("01:30", "05:00"),
                "2026-11-27T01:30:00+01:00[Europe/Berlin]",
                None,
            ),
            // 02:30 is no time on this day: clocks are set forward from two to three.
            (
                ("02:30", "05:00"),
                "2026-03-29T00:00:00+01:00[Europe/Berlin]",
                Some("2026-03-29T01:30:00Z"),
            ),
        ] {
            let now: Zoned = now.parse().unwrap();
            let hold = of_hours(between(hours.0, hours.1), &now);
            let found = hold.as_ref().map(|hold| hold.until.unwrap().to_string());
            assert_eq!(found.as_deref(), until, "{hours:?} {now}");
            assert!(hold.is_none_or(|hold| hold.why.contains(hours.0) && !hold.is_for_all));
        }
        let now: Zoned = "2026-11-27T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(of_hours(PrepareHours::Always, &now), None);
    }

    #[test]
    fn heat_stops_before_the_kernel_does_and_lets_go_well_below() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("thermal_zone0");
        fs::create_dir(&zone).unwrap();
        let set = |name: &str, text: &str| fs::write(zone.join(name), format!("{text}\n")).unwrap();
        set("temp", "99000");
        // Without a limit nobody knows what is hot.
        assert!(!is_hot(folder.path(), false));
        set("trip_point_0_type", "active");
        set("trip_point_0_temp", "50000");
        assert!(!is_hot(folder.path(), false));
        set("trip_point_1_type", "critical");
        set("trip_point_1_temp", "105000");
        set("trip_point_2_type", "passive");
        set("trip_point_2_temp", "95000");
        for (now, stops, stays) in [
            ("79999", false, false),
            ("80000", false, true),
            ("89999", false, true),
            ("90000", true, true),
        ] {
            set("temp", now);
            assert_eq!(is_hot(folder.path(), false), stops, "{now}");
            assert_eq!(is_hot(folder.path(), true), stays, "{now}");
        }
        set("trip_point_2_temp", "60000");
        set("temp", "70000");
        assert!(!is_hot(folder.path(), true));
        set("trip_point_1_temp", "-274000");
        set("trip_point_2_temp", "nonsense");
        assert!(!is_hot(folder.path(), false));
        assert!(!is_hot(&folder.path().join("none"), true));
    }
}
