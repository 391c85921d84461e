//! The client that blocks: there is none.

use crate::header::HeaderMap;
use crate::{Error, Packet, Result};
use native_tls::TlsConnector;
use url::Url;

/// Builds nothing.
#[derive(Clone, Debug)]
pub struct ClientBuilder(());

impl ClientBuilder {
    /// The URL does not matter.
    pub fn new(_url: Url) -> Self {
        ClientBuilder(())
    }

    /// There is no connector to be had.
    pub fn tls_config(self, _connector: TlsConnector) -> Self {
        self
    }

    /// Nobody sends them.
    pub fn headers(self, _headers: HeaderMap) -> Self {
        self
    }

    /// Refused.
    pub fn build_with_fallback(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// Refused.
    pub fn build_polling(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// Refused.
    pub fn build_websocket(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// Refused.
    pub fn build_websocket_with_upgrade(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }
}

/// There is none.
#[derive(Clone, Debug)]
pub enum Client {}

impl Client {
    /// Cannot be called.
    pub fn connect(&self) -> Result<()> {
        match *self {}
    }

    /// Cannot be called.
    pub fn disconnect(&self) -> Result<()> {
        match *self {}
    }

    /// Cannot be called.
    pub fn emit(&self, _packet: Packet) -> Result<()> {
        match *self {}
    }

    /// Cannot be called.
    pub fn poll(&self) -> Result<Option<Packet>> {
        match *self {}
    }

    /// Cannot be called.
    pub fn is_connected(&self) -> Result<bool> {
        match *self {}
    }
}
