//! The way to any server: names, addresses, TLS and HTTP.
//!
//! One piece of code for the connection, the probes beside it, uploads and notifications. Their URLs
//! are secrets: no text from here carries one.

mod certificate;
mod dial;
mod http;
mod names;
mod proxy;
pub(crate) mod retry;
mod stream;
mod tls;

pub(crate) use http::{Client, Driver, NetError, Place, exchange};
pub(crate) use names::Names;
pub(crate) use stream::{Activity, Stream};

#[cfg(test)]
pub(crate) use {dial::tests::BlackHole, names::tests::pretend};

/// Who asks, in each request.
pub(crate) const AGENT: &str = concat!("lifeline/", env!("CARGO_PKG_VERSION"));
