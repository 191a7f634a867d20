//! The box's own certificate authority, and the certificate its HTTPS listener shows.
//!
//! No public authority knows a box on a campus network, so the box is its own: learners and IT
//! install `/ca.crt` once. Keys never leave `tls/` (0600). The server's certificate is made anew a
//! month before it ends and whenever the machine's names or addresses change; the authority stays.

mod authority;
mod expiry;
mod names;
mod resolver;

pub use authority::{Authority, Due, Error};
pub use expiry::Expiry;
pub use names::Names;
pub(crate) use resolver::{Resolver, keep_fresh};
