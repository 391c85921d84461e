//! In the place of native-tls, which would bring OpenSSL.
//!
//! rust_socketio takes a connector of native-tls for a socket that it opens itself. Ours opens none
//! (see `rust_engineio` beside this crate): there is no connector to be had.

/// There is none.
#[derive(Clone, Debug)]
pub enum TlsConnector {}
