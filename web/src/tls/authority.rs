//! Makes and keeps the authority's and the server's certificates in `tls/`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Names;

const CA_CERT: &str = "ca.crt";
const CA_KEY: &str = "ca.key";
const CERT: &str = "server.crt";
const KEY: &str = "server.key";
/// What the two certificates say, so that nobody has to read X.509 back.
pub(super) const NOTE: &str = "certificates.json";

/// Browsers take no server certificate that lasts longer than 398 days.
const SERVER_DAYS: i64 = 390;
/// A new one is made when less than this is left.
const RENEW_DAYS: i64 = 30;
const CA_YEARS: i64 = 10;

/// What keeps HTTPS from working.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of `tls/` cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which
        path: PathBuf,
        /// Why
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("making a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// What lies in `tls/` is no certificate or key of ours.
    #[error(
        "{path} is damaged; move the folder away to have new certificates made (all devices must then trust the new authority)"
    )]
    Damaged {
        /// Which
        path: PathBuf,
    },
    /// There is an HTTPS listener, but the application was made without an authority.
    #[error("HTTPS is switched off")]
    Off,
    /// The TLS library refuses the key.
    #[error("the server's key is refused: {0}")]
    Refused(#[from] rustls::Error),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub(super) ca_expires: Timestamp,
    pub(super) server: Option<Server>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    names: Names,
    pub(super) expires: Timestamp,
}

/// Why a server certificate has to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// There is none yet
    Missing,
    /// It ends soon
    Ends,
    /// The machine has other names or addresses now
    Renamed,
}

/// The box's authority.
pub struct Authority {
    folder: PathBuf,
    note: Note,
    ca_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the folder, and makes the authority when it is not there yet.
    ///
    /// # Errors
    /// The folder cannot be read or written, or holds something else.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, Error> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(|source| Error::Io {
            path: folder.to_owned(),
            source,
        })?;
        if !folder.join(NOTE).exists() {
            make(folder, now)?;
        }
        let damaged = |name: &str| Error::Damaged {
            path: folder.join(name),
        };
        let note = read_note(folder)?;
        let ca_pem = read(folder, CA_CERT)?;
        let key = KeyPair::from_pem(&read(folder, CA_KEY)?).map_err(|_| damaged(CA_KEY))?;
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key).map_err(|_| damaged(CA_CERT))?;
        Ok(Self {
            folder: folder.to_owned(),
            note,
            ca_pem,
            issuer,
        })
    }

    /// The authority's certificate, for `/ca.crt`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Its fingerprint, in hexadecimal, as devices show it.
    pub fn ca_sha256(&self) -> String {
        let der = CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).ok();
        der.map(|der| hex::encode(Sha256::digest(&der)))
            .unwrap_or_default()
    }

    /// When the authority ends; then every device must trust a new one.
    pub fn ca_expires(&self) -> Timestamp {
        self.note.ca_expires
    }

    /// When the server's certificate ends.
    pub fn server_expires(&self) -> Option<Timestamp> {
        self.note.server.as_ref().map(|server| server.expires)
    }

    /// The names in the server's certificate.
    pub fn names(&self) -> Option<&Names> {
        self.note.server.as_ref().map(|server| &server.names)
    }

    /// Whether the server's certificate has to be made anew.
    pub fn due(&self, names: &Names, now: Timestamp) -> Option<Due> {
        let Some(server) = &self.note.server else {
            return Some(Due::Missing);
        };
        if days_later(now, RENEW_DAYS) > server.expires {
            return Some(Due::Ends);
        }
        (server.names != *names).then_some(Due::Renamed)
    }

    /// The server's certificate and key, made anew first where that is due.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn server(&mut self, names: &Names, now: Timestamp) -> Result<CertifiedKey, Error> {
        if let Some(due) = self.due(names, now) {
            self.issue(names, now)?;
            tracing::info!(
                event = "certificate_made",
                ?due,
                names = names.texts().join(" ")
            );
        }
        let damaged = |name: &str| Error::Damaged {
            path: self.folder.join(name),
        };
        let cert = CertificateDer::from_pem_slice(read(&self.folder, CERT)?.as_bytes())
            .map_err(|_| damaged(CERT))?;
        let key = PrivateKeyDer::from_pem_slice(read(&self.folder, KEY)?.as_bytes())
            .map_err(|_| damaged(KEY))?;
        let ca =
            CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).map_err(|_| damaged(CA_CERT))?;
        let key = rustls::crypto::ring::sign::any_supported_type(&key)?;
        Ok(CertifiedKey::new(vec![cert, ca], key))
    }

    fn issue(&mut self, names: &Names, now: Timestamp) -> Result<(), Error> {
        let expires = days_later(now, SERVER_DAYS).min(self.note.ca_expires);
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Lectern");
        params.subject_alt_names = names
            .addresses
            .iter()
            .map(|address| SanType::IpAddress(*address))
            .collect();
        for host in &names.hosts {
            params
                .subject_alt_names
                .push(SanType::DnsName(host.as_str().try_into()?));
        }
        let (year, month, day) = date(days_later(now, -1));
        params.not_before = rcgen::date_time_ymd(year, month, day);
        let (year, month, day) = date(expires);
        params.not_after = rcgen::date_time_ymd(year, month, day);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        // The key first: a certificate without its key would be shown and fail.
        write(&self.folder, KEY, &key.serialize_pem())?;
        write(&self.folder, CERT, &certificate.pem())?;
        self.note.server = Some(Server {
            names: names.clone(),
            expires,
        });
        write_note(&self.folder, &self.note)
    }
}

/// Makes the authority itself.
fn make(folder: &Path, now: Timestamp) -> Result<(), Error> {
    let zoned = now.to_zoned(TimeZone::UTC);
    let ca_expires = zoned
        .checked_add(Span::new().years(CA_YEARS))
        .map_or(Timestamp::MAX, |end| end.timestamp());
    let key = KeyPair::generate()?;
    let serial = hex::encode(&Sha256::digest(key.public_key_raw())[..4]);
    let mut params = CertificateParams::default();
    // Each box's authority has a name of its own, so that a device that trusts two tells them apart.
    params.distinguished_name = named(&format!("Lectern box {serial}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A box whose clock was wrong at its first start must still be believed later.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    let (year, month, day) = date(ca_expires);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let certificate = params.self_signed(&key)?;
    write(folder, CA_KEY, &key.serialize_pem())?;
    write(folder, CA_CERT, &certificate.pem())?;
    tracing::info!(
        event = "authority_made",
        name = format!("Lectern box {serial}")
    );
    write_note(
        folder,
        &Note {
            ca_expires,
            server: None,
        },
    )
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name.push(DnType::OrganizationName, "Lectern");
    name
}

fn days_later(time: Timestamp, days: i64) -> Timestamp {
    let later = time.checked_add(Span::new().hours(days * 24));
    later.unwrap_or(if days < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Year, month and day, as rcgen takes them.
fn date(time: Timestamp) -> (i32, u8, u8) {
    let date = time.to_zoned(TimeZone::UTC).date();
    (
        i32::from(date.year()),
        u8::try_from(date.month()).unwrap_or(1),
        u8::try_from(date.day()).unwrap_or(1),
    )
}

fn read(folder: &Path, name: &str) -> Result<String, Error> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|source| Error::Io { path, source })
}

pub(super) fn read_note(folder: &Path) -> Result<Note, Error> {
    serde_json::from_str(&read(folder, NOTE)?).map_err(|_| Error::Damaged {
        path: folder.join(NOTE),
    })
}

fn write_note(folder: &Path, note: &Note) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(note).map_err(|error| Error::Io {
        path: folder.join(NOTE),
        source: std::io::Error::other(error),
    })?;
    write(folder, NOTE, &text)
}

/// Whole or not at all, and for our eyes only.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = folder.join(name);
    let fresh = folder.join(format!("{name}.new"));
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| Error::Io {
        path: path.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T18:30:00Z".parse().unwrap()
    }

    fn names(host: &str) -> Names {
        let mut names = Names::default();
        names.add(host);
        names.add("192.0.2.1");
        names
    }

    #[test]
    fn the_authority_outlives_a_restart_and_its_server_certificate_does_not_change() {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        let mut first = Authority::open(&tls, now()).unwrap();
        let shown = first.server(&names("a.example"), now()).unwrap();
        let mut again = Authority::open(&tls, now()).unwrap();
        assert_eq!(again.ca_sha256(), first.ca_sha256());
        assert_eq!(
            again.server(&names("a.example"), now()).unwrap().cert,
            shown.cert
        );
    }

    #[test]
    fn keys_are_for_the_daemon_alone() {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        Authority::open(&tls, now())
            .unwrap()
            .server(&names("a.example"), now())
            .unwrap();
        for name in [CA_KEY, KEY] {
            assert_eq!(
                fs::metadata(tls.join(name)).unwrap().permissions().mode() & 0o777,
                0o600,
                "{name}"
            );
        }
        assert_eq!(
            fs::metadata(&tls).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_certificate_is_made_anew_before_it_ends_and_when_a_name_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = Authority::open(folder.path(), now()).unwrap();
        assert_eq!(
            authority.due(&names("a.example"), now()),
            Some(Due::Missing)
        );
        authority.server(&names("a.example"), now()).unwrap();
        assert_eq!(authority.due(&names("a.example"), now()), None);
        assert_eq!(
            authority.due(&names("b.example"), now()),
            Some(Due::Renamed)
        );
        let later = days_later(now(), SERVER_DAYS - RENEW_DAYS + 1);
        assert_eq!(authority.due(&names("a.example"), later), Some(Due::Ends));
        authority.server(&names("a.example"), later).unwrap();
        assert_eq!(authority.due(&names("a.example"), later), None);
    }

    #[test]
    fn a_damaged_folder_is_named_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        Authority::open(folder.path(), now()).unwrap();
        fs::write(folder.path().join(CA_KEY), "rubbish").unwrap();
        let error = Authority::open(folder.path(), now()).err().unwrap();
        assert!(error.to_string().contains(CA_KEY), "{error}");
        assert_eq!(
            fs::read_to_string(folder.path().join(CA_KEY)).unwrap(),
            "rubbish"
        );
    }
}
