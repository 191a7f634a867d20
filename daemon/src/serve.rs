//! `lecternd serve`: the order in which everything starts, the lines that say so, and the order in which it stops.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use lectern_web::{App, Listeners, Sample};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::services::Services;
use crate::{backup, chips, control, erasing, scheduler, service_manager};

/// Serves until asked to stop; exit code 1 when it could not start or a part of it failed.
pub async fn run(state: &Path, args: &ServeArgs, json: bool) -> ExitCode {
    match serve(state, args, json).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "serve.failed", "{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(state: &Path, args: &ServeArgs, json: bool) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut services = Services::open_when_free(state).await?;
    services.serves = true;
    let listeners = bind(&config).await?;
    let http = listeners.http.local_addr()?;
    let https = listeners
        .https
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()?;
    for (name, address) in [("rtc", config.rtc), ("packages", config.packages)] {
        if let Some(address) = address {
            tracing::warn!(event = "serve.listener_off", listener = name, %address, "this version has nothing to serve there");
        }
    }

    let stop = CancellationToken::new();
    let app = App::new(
        services.rooms(),
        web_config(&services, &config, http, https),
        stop.clone(),
    )?;
    let mut parts = JoinSet::new();
    parts.spawn(named("chips", {
        let (app, stop) = (app.clone(), stop.clone());
        async move {
            chips::run(app, stop).await;
            Ok(())
        }
    }));
    parts.spawn(named("web", async move {
        Ok(lectern_web::serve(app, listeners).await?)
    }));
    parts.spawn(named("control", {
        let (state, services, stop) = (state.to_owned(), services.clone(), stop.clone());
        async move { Ok(control::serve(&state, services, stop).await?) }
    }));
    parts.spawn(named(
        "scheduler",
        scheduler::run(services.clone(), stop.clone()),
    ));
    parts.spawn(named("forwarding", {
        let (services, stop) = (services.clone(), stop.clone());
        async move {
            services.forward(stop).await;
            Ok(())
        }
    }));
    parts.spawn(named("pulling", {
        let (services, stop) = (services.clone(), stop.clone());
        async move {
            services.pull(stop).await;
            Ok(())
        }
    }));
    parts.spawn(named("evidence", {
        let (services, stop) = (services.clone(), stop.clone());
        async move {
            services.keep_evidence(stop).await;
            Ok(())
        }
    }));
    parts.spawn(named("erasing", {
        let (services, stop) = (services.clone(), stop.clone());
        async move {
            erasing::run(services, stop).await;
            Ok(())
        }
    }));
    parts.spawn(named("watchdog", {
        let stop = stop.clone();
        async move {
            service_manager::keep_alive(stop.clone()).await;
            stop.cancelled().await;
            Ok(())
        }
    }));

    announce(&services, http, https, json)?;
    service_manager::ready();

    let mut result = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = parts.join_next() => outcome(ended),
    };
    tracing::info!(event = "serve.stopping");
    service_manager::stopping();
    stop.cancel();
    while let Some(ended) = parts.join_next().await {
        result = result.and(outcome(Some(ended)));
    }
    services.close();
    result
}

type Ended = (&'static str, anyhow::Result<()>);

async fn named(name: &'static str, part: impl Future<Output = anyhow::Result<()>>) -> Ended {
    (name, part.await)
}

fn outcome(ended: Option<Result<Ended, tokio::task::JoinError>>) -> anyhow::Result<()> {
    match ended {
        Some(Ok((name, result))) => result.with_context(|| format!("{name} failed")),
        Some(Err(error)) => Err(error.into()),
        None => Ok(()),
    }
}

async fn bind(config: &Config) -> anyhow::Result<Listeners> {
    let listen = async |address: SocketAddr| {
        TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address}: is something else there already?"))
    };
    let https = match config.https {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    Ok(Listeners {
        http: listen(config.http).await?,
        https,
    })
}

fn web_config(
    services: &Services,
    config: &Config,
    http: SocketAddr,
    https: Option<SocketAddr>,
) -> lectern_web::Config {
    let archive = services.clone();
    lectern_web::Config {
        state: services.state.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        http,
        https,
        host_names: config.host_names.clone(),
        xapi_default: config.xapi_default.into(),
        sample: sample(),
        backup: Some(Arc::new(move |to| {
            backup::write(&archive, to)
                .map(drop)
                .map_err(|error| format!("{error:#}"))
        })),
    }
}

/// The sample lecture that this build carries: beside the program (`sample/`), where `make` and the image put it.
fn sample() -> Option<Sample> {
    let program = std::env::current_exe().ok()?;
    let folder = program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("sample"))
        .find(|folder| folder.is_dir())?;
    let film = folder.join("welcome.mp4");
    let captions = folder.join("welcome.en.vtt");
    film.is_file().then(|| Sample {
        film,
        captions: captions.is_file().then_some(captions),
        title: "Welcome to Lectern".to_owned(),
        language: "en".to_owned(),
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the contract's lines: who starts the daemon waits for them"
)]
fn announce(
    services: &Services,
    http: SocketAddr,
    https: Option<SocketAddr>,
    json: bool,
) -> anyhow::Result<()> {
    let mut door = http;
    if door.ip().is_unspecified() {
        door.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let setup = services
        .lms
        .setup_token()?
        .map(|token| format!("http://{door}/setup#{token}"));
    let https = https.map(|address| address.to_string());
    if json {
        let listening =
            json!({ "http": http.to_string(), "https": https, "rtc": null, "packages": null });
        println!("{}", json!({ "listening": listening, "setup": setup }));
        return Ok(());
    }
    println!(
        "listening http={http} https={} rtc=- packages=-",
        https.as_deref().unwrap_or("-")
    );
    if let Some(link) = setup {
        println!("setup {link}");
    }
    Ok(())
}
