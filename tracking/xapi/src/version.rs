//! The two versions of xAPI that we speak, and how a request and a statement name theirs (Comm 3.3; 2.0 4.2.4.3).

use std::fmt;

/// Which rules a request is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// xAPI 1.0.3; requests of any 1.0.x come here.
    V1_0_3,
    /// xAPI 2.0.0 (IEEE 9274.1.1-2023).
    V2_0_0,
}

/// The header names a version we do not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("X-Experience-API-Version {asked:?} is neither 1.0.x nor 2.0.x")]
pub struct UnknownVersion {
    /// What was asked for, cut to 32 characters.
    pub asked: String,
}

impl Version {
    /// Reads `X-Experience-API-Version`: `1.0` and any `1.0.x` are 1.0.3, `2.0` and any `2.0.x` are 2.0.0.
    pub fn from_header(header: &str) -> Result<Self, UnknownVersion> {
        let asked = header.trim();
        if is_patch_of(asked, "1.0") {
            Ok(Self::V1_0_3)
        } else if is_patch_of(asked, "2.0") {
            Ok(Self::V2_0_0)
        } else {
            Err(UnknownVersion {
                asked: asked.chars().take(32).collect(),
            })
        }
    }

    /// The response header: exactly the version whose rules were applied.
    pub fn header(self) -> &'static str {
        match self {
            Self::V1_0_3 => "1.0.3",
            Self::V2_0_0 => "2.0.0",
        }
    }

    /// What a statement without `version` gets. Not 1.0.3: Data 2.4.10 says 1.0.0.
    pub fn of_statement(self) -> &'static str {
        match self {
            Self::V1_0_3 => "1.0.0",
            Self::V2_0_0 => "2.0.0",
        }
    }

    /// Whether a statement sent under this version may call itself `version`. Under 2.0 the older ones are welcome.
    pub(crate) fn admits(self, version: &str) -> bool {
        is_patch_of(version, "1.0") || (self == Self::V2_0_0 && is_patch_of(version, "2.0"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header())
    }
}

fn is_patch_of(version: &str, minor: &str) -> bool {
    match version.strip_prefix(minor) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|patch| {
            (1..=4).contains(&patch.len()) && patch.bytes().all(|byte| byte.is_ascii_digit())
        }),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn every_patch_of_a_spoken_version_is_understood() {
        for header in ["1.0", "1.0.0", "1.0.3", "1.0.9"] {
            assert_eq!(
                Version::from_header(header),
                Ok(Version::V1_0_3),
                "{header}"
            );
        }
        for header in ["2.0", "2.0.0", "2.0.1"] {
            assert_eq!(
                Version::from_header(header),
                Ok(Version::V2_0_0),
                "{header}"
            );
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for header in [
            "", "0.9", "0.95", "1.1.0", "1", "2", "2.1.0", "1.0.", "1.0.x", "10.0",
        ] {
            assert!(Version::from_header(header).is_err(), "{header}");
        }
    }
}
