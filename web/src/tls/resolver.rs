//! Which certificate the HTTPS listener shows, and the task that keeps it fresh.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use super::Names;
use crate::app::App;

/// How often names and dates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);

/// One certificate for every name.
pub(crate) struct Resolver(RwLock<Arc<CertifiedKey>>);

impl Resolver {
    pub(crate) fn new(key: CertifiedKey) -> Self {
        Self(RwLock::new(Arc::new(key)))
    }

    fn set(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.0
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }
}

/// Makes the certificate anew when it is due, until the server stops.
pub(crate) async fn keep_fresh(app: App, resolver: Arc<Resolver>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.tick().await;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let names = Names::of_this_machine(&app.config.host_names);
        let now = app.now();
        let fresh = app.authority(|authority| {
            authority
                .due(&names, now)
                .is_some()
                .then(|| authority.server(&names, now))
        });
        match fresh.flatten() {
            Some(Ok(key)) => resolver.set(key),
            Some(Err(error)) => tracing::error!(event = "certificate_failed", "{error}"),
            None => {}
        }
    }
}
