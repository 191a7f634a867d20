//! What each command but `serve` does: asked of the running daemon when there is one, else done here on the files.

mod execute;
mod print;
mod request;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::cli::Command;
use crate::control::{Client, Reply};
use crate::services::{Services, is_in_use};
use crate::{backup, doctor, scheduler};

pub use execute::execute;
pub use request::Request;

/// How long a daemon that has the stores may take until it listens.
const STARTING: Duration = Duration::from_secs(10);

/// Runs one command and prints its answer. Exit code 0 done, 1 failed (2, usage, is clap's).
pub async fn run(state: &Path, command: Command, json: bool) -> ExitCode {
    let reply = match answer(state, command).await {
        Ok(reply) => reply,
        Err(error) => Err(format!("{error:#}")),
    };
    print::reply(reply, json)
}

async fn answer(state: &Path, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::Restore { file } => {
            anyhow::ensure!(
                Client::connect(state).await?.is_none(),
                "A daemon runs on this state folder. Stop it first."
            );
            let state = state.to_owned();
            let summary =
                tokio::task::spawn_blocking(move || backup::restore(open(&file)?, &state))
                    .await??;
            Ok(Ok(
                json!({ "files": summary.files, "bytes": summary.bytes }),
            ))
        }
        Command::Verify { file } => tokio::task::spawn_blocking(move || doctor::verify(&file))
            .await?
            .map(Ok),
        command => {
            let Prepared {
                request,
                input,
                output,
            } = prepare(command).await?;
            ask(state, &request, input, output).await
        }
    }
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

struct Prepared {
    request: Request,
    input: Input,
    output: Output,
}

/// Turns the command line into a request: what comes from this process's standard input or files is read here.
async fn prepare(command: Command) -> anyhow::Result<Prepared> {
    let mut input: Input = Box::new(tokio::io::empty());
    let mut output: Output = Box::new(tokio::io::sink());
    let request = match request::from_command(&command)? {
        Request::Import(mut import) => {
            if let Command::Import(args) = &command {
                if args.file == Path::new("-") {
                    input = Box::new(standard(std::io::stdin().as_fd())?);
                } else {
                    let file = tokio::fs::File::open(&args.file)
                        .await
                        .with_context(|| format!("opening {}", args.file.display()))?;
                    import.bytes = Some(file.metadata().await?.len());
                    input = Box::new(file);
                }
            }
            Request::Import(import)
        }
        Request::Backup => {
            if let Command::Backup { file } = &command {
                output = if file == Path::new("-") {
                    Box::new(standard(std::io::stdout().as_fd())?)
                } else {
                    Box::new(
                        tokio::fs::File::create(file)
                            .await
                            .with_context(|| format!("writing {}", file.display()))?,
                    )
                };
            }
            Request::Backup
        }
        other => other,
    };
    Ok(Prepared {
        request,
        input,
        output,
    })
}

/// This process's own input or output, read and written off the runtime's threads.
fn standard(descriptor: BorrowedFd<'_>) -> io::Result<tokio::fs::File> {
    Ok(tokio::fs::File::from_std(std::fs::File::from(
        descriptor.try_clone_to_owned()?,
    )))
}

fn open(file: &Path) -> anyhow::Result<Box<dyn std::io::Read + Send>> {
    Ok(if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::io::BufReader::new(
            std::fs::File::open(file).with_context(|| format!("opening {}", file.display()))?,
        ))
    })
}
