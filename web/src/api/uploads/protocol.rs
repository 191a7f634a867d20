//! What tus 1.0.0 says in headers, parsed. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, header};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::problem::{Problem, Status};

/// The one version spoken.
pub(super) const VERSION: &str = "1.0.0";
/// The extensions spoken.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";
/// The checksums understood; `sha1` is the one that every server must.
pub(super) const ALGORITHMS: &str = "sha1,sha256";
/// The kind of body that carries bytes.
const BYTES: &str = "application/offset+octet-stream";

/// An upload that is announced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Creation {
    pub(super) length: u64,
    /// From the metadata; empty when not given
    pub(super) name: String,
    /// As it came
    pub(super) metadata: String,
    /// Whether its first bytes come along
    pub(super) has_bytes: bool,
}

/// Bytes that come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) checksum: Option<Checksum>,
}

/// What the bytes must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

/// Takes the bytes in, and says whether they were the ones meant.
pub(super) enum Hasher {
    Sha1(Sha1, [u8; 20]),
    Sha256(Sha256, [u8; 32]),
}

/// Refuses a client that speaks another version (core protocol, *Tus-Resumable*).
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    match value(headers, "tus-resumable") {
        Some(VERSION) => Ok(()),
        _ => Err(Problem::new(
            Status::PreconditionFailed,
            "This box speaks tus 1.0.0; send `Tus-Resumable: 1.0.0`.",
        )
        .header(
            http::HeaderName::from_static("tus-version"),
            HeaderValue::from_static(VERSION),
        )),
    }
}

impl Creation {
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        if headers.contains_key("upload-defer-length") {
            return Err(Problem::bad_request(
                "An upload's length must be known when it is announced.",
            ));
        }
        let length = number(headers, "upload-length")?;
        let metadata = match headers.get("upload-metadata") {
            None => String::new(),
            Some(sent) => {
                let sent = sent.to_str().map_err(|_| wrong_metadata())?;
                sent.to_owned()
            }
        };
        Ok(Self {
            length,
            name: file_name(&metadata)?,
            metadata,
            has_bytes: value(headers, header::CONTENT_TYPE.as_str()) == Some(BYTES),
        })
    }
}

impl Piece {
    /// For an upload that exists.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        if value(headers, header::CONTENT_TYPE.as_str()) != Some(BYTES) {
            let detail = format!("Send the bytes as `Content-Type: {BYTES}`.");
            return Err(Problem::new(Status::UnsupportedMedia, detail));
        }
        Ok(Self {
            offset: number(headers, "upload-offset")?,
            checksum: checksum(headers)?,
        })
    }

    /// For one that is just announced.
    pub(super) fn parse_first(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            offset: 0,
            checksum: checksum(headers)?,
        })
    }
}

impl Checksum {
    pub(super) fn hasher(&self) -> Hasher {
        match self {
            Self::Sha1(expected) => Hasher::Sha1(Sha1::new(), *expected),
            Self::Sha256(expected) => Hasher::Sha256(Sha256::new(), *expected),
        }
    }
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher, _) => hasher.update(bytes),
            Self::Sha256(hasher, _) => hasher.update(bytes),
        }
    }

    pub(super) fn matches(self) -> bool {
        match self {
            Self::Sha1(hasher, expected) => hasher.finalize().as_slice() == expected,
            Self::Sha256(hasher, expected) => hasher.finalize().as_slice() == expected,
        }
    }
}

fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(sent) = headers.get("upload-checksum") else {
        return Ok(None);
    };
    let sent = sent.to_str().unwrap_or_default();
    let (algorithm, encoded) = sent.split_once(' ').unwrap_or((sent, ""));
    let bytes = STANDARD.decode(encoded.trim()).ok();
    let parsed = match (algorithm, bytes) {
        ("sha1", Some(bytes)) => bytes.try_into().ok().map(Checksum::Sha1),
        ("sha256", Some(bytes)) => bytes.try_into().ok().map(Checksum::Sha256),
        _ => None,
    };
    let detail =
        "The checksum is not understood: `sha1` or `sha256`, a space, and the hash in base64.";
    parsed.map(Some).ok_or_else(|| Problem::bad_request(detail))
}

/// `filename` in `Upload-Metadata`: pairs of a key and base64, by commas (tus, creation).
fn file_name(metadata: &str) -> Result<String, Problem> {
    let mut name = String::new();
    for pair in metadata.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (key, encoded) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let decoded = STANDARD
            .decode(encoded.trim())
            .map_err(|_| wrong_metadata())?;
        if key == "filename" {
            name = String::from_utf8(decoded).map_err(|_| wrong_metadata())?;
        }
    }
    Ok(name)
}

fn wrong_metadata() -> Problem {
    Problem::bad_request(
        "`Upload-Metadata` is not understood: keys and their values in base64, with commas between.",
    )
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, Problem> {
    let sent = value(headers, name).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = sent.and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| {
        Problem::bad_request(format!("The header `{name}` must be a number of bytes."))
    })
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_client_of_another_version_is_refused_with_412_and_ours() {
        for sent in [&[][..], &[("tus-resumable", "0.2.2")]] {
            let problem = check_version(&headers(sent)).unwrap_err();
            assert_eq!(problem.status(), Status::PreconditionFailed);
        }
        check_version(&headers(&[("tus-resumable", "1.0.0")])).unwrap();
    }

    #[test]
    fn an_announcement_needs_a_length_and_readable_metadata() {
        let sent = [
            ("upload-length", "100"),
            (
                "upload-metadata",
                "filename w6QubXA0, filetype ,is_confidential",
            ),
        ];
        let creation = Creation::parse(&headers(&sent)).unwrap();
        assert_eq!((creation.length, creation.name.as_str()), (100, "ä.mp4"));
        for wrong in [
            &[][..],
            &[("upload-length", "-1")],
            &[("upload-length", "+1")],
            &[("upload-length", "1e3")],
            &[("upload-length", "")],
            &[("upload-length", "99999999999999999999")],
            &[("upload-length", "1"), ("upload-defer-length", "1")],
            &[("upload-length", "1"), ("upload-metadata", "filename !!")],
            &[("upload-length", "1"), ("upload-metadata", "filename /w==")],
        ] {
            let problem = Creation::parse(&headers(wrong)).unwrap_err();
            assert_eq!(problem.status(), Status::BadRequest, "{wrong:?}");
        }
    }

    #[test]
    fn a_piece_needs_its_kind_and_its_place_and_a_checksum_that_is_one() {
        let kind = ("content-type", BYTES);
        let other = Piece::parse(&headers(&[("upload-offset", "0")])).unwrap_err();
        assert_eq!(other.status(), Status::UnsupportedMedia);
        let none = Piece::parse(&headers(&[kind])).unwrap_err();
        assert_eq!(none.status(), Status::BadRequest);
        for sent in [
            "md5 1B2M2Y8AsgTpgAmY7PhCfg==",
            "sha1",
            "sha1 xx",
            "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ] {
            let sent = headers(&[kind, ("upload-offset", "0"), ("upload-checksum", sent)]);
            assert_eq!(
                Piece::parse(&sent).unwrap_err().status(),
                Status::BadRequest
            );
        }
        // The protocol's own example: "hello world".
        let sent = headers(&[
            kind,
            ("upload-offset", "0"),
            ("upload-checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="),
        ]);
        let checksum = Piece::parse(&sent).unwrap().checksum.unwrap();
        for (bytes, is_right) in [("hello world", true), ("hello worlds", false)] {
            let mut hasher = checksum.hasher();
            hasher.update(bytes.as_bytes());
            assert_eq!(hasher.matches(), is_right);
        }
    }
}
