//! The command line of `lecternd`: names, options and their defaults, as in `docs/contract.md`, *Commands*.
//! Parsing only; what a command does is in `commands` and `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lectern_lrs::Scope;
use lectern_lrs::evidence::{Fingerprint, Hex};

/// A self-hosted learning-video appliance: one daemon that serves videos and keeps the record of who watched what.
#[derive(Debug, Parser)]
#[command(name = "lecternd", version, propagate_version = true)]
pub struct Cli {
    /// Folder that holds everything Lectern knows
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "/var/lib/lectern"
    )]
    pub state: PathBuf,

    /// Print exactly one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Everything `lecternd` can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages, the API, the media and the record store
    Serve(ServeArgs),
    /// People of this box
    #[command(subcommand)]
    User(UserCommand),
    /// What is known of a person, also of one who has no account here
    #[command(subcommand)]
    Person(PersonCommand),
    /// API bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Basic credentials of the record store (LRS)
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Add a video from a file
    Import(ImportArgs),
    /// Record stores that receive this box's statements
    #[command(subcommand)]
    Upstream(UpstreamCommand),
    /// Record stores that statements are pulled from: to migrate from one, or to follow one
    #[command(subcommand)]
    Source(SourceCommand),
    /// Statements out to files and in from them; the daemon goes on
    #[command(subcommand)]
    Statements(StatementsCommand),
    /// Write one archive of everything (`-` for standard output); the daemon goes on
    Backup {
        /// Where to write it
        file: PathBuf,
    },
    /// Put a backup into an empty state folder; no daemon may run
    Restore {
        /// The archive (`-` for standard input)
        file: PathBuf,
    },
    /// Check everything and say what to do
    Doctor,
    /// Write the evidence (the chain of records and its signed heads) to one file that any machine can check; the daemon
    /// goes on
    Evidence {
        /// Where to write it (`-` for standard output)
        file: PathBuf,
        /// The statements themselves as well, with names and results where others wrote them in
        #[arg(long)]
        bodies: bool,
    },
    /// Check the evidence in a backup archive, a `records.redb` or an export of `evidence`; needs no state folder
    Verify {
        /// The file
        file: PathBuf,
        /// Fingerprint of the key that must have signed it
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<Fingerprint>,
        /// Hash of a signed head that must be in it
        #[arg(long, value_name = "HASH")]
        head: Option<Hex<32>>,
    },
    /// Decode and encode one video, sandboxed (started by the daemon)
    #[command(hide = true)]
    Worker {
        /// Where its output goes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Write down what is said in one video, sandboxed (started by the daemon)
    #[command(hide = true)]
    SpeechWorker,
    /// Try one of this machine's chips (started by the daemon)
    #[command(hide = true)]
    TrialWorker,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Settings that must be known before the store opens (listeners, names of this box)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of the HTTP listener; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Address of the HTTPS listener (the box's own CA)
    #[arg(long, value_name = "ADDR")]
    pub https: Option<SocketAddr>,
    /// Address of the live media listener
    #[arg(long, value_name = "ADDR")]
    pub rtc: Option<SocketAddr>,
    /// Address of the listener for packages from outside (SCORM, cmi5)
    #[arg(long, value_name = "ADDR")]
    pub packages: Option<SocketAddr>,
    /// Version with which an xAPI request that names none is refused [default: 2.0.0]
    #[arg(long, value_name = "VERSION")]
    pub xapi_default: Option<XapiVersion>,
}

/// Versions of xAPI that the record store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
pub enum XapiVersion {
    /// xAPI 1.0.3
    #[value(name = "1.0.3")]
    #[serde(rename = "1.0.3")]
    V1_0_3,
    /// IEEE 9274.1.1-2023
    #[value(name = "2.0.0")]
    #[serde(rename = "2.0.0")]
    V2_0_0,
}

impl From<XapiVersion> for lectern_xapi::Version {
    fn from(version: XapiVersion) -> Self {
        match version {
            XapiVersion::V1_0_3 => Self::V1_0_3,
            XapiVersion::V2_0_0 => Self::V2_0_0,
        }
    }
}

/// `user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person
    Add {
        /// The name they sign in with
        name: String,
        /// What they may do; repeat for several
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<RoleName>,
        /// Read the password from standard input (its first line)
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

/// The four roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Runs the box
    Admin,
    /// Adds videos, sees who watched
    Instructor,
    /// Watches
    Learner,
    /// Reads the audit log
    Auditor,
}

impl RoleName {
    /// The role as it stands in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Instructor => "instructor",
            Self::Learner => "learner",
            Self::Auditor => "auditor",
        }
    }
}

/// `person …`
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Erase somebody for good: account, statements and documents; the chain of records stays valid. Without --yes it only
    /// says what there is
    Erase {
        /// Whom: a sign-in name, or mailto:…, an OpenID, "homePage name" of an account
        name: String,
        /// Do it
        #[arg(long)]
        yes: bool,
    },
}

/// `token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a bearer token for a person
    Add {
        /// Whose token
        #[arg(long, value_name = "NAME")]
        user: String,
    },
    /// Revoke all bearer tokens of a person
    Revoke {
        /// Whose tokens
        #[arg(long, value_name = "NAME")]
        user: String,
    },
}

/// `credential …`
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// Make a key and a secret
    Add {
        /// What it is for
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it may do; repeat for several [default: statements/write statements/read/mine]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scope())]
        scopes: Vec<Scope>,
    },
}

/// The names of scopes are the record store's.
fn scope() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(|(_, name)| name))
        .try_map(|name| name.parse::<Scope>())
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The video file (`-` for standard input)
    pub file: PathBuf,
    /// Its title
    #[arg(long, value_name = "TITLE")]
    pub title: String,
    /// Its language (BCP 47)
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// Return when every rendition is ready, or the job has failed
    #[arg(long)]
    pub wait: bool,
}

/// `source …`
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Add a record store; a running daemon begins to read it at once
    Add {
        /// Its name on the pages
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Its xAPI endpoint, for example https://lrs.example.edu/xapi
        #[arg(long, value_name = "URL")]
        url: String,
        /// The key of a Basic credential that may read all statements there
        #[arg(long, value_name = "KEY")]
        key: String,
        /// Read the secret from standard input (its first line)
        #[arg(long, required = true)]
        secret_stdin: bool,
        /// The version of xAPI it speaks [default: 1.0.3]
        #[arg(long, value_name = "VERSION")]
        version: Option<XapiVersion>,
        /// Only statements stored there after this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Read it to its end and no more; else it is asked for what is new
        #[arg(long)]
        once: bool,
        /// It may be on a loopback, link-local or private address
        #[arg(long)]
        allow_private: bool,
    },
    /// All sources, and how far each was read
    List,
    /// Statements of a source that could not be taken, and why
    Refused {
        /// Its name on the pages
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Remove a source; what came from it stays
    Remove {
        /// Its name on the pages
        #[arg(long, value_name = "NAME")]
        name: String,
    },
}

/// `statements …`
#[derive(Debug, Subcommand)]
pub enum StatementsCommand {
    /// Write statements to a file, one a line (NDJSON), with their attachments in lines between
    Export {
        /// Where to write it (`-` for standard output)
        file: PathBuf,
        /// Only what was stored after this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Only what was stored at this time or before (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<jiff::Timestamp>,
        /// Without the lines of attachments
        #[arg(long)]
        no_attachments: bool,
    },
    /// Take statements in from such a file; those that are here already are left as they are
    Import {
        /// The file (`-` for standard input)
        file: PathBuf,
        /// The version of statements that do not say theirs [default: 1.0.3]
        #[arg(long, value_name = "VERSION")]
        version: Option<XapiVersion>,
    },
    /// Write a Parquet file for each day (UTC): FOLDER/day=2026-11-26/statements.parquet
    Parquet {
        /// Where the days go
        folder: PathBuf,
        /// Only what was stored after this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Only what was stored at this time or before (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<jiff::Timestamp>,
    },
}

/// What becomes of whom a statement names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
pub enum IdentitiesName {
    /// Goes as it is
    Keep,
    /// Goes as the table says
    Map,
    /// Goes as a pseudonym that only this box can make
    Pseudonymise,
}

/// What becomes of a statement about somebody who is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
pub enum UnlistedName {
    /// Set aside, as a dead letter
    HoldBack,
    /// Goes as it is
    Keep,
}

/// `upstream …`
#[derive(Debug, Subcommand)]
pub enum UpstreamCommand {
    /// Add a record store
    Add {
        /// Its name on the pages
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Its xAPI endpoint, for example https://lrs.example.edu/xapi
        #[arg(long, value_name = "URL")]
        url: String,
        /// The key of the Basic credential it gave you
        #[arg(long, value_name = "KEY")]
        key: String,
        /// Read the secret from standard input (its first line)
        #[arg(long, required = true)]
        secret_stdin: bool,
        /// The version of xAPI it speaks [default: 1.0.3]
        #[arg(long, value_name = "VERSION")]
        version: Option<XapiVersion>,
        /// Forward statements stored after this time only (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Only this verb, by IRI; repeat for several
        #[arg(long = "verb", value_name = "IRI")]
        verbs: Vec<String>,
        /// Only what is about an activity whose id begins so, or has such a one around it (a course); repeat for several
        #[arg(long = "activity", value_name = "PREFIX")]
        activities: Vec<String>,
        /// Only what this person did: a sign-in name, mailto:…, or "homePage name" of an account; repeat for several
        #[arg(long = "person", value_name = "WHO")]
        people: Vec<String>,
        /// Whom it sees in the statements [default: keep]
        #[arg(long, value_name = "HOW")]
        identities: Option<IdentitiesName>,
        /// With `--identities map`: a file with a line for each person, `sign-in name,mailto:…` or `sign-in name,homePage name`
        #[arg(long, value_name = "FILE", required_if_eq("identities", "map"))]
        table: Option<PathBuf>,
        /// With `--identities map`: what becomes of a statement about somebody without a line [default: hold-back]
        #[arg(long, value_name = "WHAT")]
        unlisted: Option<UnlistedName>,
        /// It may be on a loopback, link-local or private address
        #[arg(long)]
        allow_private: bool,
    },
    /// Send again what was stored after a time; nothing gets there twice
    Replay {
        /// Its name on the pages
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Statements stored after this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: jiff::Timestamp,
    },
    /// All upstreams, their lag and last error
    List,
}
