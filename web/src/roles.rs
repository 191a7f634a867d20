//! Who may call what: one table, one row a route. The guard refuses what has no row.
//!
//! A row says who may knock and how much they may send. What they may then see of a thing (this
//! video, that person) is the handler's to decide.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use lectern_lms::Role;

/// Who may knock at a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever reaches the box; the handler looks at the visibility of what is asked for.
    Anyone,
    /// Every person who is signed in.
    SignedIn,
    /// People with one of these roles.
    Any(&'static [Role]),
    /// The route has credentials of its own kind (`/xapi`, `/media`, `/metrics`), which it checks itself,
    /// or takes none at all (`/healthz`).
    Own,
}

/// How long a request and its body may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Body and answer within [`crate::guard::QUICK`].
    Quick,
    /// As long as bytes keep coming.
    Stream,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Rule {
    /// HTTP method; `HEAD` follows `GET`
    pub method: Method,
    /// Path as the router matches it
    pub path: &'static str,
    /// Who may knock
    pub who: Who,
    /// How long it may take
    pub pace: Pace,
    /// Largest body taken
    pub body_bytes: u64,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Largest JSON document of the API.
const JSON: u64 = 256 * KIB;
/// Largest change of an upstream: its table of identities may have a row for every person.
const IDENTITIES: u64 = 4 * MIB;
/// Largest file of statements: it is taken in as it comes, so what bounds it is the disk.
const STATEMENTS: u64 = MIB * MIB;
/// Largest piece of an upload in one request: all of it (`Tus-Max-Size`).
const PIECE: u64 = lectern_library::MAX_UPLOAD_BYTES;

const ADMIN: Who = Who::Any(&[Role::Admin]);
const STAFF: Who = Who::Any(&[Role::Instructor, Role::Admin]);
const WATCHERS: Who = Who::Any(&[Role::Instructor, Role::Auditor]);
const AUDITOR: Who = Who::Any(&[Role::Auditor]);
const BOX_READERS: Who = Who::Any(&[Role::Admin, Role::Auditor]);
const FIGURES: Who = Who::Any(&[Role::Instructor, Role::Auditor, Role::Admin]);

const fn quick(method: Method, path: &'static str, who: Who) -> Rule {
    Rule {
        method,
        path,
        who,
        pace: Pace::Quick,
        body_bytes: JSON,
    }
}

const fn sized(method: Method, path: &'static str, who: Who, body_bytes: u64) -> Rule {
    Rule {
        method,
        path,
        who,
        pace: Pace::Quick,
        body_bytes,
    }
}

const fn stream(method: Method, path: &'static str, who: Who, body_bytes: u64) -> Rule {
    Rule {
        method,
        path,
        who,
        pace: Pace::Stream,
        body_bytes,
    }
}

/// The table. Order is that of the paths.
pub static TABLE: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    use Method as M;
    use Who::{Anyone, Own, SignedIn};
    vec![
        quick(M::GET, "/api/v1/audit", BOX_READERS),
        quick(M::GET, "/api/v1/credentials", ADMIN),
        quick(M::POST, "/api/v1/credentials", ADMIN),
        quick(M::DELETE, "/api/v1/credentials/{id}", ADMIN),
        quick(M::GET, "/api/v1/erasures", BOX_READERS),
        quick(M::GET, "/api/v1/erasures/{id}", BOX_READERS),
        stream(M::GET, "/api/v1/events", SignedIn, 0),
        quick(M::GET, "/api/v1/evidence", BOX_READERS),
        stream(M::GET, "/api/v1/evidence/export", AUDITOR, 0),
        quick(M::POST, "/api/v1/evidence/heads", BOX_READERS),
        quick(M::POST, "/api/v1/evidence/verify", BOX_READERS),
        quick(M::GET, "/api/v1/jobs", BOX_READERS),
        quick(M::GET, "/api/v1/keeping", BOX_READERS),
        quick(M::PUT, "/api/v1/keeping", ADMIN),
        quick(M::GET, "/api/v1/keeping/preview", ADMIN),
        quick(M::GET, "/api/v1/openapi.json", Anyone),
        quick(M::GET, "/api/v1/people", FIGURES),
        quick(M::POST, "/api/v1/people", ADMIN),
        stream(M::POST, "/api/v1/people/import", ADMIN, 8 * MIB),
        quick(M::PATCH, "/api/v1/people/{id}", ADMIN),
        quick(M::DELETE, "/api/v1/people/{id}", ADMIN),
        quick(M::GET, "/api/v1/people/{id}/erasure", ADMIN),
        quick(M::POST, "/api/v1/people/{id}/erasure", ADMIN),
        quick(M::POST, "/api/v1/people/{id}/password", ADMIN),
        quick(M::GET, "/api/v1/people/{id}/record", WATCHERS),
        stream(M::GET, "/api/v1/people/{id}/record.csv", WATCHERS, 0),
        stream(M::GET, "/api/v1/people/{id}/record.json", WATCHERS, 0),
        quick(M::DELETE, "/api/v1/people/{id}/tokens", ADMIN),
        stream(M::POST, "/api/v1/sample", STAFF, JSON),
        quick(M::GET, "/api/v1/session", Anyone),
        quick(M::POST, "/api/v1/session", Anyone),
        quick(M::DELETE, "/api/v1/session", Anyone),
        quick(M::POST, "/api/v1/session/password", SignedIn),
        quick(M::GET, "/api/v1/session/record", SignedIn),
        stream(M::GET, "/api/v1/session/record.csv", SignedIn, 0),
        stream(M::GET, "/api/v1/session/record.json", SignedIn, 0),
        quick(M::GET, "/api/v1/session/statements", SignedIn),
        quick(M::GET, "/api/v1/settings", ADMIN),
        quick(M::PATCH, "/api/v1/settings", ADMIN),
        quick(M::GET, "/api/v1/setup", Anyone),
        quick(M::POST, "/api/v1/setup", Anyone),
        quick(M::GET, "/api/v1/sources", ADMIN),
        quick(M::POST, "/api/v1/sources", ADMIN),
        quick(M::POST, "/api/v1/sources/test", ADMIN),
        quick(M::PATCH, "/api/v1/sources/{id}", ADMIN),
        quick(M::DELETE, "/api/v1/sources/{id}", ADMIN),
        quick(M::GET, "/api/v1/sources/{id}/refused", ADMIN),
        quick(M::GET, "/api/v1/statements", WATCHERS),
        quick(M::GET, "/api/v1/statements/days", AUDITOR),
        stream(M::GET, "/api/v1/statements/days/{day}", AUDITOR, 0),
        stream(M::GET, "/api/v1/statements/export", AUDITOR, 0),
        stream(M::POST, "/api/v1/statements/import", ADMIN, STATEMENTS),
        quick(M::GET, "/api/v1/statements/{id}", WATCHERS),
        quick(M::GET, "/api/v1/system", BOX_READERS),
        quick(M::GET, "/api/v1/system/chips", BOX_READERS),
        quick(M::POST, "/api/v1/system/chips", ADMIN),
        quick(M::GET, "/api/v1/system/delivery", BOX_READERS),
        stream(M::GET, "/api/v1/system/backup", ADMIN, 0),
        quick(M::GET, "/api/v1/system/speech", BOX_READERS),
        quick(M::PATCH, "/api/v1/system/speech", ADMIN),
        quick(M::POST, "/api/v1/system/speech/models", ADMIN),
        quick(M::DELETE, "/api/v1/system/speech/models/{id}", ADMIN),
        quick(M::OPTIONS, "/api/v1/uploads", Anyone),
        stream(M::POST, "/api/v1/uploads", STAFF, PIECE),
        quick(M::OPTIONS, "/api/v1/uploads/{id}", Anyone),
        quick(M::HEAD, "/api/v1/uploads/{id}", STAFF),
        stream(M::POST, "/api/v1/uploads/{id}", STAFF, PIECE),
        stream(M::PATCH, "/api/v1/uploads/{id}", STAFF, PIECE),
        quick(M::DELETE, "/api/v1/uploads/{id}", STAFF),
        quick(M::GET, "/api/v1/upstreams", ADMIN),
        sized(M::POST, "/api/v1/upstreams", ADMIN, IDENTITIES),
        sized(M::PATCH, "/api/v1/upstreams/{id}", ADMIN, IDENTITIES),
        quick(M::DELETE, "/api/v1/upstreams/{id}", ADMIN),
        quick(M::GET, "/api/v1/upstreams/{id}/dead", ADMIN),
        quick(M::GET, "/api/v1/upstreams/{id}/lag", ADMIN),
        quick(M::DELETE, "/api/v1/upstreams/{id}/dead/{n}", ADMIN),
        quick(M::POST, "/api/v1/upstreams/{id}/dead/{n}/retry", ADMIN),
        quick(M::POST, "/api/v1/upstreams/{id}/replay", ADMIN),
        quick(M::POST, "/api/v1/upstreams/{id}/test", ADMIN),
        quick(M::GET, "/api/v1/videos", Anyone),
        quick(M::POST, "/api/v1/videos", STAFF),
        quick(M::GET, "/api/v1/videos/{id}", Anyone),
        quick(M::PATCH, "/api/v1/videos/{id}", STAFF),
        quick(M::DELETE, "/api/v1/videos/{id}", STAFF),
        quick(M::GET, "/api/v1/videos/{id}/{kind}", Anyone),
        quick(M::GET, "/api/v1/videos/{id}/{kind}/{language}", Anyone),
        sized(
            M::PUT,
            "/api/v1/videos/{id}/{kind}/{language}",
            STAFF,
            8 * MIB,
        ),
        quick(M::DELETE, "/api/v1/videos/{id}/{kind}/{language}", STAFF),
        sized(
            M::PUT,
            "/api/v1/videos/{id}/{kind}/{language}/draft",
            STAFF,
            8 * MIB,
        ),
        quick(
            M::DELETE,
            "/api/v1/videos/{id}/{kind}/{language}/draft",
            STAFF,
        ),
        quick(M::GET, "/api/v1/videos/{id}/{kind}/{language}/work", STAFF),
        quick(M::GET, "/api/v1/videos/{id}/chapters", Anyone),
        sized(M::PUT, "/api/v1/videos/{id}/chapters", STAFF, MIB),
        quick(M::DELETE, "/api/v1/videos/{id}/chapters", STAFF),
        quick(M::POST, "/api/v1/videos/{id}/play", Anyone),
        quick(M::GET, "/api/v1/videos/{id}/progress", SignedIn),
        quick(M::GET, "/api/v1/videos/{id}/retention", FIGURES),
        quick(M::GET, "/api/v1/videos/{id}/speech", STAFF),
        quick(M::POST, "/api/v1/videos/{id}/speech", STAFF),
        quick(M::DELETE, "/api/v1/videos/{id}/speech", STAFF),
        quick(M::GET, "/api/v1/videos/{id}/summary", FIGURES),
        quick(M::POST, "/api/v1/videos/{id}/versions", STAFF),
        quick(
            M::POST,
            "/api/v1/videos/{id}/versions/{version}/cancel",
            STAFF,
        ),
        quick(
            M::POST,
            "/api/v1/videos/{id}/versions/{version}/hurry",
            STAFF,
        ),
        quick(
            M::POST,
            "/api/v1/videos/{id}/versions/{version}/retry",
            STAFF,
        ),
        quick(M::GET, "/api/v1/videos/{id}/viewers", WATCHERS),
        stream(M::GET, "/api/v1/videos/{id}/viewers.csv", WATCHERS, 0),
        quick(M::GET, "/ca.crt", Own),
        quick(M::GET, "/healthz", Own),
        stream(M::GET, "/media/{video}/{version}/{*path}", Own, 0),
        stream(M::OPTIONS, "/media/{video}/{version}/{*path}", Own, 0),
        quick(M::GET, "/metrics", Own),
        quick(M::GET, "/readyz", Own),
        sized(M::OPTIONS, "/xapi/about", Own, 0),
        sized(M::GET, "/xapi/about", Own, MIB),
        sized(M::POST, "/xapi/about", Own, MIB),
        sized(M::OPTIONS, "/xapi/activities", Own, 0),
        sized(M::GET, "/xapi/activities", Own, MIB),
        sized(M::POST, "/xapi/activities", Own, MIB),
        sized(M::OPTIONS, "/xapi/activities/profile", Own, 0),
        sized(M::GET, "/xapi/activities/profile", Own, MIB),
        sized(M::PUT, "/xapi/activities/profile", Own, 8 * MIB),
        sized(M::POST, "/xapi/activities/profile", Own, 8 * MIB),
        sized(M::DELETE, "/xapi/activities/profile", Own, MIB),
        sized(M::OPTIONS, "/xapi/activities/state", Own, 0),
        sized(M::GET, "/xapi/activities/state", Own, MIB),
        sized(M::PUT, "/xapi/activities/state", Own, 8 * MIB),
        sized(M::POST, "/xapi/activities/state", Own, 8 * MIB),
        sized(M::DELETE, "/xapi/activities/state", Own, MIB),
        sized(M::OPTIONS, "/xapi/agents", Own, 0),
        sized(M::GET, "/xapi/agents", Own, MIB),
        sized(M::POST, "/xapi/agents", Own, MIB),
        sized(M::OPTIONS, "/xapi/agents/profile", Own, 0),
        sized(M::GET, "/xapi/agents/profile", Own, MIB),
        sized(M::PUT, "/xapi/agents/profile", Own, 8 * MIB),
        sized(M::POST, "/xapi/agents/profile", Own, 8 * MIB),
        sized(M::DELETE, "/xapi/agents/profile", Own, MIB),
        sized(M::OPTIONS, "/xapi/statements", Own, 0),
        sized(M::GET, "/xapi/statements", Own, MIB),
        sized(M::PUT, "/xapi/statements", Own, 32 * MIB),
        sized(M::POST, "/xapi/statements", Own, 32 * MIB),
    ]
});

/// What the table says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Its row
    Rule(&'static Rule),
    /// The path has rows, but none for this method
    OtherMethod,
    /// The path has no row
    Nothing,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.method == other.method && self.path == other.path
    }
}

impl Eq for Rule {}

static INDEX: LazyLock<HashMap<&'static str, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::new();
    for rule in TABLE.iter() {
        index.entry(rule.path).or_default().push(rule);
    }
    index
});

/// Looks a method and a matched path up.
pub fn find(method: &Method, path: &str) -> Found {
    let Some(rules) = INDEX.get(path) else {
        return Found::Nothing;
    };
    let exact = rules.iter().find(|rule| rule.method == *method);
    let as_get = || {
        rules
            .iter()
            .find(|rule| *method == Method::HEAD && rule.method == Method::GET)
    };
    match exact.or_else(as_get) {
        Some(rule) => Found::Rule(rule),
        None => Found::OtherMethod,
    }
}

/// The methods a path answers, for `Allow`.
pub fn allowed(path: &str) -> String {
    let methods = INDEX
        .get(path)
        .into_iter()
        .flatten()
        .map(|rule| rule.method.as_str());
    methods.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_path_stand_in_the_table_once() {
        let mut seen = std::collections::HashSet::new();
        for rule in TABLE.iter() {
            assert!(
                seen.insert((rule.method.clone(), rule.path)),
                "{} {}",
                rule.method,
                rule.path
            );
        }
    }

    #[test]
    fn head_follows_get_and_other_methods_are_told_apart() {
        assert!(matches!(
            find(&Method::HEAD, "/api/v1/videos"),
            Found::Rule(_)
        ));
        assert_eq!(find(&Method::PUT, "/api/v1/videos"), Found::OtherMethod);
        assert_eq!(find(&Method::GET, "/api/v1/secrets"), Found::Nothing);
        assert_eq!(allowed("/api/v1/settings"), "GET, PATCH");
    }

    #[test]
    fn no_administrator_reads_an_individuals_record_by_role_alone() {
        for path in [
            "/api/v1/evidence/export",
            "/api/v1/people/{id}/record",
            "/api/v1/people/{id}/record.csv",
            "/api/v1/people/{id}/record.json",
            "/api/v1/statements",
            "/api/v1/statements/{id}",
            "/api/v1/videos/{id}/viewers",
            "/api/v1/videos/{id}/viewers.csv",
        ] {
            let Found::Rule(rule) = find(&Method::GET, path) else {
                panic!("{path}")
            };
            let Who::Any(roles) = rule.who else {
                panic!("{path}")
            };
            assert!(!roles.contains(&Role::Admin));
        }
    }
}
