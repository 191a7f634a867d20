//! Tries an upstream's address, key and secret, for the person who has just typed them.

use lectern_egress::Egress;
use lectern_store::Json;
use uuid::Uuid;

use super::upstream::{UPSTREAMS, Upstreams, unknown};
use crate::error::Error;
use crate::remote::{self, Door, Forbidden, Trial, seal};

const FORBIDDEN: Forbidden = Forbidden {
    ok: true,
    message: "the key and the secret are known there; they may not read, whether they may write the first batch will show",
};

impl Upstreams {
    /// Asks an upstream for its versions and, with key and secret, for one statement. Writes nothing there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Sealing`], [`Error::Store`]; what the upstream says is in the answer.
    pub async fn test(&self, id: Uuid, egress: &Egress) -> Result<Trial, Error> {
        let found = self.lrs.store().snapshot()?.get(&UPSTREAMS, &id)?;
        let Json(entered) = found.ok_or_else(|| unknown(id))?;
        let secret = seal::open(self.sealing_key().as_ref(), id, &entered.sealed_secret)?;
        let door = Door {
            headers: remote::headers(&entered.key, &secret, entered.version())?,
            reach: entered.reach(),
            url: entered.url,
        };
        Ok(Trial::run(egress, &door, FORBIDDEN).await)
    }
}
