//! Who this server is: its certificate authority, the token of its one user, and the key it signs service accounts' tokens with.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rt::Ctx;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};

use super::ServeError;

const FILE: &str = "identity.json";

/// What is kept. Its `Debug` shows nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Identity {
    ca_certificate: String,
    ca_key: String,
    token: String,
    token_key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

impl Identity {
    /// What is kept in this folder; made if there is nothing.
    pub(super) async fn load(ctx: &Ctx, dir: &Path) -> Result<Self, ServeError> {
        let path = dir.join(FILE);
        match ctx.disk().read(&path).await {
            Ok(bytes) => {
                let identity: Self = serde_json::from_slice(&bytes)
                    .map_err(|error| ServeError::Identity { path: path.clone(), why: format!("line {}", error.line()) })?;
                let wrong = identity.defect();
                wrong.map_or(Ok(identity), |why| Err(ServeError::Identity { path, why: why.to_owned() }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = Self::new()?;
                let failed = |source| ServeError::Write { path: path.clone(), source };
                ctx.disk().make_dir(dir).await.map_err(failed)?;
                let json = serde_json::to_vec_pretty(&identity).map_err(io::Error::from).map_err(failed)?;
                ctx.disk().replace(&path, json).await.map_err(failed)?;
                Ok(identity)
            }
            Err(source) => Err(ServeError::Read { path, source }),
        }
    }

    fn new() -> Result<Self, ServeError> {
        let key = || KeyPair::generate().map_err(ServeError::Certificate);
        let ca = key()?;
        let certificate = authority().self_signed(&ca).map_err(ServeError::Certificate)?;
        let mut token = [0; 32];
        rustls::crypto::ring::default_provider().secure_random.fill(&mut token).map_err(|_| ServeError::Random)?;
        Ok(Self {
            ca_certificate: certificate.pem(),
            ca_key: ca.serialize_pem(),
            token: BASE64_URL_SAFE_NO_PAD.encode(token),
            token_key: key()?.serialize_pem(),
        })
    }

    /// What is wrong with what was read.
    fn defect(&self) -> Option<&'static str> {
        if self.token.len() < 32 || !self.token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Some("its token is no token");
        }
        if KeyPair::from_pem(&self.ca_key).is_err() || KeyPair::from_pem(&self.token_key).is_err() {
            return Some("a key in it is no key");
        }
        self.ca_der().is_none().then_some("its certificate is no certificate")
    }

    /// The authority's certificate.
    pub(super) fn ca_certificate(&self) -> &str {
        &self.ca_certificate
    }

    fn ca_der(&self) -> Option<CertificateDer<'static>> {
        use rustls::pki_types::pem::PemObject;
        CertificateDer::from_pem_slice(self.ca_certificate.as_bytes()).ok()
    }

    /// What the one user shows.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The key of service accounts' tokens.
    pub(super) fn token_key(&self) -> Result<KeyPair, ServeError> {
        KeyPair::from_pem(&self.token_key).map_err(ServeError::Certificate)
    }

    /// TLS with a certificate for this address and the loopback ones.
    pub(super) fn tls(&self, address: IpAddr) -> Result<Arc<ServerConfig>, ServeError> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !address.is_loopback() && !address.is_unspecified() || !names.contains(&address.to_string()) && address.is_loopback() {
            names.push(address.to_string());
        }
        let mut params = valid(CertificateParams::new(names).map_err(ServeError::Certificate)?);
        params.distinguished_name.push(DnType::CommonName, "longshore");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let ca_key = KeyPair::from_pem(&self.ca_key).map_err(ServeError::Certificate)?;
        let key = KeyPair::generate().map_err(ServeError::Certificate)?;
        let leaf = params.signed_by(&key, &Issuer::new(authority(), ca_key)).map_err(ServeError::Certificate)?;
        let chain: Vec<CertificateDer<'static>> = std::iter::once(leaf.der().clone()).chain(self.ca_der()).collect();
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ServeError::Tls)?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .map_err(ServeError::Tls)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The authority, but for its key.
fn authority() -> CertificateParams {
    let mut params = valid(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "longshore-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// From long ago until after everyone's time: a host's clock may be wrong, and nobody renews what lives on one host.
fn valid(mut params: CertificateParams) -> CertificateParams {
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
}
