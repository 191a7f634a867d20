//! The listeners: connections in, requests to the router, and a stop that drains.
//!
//! `axum::serve` has no header time-out, no TLS and no bound on connections, so hyper is driven
//! here. Each connection is a task of [`serve`], which awaits them all: at the stop it takes no new
//! ones, cancels event streams, lets requests finish for a while, and closes what is left.

mod connection;
mod gather;
mod slices;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::client::{Peer, Scheme};
use crate::tls::{self, Names, Resolver};
use slots::Slots;

/// A failed accept (no descriptors left) is tried again after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where to listen; the daemon has bound them (or got them from systemd).
#[derive(Debug)]
pub struct Listeners {
    /// Plain HTTP
    pub http: TcpListener,
    /// HTTPS with the box's own certificate, when it is switched on
    pub https: Option<TcpListener>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The TLS handshake
    pub handshake: Duration,
    /// A request's head, and a kept connection until its next request
    pub head: Duration,
    /// Requests under way, after the stop
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            drain: Duration::from_secs(15),
        }
    }
}

/// Serves until `app.shutdown` is cancelled, then drains.
///
/// # Errors
/// HTTPS is on and its certificate cannot be made.
pub async fn serve(app: App, listeners: Listeners) -> Result<(), tls::Error> {
    serve_within(app, listeners, Bounds::default()).await
}

/// [`serve`], with other bounds.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within(
    app: App,
    listeners: Listeners,
    bounds: Bounds,
) -> Result<(), tls::Error> {
    let stop = app.shutdown.clone();
    let router = crate::router(app.clone());
    let slots = Slots::new();
    let mut tasks = JoinSet::new();
    if let Some(listener) = listeners.https {
        let (acceptor, resolver) = acceptor(&app)?;
        tasks.spawn(tls::keep_fresh(app.clone(), resolver, stop.clone()));
        let door = Door {
            router: router.clone(),
            slots: slots.clone(),
            stop: stop.clone(),
            tls: Some(acceptor),
            bounds,
        };
        tasks.spawn(door.run(listener));
    }
    tasks.spawn(crate::metrics::count_jobs(app.clone()));
    tasks.spawn(crate::metrics::keep_delivered(app.clone()));
    tasks.spawn(crate::events::pump(app.clone()));
    tasks.spawn(
        Door {
            router,
            slots,
            stop,
            tls: None,
            bounds,
        }
        .run(listeners.http),
    );
    while tasks.join_next().await.is_some() {}
    crate::metrics::write_down(&app).await;
    Ok(())
}

fn acceptor(app: &App) -> Result<(TlsAcceptor, Arc<Resolver>), tls::Error> {
    let names = Names::of_this_machine(&app.config.host_names);
    let now = app.now();
    let Some(key) = app.authority(|authority| authority.server(&names, now)) else {
        return Err(tls::Error::Off);
    };
    let resolver = Arc::new(Resolver::new(key?));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), resolver))
}

/// One listener with all that its connections need.
struct Door {
    router: Router,
    slots: Slots,
    stop: CancellationToken,
    tls: Option<TlsAcceptor>,
    bounds: Bounds,
}

impl Door {
    async fn run(self, listener: TcpListener) {
        let scheme = if self.tls.is_some() {
            Scheme::Https
        } else {
            Scheme::Http
        };
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    self.admit(stream, Peer { address, scheme }, &mut connections)
                }
                Err(error) => {
                    tracing::warn!(event = "accept_failed", "{error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let drained = tokio::time::timeout(self.bounds.drain, async {
            while connections.join_next().await.is_some() {}
        })
        .await;
        if drained.is_err() {
            tracing::warn!(event = "drain_cut_off", connections = connections.len());
            connections.shutdown().await;
        }
    }

    fn admit(&self, stream: TcpStream, peer: Peer, connections: &mut JoinSet<()>) {
        // Beyond the bound a connection is closed at once: cheaper for both sides than to wait.
        let Some(slot) = self.slots.take(peer.address.ip()) else {
            return;
        };
        let (router, tls, stop) = (self.router.clone(), self.tls.clone(), self.stop.clone());
        let bounds = self.bounds;
        connections.spawn(async move {
            let _slot = slot;
            connection::run(stream, peer, router, tls, bounds, stop).await;
        });
    }
}
