//! Why a server's certificate is not good, in words.

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;
use thiserror::Error as ThisError;

/// A certificate that nobody here vouches for.
#[derive(Debug, ThisError)]
enum Unknown {
    #[error("its certificate is self-signed")]
    SelfSigned,
    #[error("its certificate is of an unknown authority, {0}")]
    Authority(String),
}

/// The usual check, which tells who the unknown issuer is.
#[derive(Debug)]
pub(super) struct Checked(pub Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = self
            .0
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        checked.map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                unknown(certificate, intermediates)
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn unknown(certificate: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Error {
    let names = |certificate: &CertificateDer<'_>| {
        let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
        Some((parsed.issuer().to_vec(), parsed.subject().to_vec()))
    };
    let Some((issuer, subject)) = names(certificate) else {
        return Error::InvalidCertificate(CertificateError::UnknownIssuer);
    };
    let unknown = if issuer == subject {
        Unknown::SelfSigned
    } else {
        // The last of the chain is whose issuer was looked for.
        let last = intermediates.last().and_then(names);
        Unknown::Authority(common_name(&last.map_or(issuer, |(issuer, _)| issuer)))
    };
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(unknown))))
}

/// Of a distinguished name in DER: the common name, else the organisation.
fn common_name(name: &[u8]) -> String {
    // 2.5.4.3 and 2.5.4.10, as an attribute's type; a string follows, its length in one byte.
    let attribute = |kind: u8| {
        let at = name.windows(5).position(|it| it == [6, 3, 0x55, 4, kind])?;
        let rest = name.get(at + 6..)?;
        let (length, rest) = rest.split_first()?;
        let text = rest.get(..usize::from(*length)).filter(|_| *length < 128)?;
        let text = String::from_utf8_lossy(text);
        Some(text.chars().filter(|it| !it.is_control()).collect())
    };
    attribute(3)
        .or_else(|| attribute(10))
        .unwrap_or_else(|| "which has no name".into())
}

/// What it says to a person.
pub(super) fn words(error: &Error) -> String {
    let Error::InvalidCertificate(why) = error else {
        return match error {
            Error::InvalidMessage(_) => "the other side speaks no TLS".into(),
            other => other.to_string(),
        };
    };
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate has expired on {}", day(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}", day(*not_before))
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let presented = presented.iter().map(|it| plain_name(it));
            format!(
                "its certificate is for {}, not for {}",
                Vec::from_iter(presented).join(", "),
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer => "its certificate is of an unknown authority".into(),
        CertificateError::Other(OtherError(other)) => other.to_string(),
        other => format!("its certificate is not good: {other}"),
    }
}

/// Out of `DnsName("h")` and `IpAddress(127.0.0.1)`.
fn plain_name(debug: &str) -> &str {
    let inner = debug.split_once('(').map_or(debug, |(_, rest)| rest);
    inner.trim_end_matches(')').trim_matches('"')
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(
        |_| "a day that no calendar has".into(),
        |it| it.strftime("%Y-%m-%d at %H:%M UTC").to_string(),
    )
}
