//! A host that speaks TLS, with a certificate that nobody vouches for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

/// Of a certificate for `localhost` that signed itself, good until 2126. Nothing trusts either, so
/// the key is no secret: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
/// -subj /CN=localhost -addext subjectAltName=DNS:localhost
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTO3c38BpQSWIhzGk
8Vxhuk/on+uibu6V7cwVOXJmKeuhRANCAAS5An+DHnvH3cWJj8SFai5xu8zcyIet
HG2D/JmBgsuN7ncjQ32IuntNbj5qR9PDaxdZjxQ/StPL6BQMOF8zhD38
-----END PRIVATE KEY-----
";
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkTCCATigAwIBAgIUMor/89x2guyYYnQont8rg2G4zpowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTEwMTcwOVoYDzIxMjYxMTA1
MTAxNzA5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS5An+DHnvH3cWJj8SFai5xu8zcyIetHG2D/JmBgsuN7ncjQ32IuntN
bj5qR9PDaxdZjxQ/StPL6BQMOF8zhD38o2YwZDAdBgNVHQ4EFgQU0wFpcx+7ABiQ
mZo+O7TspEryLUcwHwYDVR0jBBgwFoAU0wFpcx+7ABiQmZo+O7TspEryLUcwFAYD
VR0RBA0wC4IJbG9jYWxob3N0MAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDRwAw
RAIgPx0e48hC68PmVv0HUvcSiqiy0XdHBGVVgRW5tyk0nRsCIA6GZ2viSnGVcbcV
dEIyJbwhJgUwEyWo90AdwVZHyN2l
-----END CERTIFICATE-----
";

/// The running host; it ends with the test's runtime.
pub struct SelfSigned {
    pub url: Url,
    knocks: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl SelfSigned {
    /// Writes `answer` as it stands to whoever comes through the handshake, and hangs up.
    pub async fn start(answer: String) -> Self {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("its key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a key that fits");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (knocks, asked) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counts = (knocks.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counts.0.fetch_add(1, SeqCst);
                let Ok(mut client) = acceptor.accept(client).await else {
                    continue;
                };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = client.read_u8().await else { break };
                    head.push(byte);
                }
                counts.1.fetch_add(1, SeqCst);
                // A client that hangs up is no fault of this host.
                let _ = client.write_all(answer.as_bytes()).await;
                let _ = client.shutdown().await;
            }
        });
        let url = format!("https://localhost:{port}").parse().expect("a URL");
        Self { url, knocks, asked }
    }

    /// Connections that were opened.
    pub fn knocks(&self) -> usize {
        self.knocks.load(SeqCst)
    }

    /// Requests that came through the handshake.
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}
