//! `/api/v1/openapi.json`: the API described by itself, made from the handlers.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::ProblemDocument;

/// What the handlers cannot say of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lectern",
        description = "Videos, people, and the record of who watched what. Failures are RFC 9457 problem documents. \
            Lists are `{items, next?}`; pass `next` back as `cursor`. Unknown members in requests are refused.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemDocument)),
    security(("session" = []), ("token" = [])),
    modifiers(&Security),
    tags(
        (name = "session", description = "Signing in and out, setting the box up"),
        (name = "videos", description = "Uploads, videos, versions, captions"),
        (name = "watching", description = "Viewings, progress, who watched what"),
        (name = "people", description = "People and roles"),
        (name = "records", description = "Credentials of the record store, upstreams, audit"),
        (name = "system", description = "Health, settings, jobs, backup")
    )
)]
pub struct ApiDoc;

struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description(
            "lectern",
            "`lectern` on HTTP, `__Host-lectern` on HTTPS; unsafe requests also need X-CSRF-Token.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API token"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Names every operation after its method and path (`postVideosIdPlay`): the handlers' own names are
/// short and stand in several files.
pub(crate) fn name_operations(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let letters = path.trim_start_matches("/api/v1/").split(['/', '.', '_']);
        let words: String = letters
            .map(|part| capital(part.trim_matches(['{', '}'])))
            .collect();
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("options", &mut item.options),
            ("head", &mut item.head),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}{words}"));
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The description, printed once.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| print(&crate::openapi()));

/// As it is served, and as it lies in `web/openapi.json`.
pub fn print(api: &utoipa::openapi::OpenApi) -> String {
    // A document made from our own types always prints.
    let mut text = serde_json::to_string_pretty(api).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(openapi))
}

/// This description
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "system", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
async fn openapi() -> Response {
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    ([kind], DOCUMENT.as_str()).into_response()
}
