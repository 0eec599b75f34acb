//! The one retry classifier, second half: what a broken connection means
//! (seen on the Hub). Pure. The first half, statuses, is
//! [`super::classify`].

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use super::error::{Class, HubError};
use super::guard::Refused;
use crate::model::code::Code;

/// What it means that no answer came.
pub(super) fn no_answer(host: &str, error: &(dyn Error + 'static)) -> HubError {
    let client = error.downcast_ref::<reqwest::Error>();
    let is = |kind: fn(&reqwest::Error) -> bool| client.is_some_and(kind);
    if let Some(refused) = cause::<Refused>(error) {
        return HubError::bad(refused.message.clone());
    }
    if let Some(tls) = cause::<rustls::Error>(error).filter(|_| is(reqwest::Error::is_connect)) {
        return no_tls(host, tls);
    }
    let why = io_kind(error);
    let offline = |why: &str| {
        let message = format!("Cannot reach {host}: {why}");
        HubError::new(Class::Offline, Code::Offline, message).at_host(host)
    };
    // hyper-util keeps the error of a proxy's tunnel private; its text is all there is.
    if chain(error).any(|cause| cause.to_string().contains("proxy authorization required")) {
        let message = "The proxy wants a user name and password (407)";
        return HubError::new(Class::NeedsUser, Code::AccessDenied, message);
    }
    match why {
        _ if is(reqwest::Error::is_dns) || chain(error).any(|cause| cause.to_string() == "dns error") => {
            offline("its name cannot be resolved")
        }
        Some(ErrorKind::ConnectionRefused) => offline("the connection is refused"),
        Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown) => {
            offline("there is no route to it")
        }
        _ if is(reqwest::Error::is_timeout) => offline("it does not answer in time"),
        // The host was reached and hung up, a reset.
        Some(
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe,
        ) => cut(host),
        _ if is(reqwest::Error::is_connect) => offline("no connection comes about"),
        _ => cut(host),
    }
}

/// What it means that a body broke off.
pub(super) fn cut(host: &str) -> HubError {
    let message = format!("The connection to {host} broke off");
    HubError::new(Class::Transient, Code::ServerError, message).at_host(host)
}

/// What it means that a body brings nothing any more.
pub(super) fn stalled(host: &str, after: Duration) -> HubError {
    let message = format!("{host} sent no byte for {} s", after.as_secs_f64());
    HubError::new(Class::Transient, Code::Stalled, message).at_host(host)
}

/// A certificate or a protocol that does not fit stays so; a handshake that goes wrong
/// otherwise may pass.
fn no_tls(host: &str, error: &rustls::Error) -> HubError {
    use rustls::Error::{InvalidCertificate, InvalidMessage, PeerIncompatible};
    let (class, message) = match error {
        InvalidCertificate(why) => (
            Class::Permanent,
            format!("The certificate of {host} is not trusted: {why}"),
        ),
        InvalidMessage(_) | PeerIncompatible(_) => (
            Class::Permanent,
            format!("{host} speaks no TLS that hfdepot speaks: {error}"),
        ),
        _ => (
            Class::Transient,
            format!("No secure connection to {host} comes about: {error}"),
        ),
    };
    HubError::new(class, Code::TlsError, message)
}

/// An error and its causes. An [`std::io::Error`] hides the error it wraps from `source`
/// (it gives the wrapped one's source), so that step is made by hand.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The first cause of type `T`.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    chain(error).find_map(|cause| cause.downcast_ref::<T>())
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .last()
        .map(std::io::Error::kind)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// What the HTTP client makes of a resolver that fails with `error`.
    async fn resolving(error: impl Fn() -> Box<dyn Error + Send + Sync> + Send + Sync + 'static) -> HubError {
        struct Failing<F>(F);
        impl<F: Fn() -> Box<dyn Error + Send + Sync>> reqwest::dns::Resolve for Failing<F>
        where
            F: Send + Sync,
        {
            fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
                let error = (self.0)();
                Box::pin(async move { Err::<Box<dyn Iterator<Item = SocketAddr> + Send>, _>(error) })
            }
        }
        let client = reqwest::Client::builder().no_proxy().dns_resolver(Failing(error));
        let request = client.build().unwrap().get("http://cdn.example/x?Signature=s");
        no_answer("cdn.example", &request.send().await.unwrap_err())
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_private_network_is_refused_for_good() {
        let message = "The source points to cdn.example";
        let error = resolving(move || {
            Box::new(Refused {
                message: message.to_owned(),
            })
        })
        .await;
        assert_eq!((error.class, error.code), (Class::Permanent, Code::BadResponse));
        assert_eq!(error.message, message);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_is_an_outage() {
        let error = resolving(|| "no such host".into()).await;
        assert_eq!((error.class, error.code), (Class::Offline, Code::Offline));
        assert_eq!(
            error.message,
            "Cannot reach cdn.example: its name cannot be resolved"
        );
    }

    #[test]
    fn a_wrapped_cause_is_found_inside_io_errors() {
        let tls = || rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let twice = std::io::Error::other(std::io::Error::new(ErrorKind::InvalidData, tls()));
        assert_eq!(cause::<rustls::Error>(&twice), Some(&tls()));
        assert_eq!(no_tls("h", &tls()).class, Class::Permanent);
        assert_eq!(
            no_tls("h", &rustls::Error::HandshakeNotComplete).class,
            Class::Transient
        );
    }
}
