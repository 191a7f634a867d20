//! How many statements waited for each upstream in the last hour: sampled while the box runs, kept in memory. A restart
//! begins anew; longer stretches are for whoever collects `/metrics`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use lectern_lrs::forward::Upstream;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::api::time;
use crate::app::App;
use crate::extract::{Segments, blocking};
use crate::problem::{Problem, ProblemDocument};

/// How often it is looked.
pub(crate) const SAMPLED_EVERY: Duration = Duration::from_secs(10);
/// An hour of it.
const KEPT: usize = 360;
/// Upstreams beyond these are not sampled.
const MOST_UPSTREAMS: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(lag))
}

/// How many waited when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    lag: u64,
}

/// The last hour of every upstream.
#[derive(Default)]
pub(crate) struct Lags(Mutex<HashMap<Uuid, VecDeque<Sample>>>);

impl Lags {
    /// Notes how each does now, and forgets those that are gone.
    pub fn sample(&self, upstreams: &[Upstream], at: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|id, _| upstreams.iter().any(|upstream| upstream.id == *id));
        for upstream in upstreams.iter().take(MOST_UPSTREAMS) {
            let samples = kept.entry(upstream.id).or_default();
            if samples.len() == KEPT {
                samples.pop_front();
            }
            samples.push_back(Sample {
                at,
                lag: upstream.lag,
            });
        }
    }

    fn of(&self, upstream: Uuid) -> Vec<Sample> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = kept.get(&upstream).into_iter().flatten();
        samples.copied().collect()
    }
}

/// How many statements waited for an upstream in the last hour
#[derive(Serialize, ToSchema)]
struct LagHistory {
    /// Seconds from one sample to the next
    every_seconds: u64,
    /// Oldest first; an hour at most, and none from before the box was started
    samples: Vec<LagSample>,
}

/// How many statements waited at a time
#[derive(Serialize, ToSchema)]
struct LagSample {
    /// When
    #[schema(format = DateTime)]
    at: String,
    /// Statements that it had not been offered yet
    lag: u64,
}

/// How many statements waited for an upstream in the last hour
#[utoipa::path(get, path = "/api/v1/upstreams/{id}/lag", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The last hour", body = LagHistory),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json")))]
async fn lag(
    State(app): State<App>,
    Segments(id): Segments<Uuid>,
) -> Result<Json<LagHistory>, Problem> {
    let samples = blocking(move || {
        app.lrs.upstreams().get(id)?;
        Ok::<_, Problem>(app.lags.of(id))
    })
    .await?;
    let samples = samples.into_iter().map(|sample| LagSample {
        at: time::text(sample.at),
        lag: sample.lag,
    });
    Ok(Json(LagHistory {
        every_seconds: SAMPLED_EVERY.as_secs(),
        samples: samples.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use lectern_lrs::forward::Filter;

    use super::*;

    fn upstream(number: u128, lag: u64) -> Upstream {
        Upstream {
            id: Uuid::from_u128(number),
            name: String::new(),
            url: String::new(),
            key: String::new(),
            version: "1.0.3",
            filter: Filter::default(),
            identities: lectern_lrs::forward::Identities::Keep,
            since: None,
            allow_private: false,
            paused: false,
            lag,
            lag_seconds: 0,
            delivered: 0,
            last_success: None,
            last_error: None,
            dead: 0,
        }
    }

    #[test]
    fn an_hour_is_kept_of_each_upstream_that_is_there() {
        let lags = Lags::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in 0..=KEPT as u64 {
            let all = [upstream(1, second), upstream(2, 7)];
            lags.sample(&all, at(second as i64));
        }
        let first = lags.of(Uuid::from_u128(1));
        assert_eq!((first.len(), first[0].lag), (KEPT, 1));
        lags.sample(&[upstream(2, 8)], at(1000));
        assert!(lags.of(Uuid::from_u128(1)).is_empty());
        assert_eq!(lags.of(Uuid::from_u128(2)).last().unwrap().lag, 8);
    }
}
