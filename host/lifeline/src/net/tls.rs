//! TLS by rustls, with the authorities that this system trusts.

use super::certificate::{self, Checked};
use super::stream::{Stream, Watched};
use crate::settings::Trust;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::TlsConnector;
use url::Host;

/// Why there is no TLS.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    /// On this side.
    #[error("{0}")]
    Local(String),
    /// The other side's certificate, or what it says instead.
    #[error("TLS: {0}")]
    Refused(String),
    /// The connection broke off in the handshake.
    #[error("the connection broke off in the TLS handshake: {0}")]
    BrokenOff(io::Error),
}

/// The handshake.
///
/// # Errors
///
/// With the true reason: which of a certificate's bounds does not hold.
pub(super) async fn handshake(
    stream: Watched,
    host: &Host<String>,
    trust: &Trust,
) -> Result<Stream, TlsError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.clone())
            .map_err(|_| TlsError::Local(format!("no certificate can be for {name:?}")))?,
        Host::Ipv4(address) => ServerName::IpAddress((*address).into()),
        Host::Ipv6(address) => ServerName::IpAddress((*address).into()),
    };
    let connector = TlsConnector::from(Arc::new(config(trust)?));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(error) => {
            let inner = error.get_ref().and_then(|it| it.downcast_ref());
            Err(match inner {
                Some(refusal) => TlsError::Refused(certificate::words(refusal)),
                None => TlsError::BrokenOff(error),
            })
        }
    }
}

/// Read anew for each connection: there are few, the certificates may change, and they are not kept.
fn config(trust: &Trust) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots(trust)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|error| TlsError::Local(format!("TLS cannot be set up: {error}")))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Local(format!("TLS cannot be set up: {error}")))?;
    Ok(config
        .dangerous() // its name for any verifier but one: ours asks that one, and tells more
        .with_custom_certificate_verifier(Arc::new(Checked(verifier)))
        .with_no_client_auth())
}

fn roots(trust: &Trust) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if let Some(file) = &trust.ca_file {
        let unreadable = |error: &dyn std::fmt::Display| {
            let file = file.display();
            TlsError::Local(format!(
                "the authorities in {file} (ca_file) cannot be read: {error}"
            ))
        };
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(&error))?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(unreadable(&"there is no certificate in it"));
        }
    }
    if roots.is_empty() {
        let why = found.errors.first().map(|it| format!(": {it}"));
        return Err(TlsError::Local(format!(
            "no authorities are known here that could vouch for a server (install \
             ca-certificates, or set SSL_CERT_FILE or CR8_CA_FILE){}",
            why.unwrap_or_default()
        )));
    }
    Ok(roots)
}
