//! The TLS client of a route: whom it believes, with the `ring` provider named explicitly so that no other
//! crate's choice of provider can change or break it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::route::{RouteProblem, SmtpRoute, Tls, Trust};

/// Ready to shake hands with one route's server.
#[derive(Clone)]
pub(crate) struct TlsClient {
    pub(crate) connector: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

impl TlsClient {
    /// None for a route without TLS.
    pub(crate) fn new(route: &SmtpRoute) -> Result<Option<Self>, RouteProblem> {
        match route.tls {
            Tls::None => return Ok(None),
            Tls::Implicit | Tls::StartTls => {}
        }
        let name =
            ServerName::try_from(route.host.clone()).map_err(|_| RouteProblem::HostInvalid)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unreadable)?;
        let config = match &route.trust {
            Trust::WebRoots => builder
                .with_root_certificates(web_roots())
                .with_no_client_auth(),
            Trust::WebRootsAnd { authorities_pem } => builder
                .with_root_certificates(with_authorities(web_roots(), authorities_pem)?)
                .with_no_client_auth(),
            Trust::Only { authorities_pem } => builder
                .with_root_certificates(with_authorities(RootCertStore::empty(), authorities_pem)?)
                .with_no_client_auth(),
            Trust::Pinned { certificate_pem } => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned::new(
                    certificate_pem,
                    &provider,
                )?))
                .with_no_client_auth(),
        };
        Ok(Some(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        }))
    }
}

fn web_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

fn unreadable(detail: impl ToString) -> RouteProblem {
    RouteProblem::TrustUnreadable {
        detail: detail.to_string(),
    }
}

fn with_authorities(mut roots: RootCertStore, pem: &str) -> Result<RootCertStore, RouteProblem> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots
            .add(certificate.map_err(unreadable)?)
            .map_err(unreadable)?;
        count += 1;
    }
    if count == 0 {
        Err(unreadable("no certificate found"))
    } else {
        Ok(roots)
    }
}

/// Believes one certificate, byte for byte, and nothing else. The server must still prove that it holds the
/// certificate's key.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(pem: &str, provider: &CryptoProvider) -> Result<Self, RouteProblem> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(unreadable)?;
        Ok(Self {
            certificate,
            algorithms: provider.signature_verification_algorithms,
        })
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
