//! What the rooms answer when the metrics are read; nothing is kept between two readings.

use jiff::Timestamp;
use lectern_lrs::pull::{Source, SourceState};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Counter, CounterVec, Gauge, GaugeVec, Opts};

use crate::api::system::{Facts, memory_bytes};
use crate::app::App;
use crate::problem::Problem;

pub(super) fn gather(app: &App, now: Timestamp) -> Result<Vec<MetricFamily>, Problem> {
    let facts = Facts::gather(app, now)?;
    let jobs = app.library.jobs()?;
    let running = jobs.iter().filter(|job| job.is_running).count();
    let mut families = Families::default();

    families.one(
        "lectern_up_seconds",
        "Since the server started",
        seconds(app.started, now),
    )?;
    families.one(
        "lectern_memory_bytes",
        "Resident memory of the daemon",
        memory_bytes() as f64,
    )?;
    families.one(
        "lectern_disk_free_bytes",
        "Free on the content's disk",
        facts.disk.free_bytes as f64,
    )?;
    families.one(
        "lectern_disk_total_bytes",
        "Size of the content's disk",
        facts.disk.total_bytes as f64,
    )?;
    families.one(
        "lectern_disk_floor_bytes",
        "Uploads stop when no more is free",
        facts.disk.floor_bytes as f64,
    )?;
    families.total(
        "lectern_statements_total",
        "Statements ever stored",
        facts.statements as f64,
    )?;
    families.one(
        "lectern_fold_lag_statements",
        "Statements that charts do not show yet",
        facts.fold_lag as f64,
    )?;

    let waiting = [("running", running), ("queued", jobs.len() - running)];
    let waiting = waiting.map(|(state, count)| (state.to_owned(), count as f64));
    families.many("lectern_jobs", "Encoding jobs", "state", &waiting)?;

    let stores = [("records", facts.records), ("library", facts.library)];
    let of = |value: fn(&lectern_store::Stats) -> f64| {
        stores.map(|(name, stats)| (name.to_owned(), value(&stats)))
    };
    families.many(
        "lectern_store_bytes",
        "Size of a store's file",
        "store",
        &of(|s| s.file_bytes as f64),
    )?;
    families.totals(
        "lectern_store_commits_total",
        "Durable commits",
        "store",
        &of(|s| s.commits as f64),
    )?;
    families.totals(
        "lectern_store_writes_total",
        "Writes answered after a commit",
        "store",
        &of(|s| s.writes as f64),
    )?;
    let time = of(|s| s.commit_time.as_secs_f64());
    families.totals(
        "lectern_store_commit_seconds_total",
        "Time spent in commits",
        "store",
        &time,
    )?;
    families.totals(
        "lectern_store_reopened_total",
        "Openings after an I/O error",
        "store",
        &of(|s| s.reopened as f64),
    )?;
    families.totals(
        "lectern_store_refused_total",
        "Writes refused, disk full",
        "store",
        &of(|s| s.refused_full as f64),
    )?;

    let upstreams = &facts.upstreams;
    let lag: Vec<_> = upstreams
        .iter()
        .map(|one| (one.name.clone(), one.lag as f64))
        .collect();
    families.many(
        "lectern_upstream_lag_statements",
        "Statements that wait for an upstream",
        "upstream",
        &lag,
    )?;
    let age = |one: &crate::api::system::UpstreamFacts| one.lag_seconds as f64;
    let age: Vec<_> = upstreams
        .iter()
        .map(|one| (one.name.clone(), age(one)))
        .collect();
    families.many(
        "lectern_upstream_lag_seconds",
        "Age of the oldest that waits",
        "upstream",
        &age,
    )?;
    let dead: Vec<_> = upstreams
        .iter()
        .map(|one| (one.name.clone(), one.dead as f64))
        .collect();
    families.many(
        "lectern_upstream_dead_statements",
        "Statements refused for good",
        "upstream",
        &dead,
    )?;
    let delivered: Vec<_> = upstreams
        .iter()
        .map(|one| (one.name.clone(), one.delivered as f64))
        .collect();
    families.totals(
        "lectern_upstream_delivered_statements_total",
        "Statements that an upstream took",
        "upstream",
        &delivered,
    )?;
    let last: Vec<_> = upstreams
        .iter()
        .filter_map(|one| Some((one.name.clone(), one.last_success?)))
        .map(|(name, last)| (name, last.as_microsecond() as f64 / 1e6))
        .collect();
    families.many(
        "lectern_upstream_last_success_timestamp_seconds",
        "When an upstream last took something",
        "upstream",
        &last,
    )?;
    sources(&mut families, &facts.sources)?;
    Ok(families.0)
}

fn sources(families: &mut Families, sources: &[Source]) -> Result<(), Problem> {
    let of = |figure: fn(&Source) -> u64| -> Vec<(String, f64)> {
        let sources = sources.iter();
        sources
            .map(|one| (one.name.clone(), figure(one) as f64))
            .collect()
    };
    families.totals(
        "lectern_source_stored_statements_total",
        "Statements that came from a source",
        "source",
        &of(|one| one.stored),
    )?;
    families.totals(
        "lectern_source_known_statements_total",
        "Statements of a source that were here already",
        "source",
        &of(|one| one.known),
    )?;
    families.totals(
        "lectern_source_refused_statements_total",
        "Statements of a source that were not taken",
        "source",
        &of(|one| one.refused),
    )?;
    families.many(
        "lectern_source_failing",
        "1 while a source cannot be read",
        "source",
        &of(|one| u64::from(one.state == SourceState::Waiting)),
    )
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[derive(Default)]
struct Families(Vec<MetricFamily>);

impl Families {
    fn one(&mut self, name: &str, help: &str, value: f64) -> Result<(), Problem> {
        let gauge = Gauge::new(name, help).map_err(Problem::internal)?;
        gauge.set(value);
        self.0.extend(gauge.collect());
        Ok(())
    }

    fn many(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(String, f64)],
    ) -> Result<(), Problem> {
        let gauges = GaugeVec::new(Opts::new(name, help), &[label]).map_err(Problem::internal)?;
        for (name, value) in values {
            gauges.with_label_values(&[name]).set(*value);
        }
        // The encoder takes a family without a sample for an error.
        if values.is_empty() {
            return Ok(());
        }
        self.0.extend(gauges.collect());
        Ok(())
    }

    /// What only ever grows until the daemon starts again.
    fn total(&mut self, name: &str, help: &str, value: f64) -> Result<(), Problem> {
        let counter = Counter::new(name, help).map_err(Problem::internal)?;
        counter.inc_by(value);
        self.0.extend(counter.collect());
        Ok(())
    }

    /// [`Self::total`] of each of several.
    fn totals(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(String, f64)],
    ) -> Result<(), Problem> {
        let counters =
            CounterVec::new(Opts::new(name, help), &[label]).map_err(Problem::internal)?;
        for (name, value) in values {
            counters.with_label_values(&[name]).inc_by(*value);
        }
        // As in `many`.
        if values.is_empty() {
            return Ok(());
        }
        self.0.extend(counters.collect());
        Ok(())
    }
}
