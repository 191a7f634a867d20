//! What IT sets on the page.

use axum::Json;
use axum::extract::State;
use lectern_lms::{CompletionRule, EgressPrice, PlainHttp, PrepareHours, Settings, SettingsPatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::{CompletionRuleShape, EgressPriceShape, PlainHttpName, PrepareHoursShape};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read, change))
}

/// The settings
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
struct SettingsOut {
    /// The box's name
    site_name: String,
    /// The IRI that every statement carries
    identity: String,
    /// Whether statements carry it already, so that it cannot change
    identity_fixed: bool,
    /// Who may sign in over plain HTTP from elsewhere
    #[schema(value_type = PlainHttpName)]
    plain_http: PlainHttp,
    /// What completed means
    #[schema(value_type = CompletionRuleShape)]
    completion_rule: CompletionRule,
    /// Addresses or networks of reverse proxies whose forwarding headers are believed
    trusted_proxies: Vec<String>,
    /// What the sounds of new versions are brought to, in LUFS (ITU-R BS.1770-4); -31 to -10
    loudness_lufs: i8,
    /// What the delivery from this box is compared with
    #[schema(value_type = EgressPriceShape)]
    egress_price: EgressPrice,
    /// When videos are prepared
    #[schema(value_type = PrepareHoursShape)]
    prepare_hours: PrepareHours,
}

/// What to change; what is not named stays
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct SettingsChange {
    /// The box's name
    site_name: Option<String>,
    /// The IRI that every statement carries
    identity: Option<String>,
    /// Who may sign in over plain HTTP from elsewhere
    #[schema(value_type = Option<PlainHttpName>)]
    plain_http: Option<PlainHttp>,
    /// What completed means
    #[schema(value_type = Option<CompletionRuleShape>)]
    completion_rule: Option<CompletionRule>,
    /// Addresses or networks of reverse proxies whose forwarding headers are believed
    trusted_proxies: Option<Vec<String>>,
    /// What the sounds of new versions are brought to, in LUFS (ITU-R BS.1770-4); -31 to -10
    loudness_lufs: Option<i8>,
    /// What the delivery from this box is compared with
    #[schema(value_type = Option<EgressPriceShape>)]
    egress_price: Option<EgressPrice>,
    /// When videos are prepared
    #[schema(value_type = Option<PrepareHoursShape>)]
    prepare_hours: Option<PrepareHours>,
}

fn out(app: &App, settings: Settings) -> Result<SettingsOut, lectern_lms::Error> {
    Ok(SettingsOut {
        site_name: settings.site_name,
        identity: app.lms.identity()?,
        identity_fixed: app.lms.is_identity_fixed()?,
        plain_http: settings.plain_http,
        completion_rule: settings.completion_rule,
        trusted_proxies: settings.trusted_proxies,
        loudness_lufs: settings.loudness_lufs,
        egress_price: settings.egress_price,
        prepare_hours: settings.prepare_hours,
    })
}

/// The settings
#[utoipa::path(get, path = "/api/v1/settings", tag = "system", responses(
    (status = 200, description = "As they are", body = SettingsOut)))]
async fn read(State(app): State<App>) -> Result<Json<SettingsOut>, Problem> {
    blocking(move || out(&app, app.lms.settings()?))
        .await
        .map(Json)
}

/// Change settings
#[utoipa::path(patch, path = "/api/v1/settings", tag = "system", request_body = SettingsChange, responses(
    (status = 200, description = "As they are now", body = SettingsOut),
    (status = 409, description = "The identity is fixed", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Strict(change): Strict<SettingsChange>,
) -> Result<Json<SettingsOut>, Problem> {
    let settings = blocking(move || {
        let detail = named(&change);
        let settings = app.lms.update_settings(SettingsPatch {
            site_name: change.site_name,
            identity: change.identity,
            plain_http: change.plain_http,
            completion_rule: change.completion_rule,
            trusted_proxies: change.trusted_proxies,
            loudness_lufs: change.loudness_lufs,
            egress_price: change.egress_price,
            prepare_hours: change.prepare_hours,
        })?;
        app.refresh_settings()?;
        caller.audit(&app, "settings.change", None, Some(detail))?;
        Ok::<_, Problem>(out(&app, settings)?)
    });
    settings.await.map(Json)
}

/// Which settings a change names, for the audit.
fn named(change: &SettingsChange) -> String {
    let all = [
        ("site_name", change.site_name.is_some()),
        ("identity", change.identity.is_some()),
        ("plain_http", change.plain_http.is_some()),
        ("completion_rule", change.completion_rule.is_some()),
        ("trusted_proxies", change.trusted_proxies.is_some()),
        ("loudness_lufs", change.loudness_lufs.is_some()),
        ("egress_price", change.egress_price.is_some()),
        ("prepare_hours", change.prepare_hours.is_some()),
    ];
    let names: Vec<_> = all
        .iter()
        .filter(|(_, named)| *named)
        .map(|(name, _)| *name)
        .collect();
    names.join(", ")
}
