//! What each command but `serve` does: asked of the running daemon when there is one, else done here on the files.

mod archive;
mod execute;
mod import;
mod print;
mod request;
mod sources;
mod statements;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use lectern_lrs::Stored;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::cli::{Command, StatementsCommand};
use crate::control::{Client, Reply};
use crate::services::{Services, is_in_use};
use crate::{backup, scheduler, verify};

use archive::Archive;
pub use execute::execute;
use print::Place;
pub use request::Request;

/// Who did it, in the audit log, when a command did: whoever may use the machine itself.
pub const BOX: &str = "box";
/// How long a daemon that has the stores may take until it listens.
const STARTING: Duration = Duration::from_secs(10);

/// Runs one command and prints its answer. Exit code 0 done, 1 failed (2, usage, is clap's).
pub async fn run(state: &Path, command: Command, json: bool) -> ExitCode {
    let place = match &command {
        // What they write has standard output to itself.
        Command::Backup { file }
        | Command::Evidence { file, .. }
        | Command::Statements(StatementsCommand::Export { file, .. })
            if file == Path::new("-") =>
        {
            Place::StandardError
        }
        _ => Place::StandardOutput,
    };
    let reply = match answer(state, command).await {
        Ok(reply) => reply,
        Err(error) => Err(format!("{error:#}")),
    };
    print::reply(reply, json, place)
}

async fn answer(state: &Path, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::Restore { file } => {
            anyhow::ensure!(
                Client::connect(state).await?.is_none(),
                "A daemon runs on this state folder. Stop it first."
            );
            let state = state.to_owned();
            let work = move || backup::restore(open(&file)?, &state, Timestamp::now());
            let restored = tokio::task::spawn_blocking(work).await??;
            Ok(Ok(json!({
                "files": restored.summary.files,
                "bytes": restored.summary.bytes,
                "made": restored.made,
            })))
        }
        Command::Verify { file, key, head } => {
            tokio::task::spawn_blocking(move || verify::verify(&file, key, head))
                .await?
                .map(Ok)
        }
        Command::Evidence { file, bodies } => {
            write_to(state, &file, &Request::Evidence { bodies }).await
        }
        Command::Backup { file } => back_up(state, &file).await,
        Command::Statements(StatementsCommand::Export { ref file, .. }) => {
            write_to(state, file, &request::from_command(&command)?).await
        }
        Command::Statements(StatementsCommand::Parquet {
            ref folder,
            since,
            until,
        }) => write_days(state, folder, Stored { since, until }).await,
        command => {
            let (request, input) = prepare(&command).await?;
            ask(state, &request, input, Box::new(tokio::io::sink())).await
        }
    }
}

/// The file that a command writes has its name once all of it is on disk.
async fn write_to(state: &Path, file: &Path, request: &Request) -> anyhow::Result<Reply> {
    let (archive, output): (_, Output) = if file == Path::new("-") {
        (None, Box::new(standard(io::stdout().as_fd())?))
    } else {
        let archive =
            Archive::create(file).with_context(|| format!("writing {}", file.display()))?;
        let output = archive.writer()?;
        (Some(archive), Box::new(output))
    };
    let reply = ask(state, request, Box::new(tokio::io::empty()), output).await?;
    if let (Ok(_), Some(archive)) = (&reply, archive) {
        tokio::task::spawn_blocking(move || archive.keep())
            .await?
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(reply)
}

/// A file for each day, which has its name once it is whole.
async fn write_days(state: &Path, folder: &Path, which: Stored) -> anyhow::Result<Reply> {
    let request = Request::StatementsDays { which };
    let sink = || Box::new(tokio::io::sink());
    let days = match ask(state, &request, Box::new(tokio::io::empty()), sink()).await? {
        Ok(days) => days,
        refused => return Ok(refused),
    };
    let mut statements = 0;
    let mut written = Vec::new();
    for day in statements::days_to_write(folder, which, &days)? {
        let file = statements::file_of(folder, day)?;
        let request = Request::StatementsDay { day };
        let one = match write_to(state, &file, &request).await? {
            Ok(one) => one,
            refused => return Ok(refused),
        };
        statements += one
            .get("statements")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        written.push(one);
    }
    Ok(Ok(json!({ "statements": statements, "days": written })))
}

/// Only when it is whole the box counts it as a backup.
async fn back_up(state: &Path, file: &Path) -> anyhow::Result<Reply> {
    let reply = write_to(state, file, &Request::Backup).await?;
    let Ok(value) = &reply else {
        return Ok(reply);
    };
    let made = value.get("made").and_then(|made| made.as_str());
    if let Some(made) = made.and_then(|made| made.parse::<Timestamp>().ok()) {
        let kept = Request::BackupKept { made };
        let noted = ask(
            state,
            &kept,
            Box::new(tokio::io::empty()),
            Box::new(tokio::io::sink()),
        )
        .await;
        // The archive is whole all the same.
        if let Err(error) = noted.and_then(|reply| reply.map_err(anyhow::Error::msg)) {
            tracing::warn!(event = "backup_not_noted", "{error:#}");
        }
    }
    Ok(reply)
}

/// Sends the request to the daemon, or carries it out here when none runs.
async fn ask(
    state: &Path,
    request: &Request,
    input: Input,
    output: Output,
) -> anyhow::Result<Reply> {
    let end = Instant::now() + STARTING;
    loop {
        let client = Client::connect(state).await;
        if let Some(client) = client.context("connecting to the daemon")? {
            return client
                .call(request, input, output)
                .await
                .context("the daemon went away in the middle of the command");
        }
        let folder = state.to_owned();
        match tokio::task::spawn_blocking(move || Services::open(&folder)).await? {
            Ok(services) => {
                let reply = execute_alone(&services, request.clone(), input, output).await;
                services.close();
                return Ok(reply);
            }
            // A daemon that has the stores but does not listen yet is about to.
            Err(error) if is_in_use(&error) && Instant::now() < end => {
                tokio::time::sleep(STARTING / 100).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// As the daemon does it, with a scheduler of its own where the command waits for a job.
async fn execute_alone(
    services: &Services,
    request: Request,
    input: Input,
    output: Output,
) -> Reply {
    let waits = matches!(&request, Request::Import(import) if import.wait);
    if !waits {
        return execute(services, request, input, output).await;
    }
    let stop = CancellationToken::new();
    let scheduling = tokio::spawn(scheduler::run(services.clone(), stop.clone()));
    let reply = execute(services, request, input, output).await;
    stop.cancel();
    if let Ok(Err(error)) = scheduling.await {
        tracing::warn!(event = "scheduler.end", "{error:#}");
    }
    reply
}

type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Turns the command line into a request and what it reads: what comes from this process's standard input or files is
/// read here.
async fn prepare(command: &Command) -> anyhow::Result<(Request, Input)> {
    let mut request = request::from_command(command)?;
    let input: Input = match (&mut request, command) {
        (Request::Import(_), Command::Import(args)) if args.file == Path::new("-") => {
            Box::new(standard(io::stdin().as_fd())?)
        }
        (
            Request::StatementsImport { .. },
            Command::Statements(StatementsCommand::Import { file, .. }),
        ) => match file == Path::new("-") {
            true => Box::new(standard(io::stdin().as_fd())?),
            false => Box::new(
                tokio::fs::File::open(file)
                    .await
                    .with_context(|| format!("opening {}", file.display()))?,
            ),
        },
        (Request::Import(import), Command::Import(args)) => {
            let file = tokio::fs::File::open(&args.file)
                .await
                .with_context(|| format!("opening {}", args.file.display()))?;
            import.bytes = Some(file.metadata().await?.len());
            Box::new(file)
        }
        _ => Box::new(tokio::io::empty()),
    };
    Ok((request, input))
}

/// This process's own input or output, read and written off the runtime's threads.
fn standard(descriptor: BorrowedFd<'_>) -> io::Result<tokio::fs::File> {
    Ok(tokio::fs::File::from_std(std::fs::File::from(
        descriptor.try_clone_to_owned()?,
    )))
}

fn open(file: &Path) -> anyhow::Result<Box<dyn io::Read + Send>> {
    Ok(if file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(io::BufReader::new(
            std::fs::File::open(file).with_context(|| format!("opening {}", file.display()))?,
        ))
    })
}
