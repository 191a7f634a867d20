//! `/about`, `/activities`, `/agents` (Comm 2.4, 2.5, 2.8).

use axum::response::Response;
use http::Method;
use lectern_lrs::Caller;

use super::knock::Reader;
use super::{Asked, answer, other_method, reading};
use crate::extract::blocking;
use crate::problem::Problem;

/// Needs neither a version nor a sign-in.
pub(super) fn about(asked: &Asked) -> Result<Response, Problem> {
    if asked.method != Method::GET {
        return Err(other_method());
    }
    let about = serde_json::json!({
        "version": ["1.0.3", "2.0.0"],
        "extensions": { lectern_lrs::ABOUT_EXTENSION: {
            "version": asked.app.config.version,
            "instance": asked.app.lrs.instance(),
        } },
    });
    Ok(answer::json(about.to_string()))
}

pub(super) async fn activity(asked: Asked, caller: Caller) -> Result<Response, Problem> {
    if asked.method != Method::GET {
        return Err(other_method());
    }
    let text = blocking(move || asked.app.lrs.get_activity(&caller, &asked.parameters)).await?;
    Ok(answer::json(text))
}

pub(super) async fn agent(
    asked: Asked,
    caller: Caller,
    reader: Reader,
) -> Result<Response, Problem> {
    if asked.method != Method::GET {
        return Err(other_method());
    }
    let person = blocking(move || {
        let person = asked.app.lrs.get_person(&caller, &asked.parameters)?;
        reading::of_agent(&asked, &reader, "xapi/agents")?;
        Ok::<_, Problem>(person)
    })
    .await?;
    Ok(answer::json(person.to_string()))
}
