//! `hwtest`: proves a machine before a campus trusts it with its lectures. `hwtest media` finds out what its chips and
//! its processor can encode and decode, how fast, how well, how many at once and at how many watts, and leaves a
//! capability file for programs and a page for people.
#![forbid(unsafe_code)]

mod energy;
mod media;
mod page;
mod quality;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Proves a machine: what it can do for Lectern, measured on the spot.
#[derive(Debug, Parser)]
#[command(name = "hwtest", version)]
struct Cli {
    /// What to prove
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every coder of the machine: speed, quality beside x264, streams at once, watts
    Media(MediaArgs),
    /// Try one coder (started by `media`)
    #[command(hide = true)]
    TrialWorker,
}

/// Options of `media`.
#[derive(Debug, Args)]
struct MediaArgs {
    /// Folder for `capabilities.json` and `report.html`; made where it is not there
    #[arg(long, value_name = "DIR", default_value = "hwtest-report")]
    out: PathBuf,
    /// Seconds instead of minutes: one size, a short clip
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::TrialWorker => return lectern_vod::worker::trial::run(),
        Command::Media(args) => media::run(&args.out, args.quick),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hwtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}
