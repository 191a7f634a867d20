//! `lecternd`: the composition root. It reads the command line, opens the stores, joins the rooms and owns the order
//! in which they start and stop. It holds no business rules.
#![forbid(unsafe_code)]

mod backup;
mod chips;
mod cli;
mod commands;
mod config;
mod control;
mod doctor;
mod erasing;
mod logging;
mod scheduler;
mod serve;
mod service_manager;
mod services;
mod verify;

use std::process::ExitCode;

use clap::Parser;

/// A statement is read into hundreds of small pieces: `docs/decisions/0024` has what this is worth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // The worker decodes hostile media: nothing of the daemon starts in it.
    if let cli::Command::Worker { .. } = cli.command {
        return lectern_vod::worker::run();
    }
    if let cli::Command::SpeechWorker = cli.command {
        return lectern_vod::worker::speech::run();
    }
    if let cli::Command::TrialWorker = cli.command {
        return lectern_vod::worker::trial::run();
    }
    logging::start();
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::error!(
            event = "tls.provider",
            "another TLS provider was installed first"
        );
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(event = "runtime.start", %error);
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match cli.command {
            cli::Command::Serve(args) => serve::run(&cli.state, &args, cli.json).await,
            command => commands::run(&cli.state, command, cli.json).await,
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    code
}
