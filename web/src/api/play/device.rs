//! The cookie of a device on which nobody signed in: a random id, by which it finds its own progress
//! again on videos that are `open`. It opens nothing else.
//!
//! One name on both schemes and never `Secure`: a browser would refuse to renew a `Secure` one over
//! HTTP, and the device would be another learner each time.

use http::{HeaderMap, HeaderValue};
use lectern_lms::DeviceId;

use crate::auth::cookie;
use crate::problem::Problem;

const NAME: &str = "lectern_device";
/// The longest that browsers keep a cookie; each viewing renews it.
const LASTS_S: u32 = 400 * 24 * 3600;

/// The id in the request's cookie, if there is one.
pub(super) fn of(headers: &HeaderMap) -> Option<DeviceId> {
    cookie::value_of(headers, NAME).and_then(DeviceId::parse)
}

/// `Set-Cookie` that keeps it.
pub(super) fn set(id: &DeviceId) -> Result<HeaderValue, Problem> {
    let text = format!(
        "{NAME}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LASTS_S}",
        id.as_str()
    );
    HeaderValue::try_from(text).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_finds_its_id_again_and_no_other_text_is_taken_for_one() {
        let id = DeviceId::random();
        let text = set(&id).unwrap();
        let pair = text.to_str().unwrap().split(';').next().unwrap().to_owned();
        let headers = |value: &str| {
            HeaderMap::from_iter([(http::header::COOKIE, HeaderValue::from_str(value).unwrap())])
        };
        assert_eq!(of(&headers(&format!("lectern=x; {pair}"))), Some(id));
        for wrong in ["lectern_device=", "lectern_device=admin", "lectern=x"] {
            assert_eq!(of(&headers(wrong)), None, "{wrong}");
        }
    }
}
