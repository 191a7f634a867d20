//! `lectern.toml`: only what must be known before the store opens. Everything else is set on the pages and lives in
//! the record store.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use lectern_web::tls::Names;
use serde::Deserialize;

use crate::cli::{ServeArgs, XapiVersion};

const DEFAULT_HTTP: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// What `serve` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where HTTP is served
    pub http: SocketAddr,
    /// Where HTTPS is served, if anywhere
    pub https: Option<SocketAddr>,
    /// Where live media would be served
    pub rtc: Option<SocketAddr>,
    /// Where packages from outside would run
    pub packages: Option<SocketAddr>,
    /// How a request without a version is labelled
    pub xapi_default: XapiVersion,
    /// Names and addresses by which the box is reached, beside those that the machine knows itself by
    pub host_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    rtc: Option<SocketAddr>,
    packages: Option<SocketAddr>,
    xapi_default: Option<XapiVersion>,
    #[serde(default)]
    host_names: Vec<HostName>,
}

/// A name that a certificate can carry.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct HostName(String);

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match Names::default().add(&name) {
            true => Ok(Self(name)),
            false => Err(format!(
                "`{name}` is neither a host name (lectern.example.edu, without https:// and port) nor an address"
            )),
        }
    }
}

impl Config {
    /// The file's settings under those of the command line.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or names something unknown.
    pub fn load(args: &ServeArgs) -> anyhow::Result<Self> {
        let file = match &args.config {
            Some(path) => {
                read(path).with_context(|| format!("reading the settings in {}", path.display()))?
            }
            None => File::default(),
        };
        Ok(Self {
            http: args.http.or(file.http).unwrap_or(DEFAULT_HTTP),
            https: args.https.or(file.https),
            rtc: args.rtc.or(file.rtc),
            packages: args.packages.or(file.packages),
            xapi_default: args
                .xapi_default
                .or(file.xapi_default)
                .unwrap_or(XapiVersion::V2_0_0),
            host_names: file.host_names.into_iter().map(|name| name.0).collect(),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<File> {
    Ok(toml::from_str(&std::fs::read_to_string(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(config: Option<&Path>, http: Option<&str>) -> ServeArgs {
        ServeArgs {
            config: config.map(Path::to_owned),
            http: http.map(|address| address.parse().unwrap()),
            https: None,
            rtc: None,
            packages: None,
            xapi_default: None,
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lectern.toml");
        std::fs::write(
            &path,
            "http = \"127.0.0.1:1\"\nhttps = \"127.0.0.1:2\"\nxapi_default = \"1.0.3\"\n",
        )
        .unwrap();
        let config = Config::load(&args(Some(&path), Some("127.0.0.1:3"))).unwrap();
        assert_eq!(config.http.port(), 3);
        assert_eq!(config.https.unwrap().port(), 2);
        assert_eq!(config.xapi_default, XapiVersion::V1_0_3);
        assert_eq!(Config::load(&args(None, None)).unwrap().http, DEFAULT_HTTP);
    }

    #[test]
    fn the_certificate_carries_the_names_that_the_file_gives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lectern.toml");
        let names = "host_names = [\"lectern.example.edu\", \"192.0.2.7\"]\n";
        std::fs::write(&path, names).unwrap();
        let config = Config::load(&args(Some(&path), None)).unwrap();
        assert_eq!(config.host_names, ["lectern.example.edu", "192.0.2.7"]);
    }

    #[test]
    fn what_is_no_setting_or_no_name_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lectern.toml");
        for (text, named) in [
            ("htp = \"127.0.0.1:1\"\n", "htp"),
            (
                "host_names = [\"https://a.example\"]\n",
                "https://a.example",
            ),
            ("host_names = [\"*.example\"]\n", "*.example"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = format!("{:#}", Config::load(&args(Some(&path), None)).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
