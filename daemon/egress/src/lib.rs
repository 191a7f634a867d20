//! The one outgoing HTTP client: upstream record stores, later JWKS, LTI, S3, OIDC.
//!
//! Whoever types an address into the box can make the box knock at it, so each connection goes only where policy
//! allows: the address that was checked is the address that is connected to (no second look-up in between), redirects
//! are not followed, no proxy is taken from the environment, and time and size are bounded. Retries are the caller's:
//! only it knows whether a request may be sent twice.
#![forbid(unsafe_code)]

mod client;
mod error;
mod policy;

pub use client::{Egress, Options, Request, Response, check, follow};
pub use error::Error;
pub use policy::{Reach, is_public};
