//! How much this box has delivered, and what a cloud would have asked for it.

use axum::Json;
use axum::extract::State;
use jiff::ToSpan;
use jiff::civil::Date;
use lectern_lms::EgressPrice;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::EgressPriceShape;
use crate::app::App;
use crate::extract::blocking;
use crate::metrics;
use crate::problem::Problem;

/// Days that are told one by one.
const DAYS: i64 = 30;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(delivery))
}

/// Bytes of films, posters and previews that left this box
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryOut {
    /// Today (UTC)
    today: u64,
    /// In the last 30 days, today among them
    last_30_days: u64,
    /// Ever
    total: u64,
    /// The first day on which something left
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    since: Option<String>,
    /// The last 30 days, oldest first, without those on which nothing left
    days: Vec<DayOut>,
    /// What a cloud would ask for it
    #[schema(value_type = EgressPriceShape)]
    price: EgressPrice,
}

/// One day (UTC)
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryDay)]
struct DayOut {
    /// Which
    #[schema(format = Date)]
    day: String,
    /// Bytes that left
    bytes: u64,
}

/// What this box has delivered
#[utoipa::path(get, path = "/api/v1/system/delivery", tag = "system", responses(
    (status = 200, description = "Bytes by day, and the price they are compared with", body = DeliveryOut)))]
async fn delivery(State(app): State<App>) -> Result<Json<DeliveryOut>, Problem> {
    blocking(move || {
        let today = app.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut days = by_day(&app, today)?;
        let total = days.iter().map(|(_, bytes)| bytes).sum();
        let since = days.first().map(|(day, _)| day.to_string());
        days.retain(|(day, _)| *day > today.saturating_sub(DAYS.days()));
        Ok::<_, Problem>(Json(DeliveryOut {
            today: days
                .last()
                .filter(|(day, _)| *day == today)
                .map_or(0, |(_, bytes)| *bytes),
            last_30_days: days.iter().map(|(_, bytes)| bytes).sum(),
            total,
            since,
            days: days
                .into_iter()
                .map(|(day, bytes)| DayOut {
                    day: day.to_string(),
                    bytes,
                })
                .collect(),
            price: app.lms.settings()?.egress_price,
        }))
    })
    .await
}

/// Every day on which something left, with what is not written down yet.
fn by_day(app: &App, today: Date) -> Result<Vec<(Date, u64)>, Problem> {
    let kept = app.library.delivered()?.into_iter();
    let mut days: Vec<_> = kept.map(|kept| (kept.day, kept.bytes)).collect();
    let more = metrics::not_written_down(app);
    match days.last_mut() {
        Some((day, bytes)) if *day == today => *bytes += more,
        _ if more > 0 => days.push((today, more)),
        _ => {}
    }
    Ok(days)
}
