//! Requests as they travel over the control socket; made from the command line, which stays on the client's side.

use std::io::{BufRead, Read};
use std::path::Path;

use anyhow::Context;
use lectern_lrs::{Scope, Stored};
use serde::{Deserialize, Serialize};

use super::sources::SourceAdd;
use crate::cli::{
    Command, CredentialCommand, IdentitiesName, PersonCommand, SourceCommand, StatementsCommand,
    TokenCommand, UnlistedName, UpstreamCommand, UserCommand, XapiVersion,
};

/// A password or secret longer than this is refused.
const MAX_SECRET_BYTES: u64 = 4096;

/// One command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// `user add`
    UserAdd {
        name: String,
        roles: Vec<String>,
        password: String,
    },
    /// `person erase`
    PersonErase { name: String, yes: bool },
    /// `token add`
    TokenAdd { user: String },
    /// `token revoke`
    TokenRevoke { user: String },
    /// `credential add`
    CredentialAdd { name: String, scopes: Vec<Scope> },
    /// `import`; the file follows
    Import(Import),
    /// `upstream add`
    UpstreamAdd(UpstreamAdd),
    /// `upstream replay`
    UpstreamReplay {
        name: String,
        since: jiff::Timestamp,
    },
    /// `upstream list`
    UpstreamList,
    /// `source add`
    SourceAdd(SourceAdd),
    /// `source list`
    SourceList,
    /// `source refused`
    SourceRefused { name: String },
    /// `source remove`
    SourceRemove { name: String },
    /// `backup`; the archive is written back
    Backup,
    /// `backup` again, once the archive is whole where it belongs
    BackupKept { made: jiff::Timestamp },
    /// `evidence`; the export is written back
    Evidence { bodies: bool },
    /// `statements export`; the file is written back
    StatementsExport { which: Stored, attachments: bool },
    /// `statements import`; the file follows
    StatementsImport {
        version: XapiVersion,
        file_name: String,
    },
    /// `statements parquet` first
    StatementsDays { which: Stored },
    /// `statements parquet` for each day; the file is written back
    StatementsDay { day: jiff::civil::Date },
    /// `doctor`
    Doctor,
}

/// Facts of `import`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Title of the video
    pub title: String,
    /// BCP 47
    pub language: Option<String>,
    /// Name of the file, for the report
    pub file_name: String,
    /// Length of the file, where known
    pub bytes: Option<u64>,
    /// Answer at *ready* or *failed* only
    pub wait: bool,
}

/// Facts of `upstream add`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamAdd {
    /// Name on the pages
    pub name: String,
    /// xAPI endpoint
    pub url: String,
    /// Basic credential's key
    pub key: String,
    /// Basic credential's secret
    pub secret: String,
    /// Version it speaks
    pub version: Option<XapiVersion>,
    /// Only what was stored after this
    pub since: Option<jiff::Timestamp>,
    /// Only these verbs
    pub verbs: Vec<String>,
    /// Only these activities, and what has them around it
    pub activities: Vec<String>,
    /// Only these people, as typed
    pub people: Vec<String>,
    /// Whom it sees
    pub identities: Option<IdentitiesName>,
    /// With `map`: whom it knows as whom
    pub table: Vec<(String, String)>,
    /// With `map`: what becomes of the others
    pub unlisted: Option<UnlistedName>,
    /// May lie on a private address
    pub allow_private: bool,
}

/// The request that a command line asks for.
///
/// # Errors
/// A secret that should come by standard input is missing or too long.
pub fn from_command(command: &Command) -> anyhow::Result<Request> {
    Ok(match command {
        Command::User(UserCommand::Add {
            name,
            roles,
            password_stdin: _,
        }) => Request::UserAdd {
            name: name.clone(),
            roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
            password: secret_from_stdin("the password")?,
        },
        Command::Person(PersonCommand::Erase { name, yes }) => Request::PersonErase {
            name: name.clone(),
            yes: *yes,
        },
        Command::Token(TokenCommand::Add { user }) => Request::TokenAdd { user: user.clone() },
        Command::Token(TokenCommand::Revoke { user }) => {
            Request::TokenRevoke { user: user.clone() }
        }
        Command::Credential(CredentialCommand::Add { name, scopes }) => Request::CredentialAdd {
            name: name.clone(),
            scopes: scopes.clone(),
        },
        Command::Import(args) => Request::Import(Import {
            title: args.title.clone(),
            language: args.language.clone(),
            file_name: file_name(&args.file),
            bytes: None,
            wait: args.wait,
        }),
        Command::Upstream(UpstreamCommand::Add {
            name,
            url,
            key,
            secret_stdin: _,
            version,
            since,
            verbs,
            activities,
            people,
            identities,
            table,
            unlisted,
            allow_private,
        }) => Request::UpstreamAdd(UpstreamAdd {
            name: name.clone(),
            url: url.clone(),
            key: key.clone(),
            secret: secret_from_stdin("the secret")?,
            version: *version,
            since: *since,
            verbs: verbs.clone(),
            activities: activities.clone(),
            people: people.clone(),
            identities: *identities,
            table: match table {
                Some(file) => read_table(file)?,
                None => Vec::new(),
            },
            unlisted: *unlisted,
            allow_private: *allow_private,
        }),
        Command::Upstream(UpstreamCommand::Replay { name, since }) => Request::UpstreamReplay {
            name: name.clone(),
            since: *since,
        },
        Command::Upstream(UpstreamCommand::List) => Request::UpstreamList,
        Command::Source(SourceCommand::Add {
            name,
            url,
            key,
            secret_stdin: _,
            version,
            since,
            once,
            allow_private,
        }) => Request::SourceAdd(SourceAdd {
            name: name.clone(),
            url: url.clone(),
            key: key.clone(),
            secret: secret_from_stdin("the secret")?,
            version: *version,
            since: *since,
            once: *once,
            allow_private: *allow_private,
        }),
        Command::Source(SourceCommand::List) => Request::SourceList,
        Command::Source(SourceCommand::Refused { name }) => {
            Request::SourceRefused { name: name.clone() }
        }
        Command::Source(SourceCommand::Remove { name }) => {
            Request::SourceRemove { name: name.clone() }
        }
        Command::Statements(StatementsCommand::Export {
            file: _,
            since,
            until,
            no_attachments,
        }) => Request::StatementsExport {
            which: Stored {
                since: *since,
                until: *until,
            },
            attachments: !no_attachments,
        },
        Command::Statements(StatementsCommand::Import { file, version }) => {
            Request::StatementsImport {
                version: version.unwrap_or(XapiVersion::V1_0_3),
                file_name: file_name(file),
            }
        }
        Command::Doctor => Request::Doctor,
        Command::Serve(_)
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::Evidence { .. }
        | Command::Statements(StatementsCommand::Parquet { .. })
        | Command::Verify { .. }
        | Command::Worker { .. }
        | Command::SpeechWorker
        | Command::TrialWorker => {
            anyhow::bail!("this command is not a single request to the daemon")
        }
    })
}

fn file_name(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy());
    name.unwrap_or_default().into_owned()
}

/// Lines of two fields with a comma, semicolon or tab between.
fn read_table(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("reading the table {}", file.display()))?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let (from, to) = line
                .split_once([',', ';', '\t'])
                .with_context(|| format!("line {} of the table has no comma", number + 1))?;
            Ok((from.trim().to_owned(), to.trim().to_owned()))
        })
        .collect()
}

fn secret_from_stdin(what: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_SECRET_BYTES + 1)
        .read_line(&mut line)
        .with_context(|| format!("reading {what} from standard input"))?;
    anyhow::ensure!(
        line.len() as u64 <= MAX_SECRET_BYTES,
        "{what} is longer than {MAX_SECRET_BYTES} bytes"
    );
    let secret = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        !secret.is_empty(),
        "{what} is missing: write it to standard input, its first line is taken"
    );
    Ok(secret.to_owned())
}
