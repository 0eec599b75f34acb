//! Which addresses the client may connect to.
//!
//! A hostile Hub, mirror or CDN could redirect us to a service on this machine or in this
//! network. So the address that is really connected to is judged: names by the resolver that
//! the HTTP client uses, literal addresses before each hop. Private addresses are for the
//! configured endpoint, the proxy, and for redirects of an endpoint that is private itself
//! (a home mirror with its own storage host). Metadata, link-local, multicast and unspecified
//! addresses are for nobody.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Zone {
    /// On the internet.
    Public,
    /// On this machine or in this network.
    Private,
    /// Never a place to fetch from.
    Forbidden,
}

/// Judges an address in all its spellings: IPv4 inside IPv6 counts as that IPv4 address.
pub(super) fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(v4) => zone4(v4),
        IpAddr::V6(v6) => match embedded4(v6) {
            Some(v4) => zone4(v4),
            None => zone6(v6),
        },
    }
}

fn zone4(v4: Ipv4Addr) -> Zone {
    /// Cloud metadata outside the link-local block: Alibaba, Azure.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
    let [a, b, c, _] = v4.octets();
    // IANA special-purpose address registry.
    match (a, b, c) {
        _ if METADATA.contains(&v4) => Zone::Forbidden,
        (0, ..) | (169, 254, _) | (224.., ..) => Zone::Forbidden,
        (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Zone::Private,
        (192, 0, 0) | (198, 18..=19, _) => Zone::Private,
        _ => Zone::Public,
    }
}

fn zone6(v6: Ipv6Addr) -> Zone {
    /// The metadata service of AWS over IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if v6 == METADATA || v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() {
        Zone::Forbidden
    } else if v6.is_loopback() || v6.is_unique_local() || v6.segments()[0] & 0xffc0 == 0xfec0 {
        Zone::Private
    } else {
        Zone::Public
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let tail = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(tail(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(tail(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(tail(high, low)),
        [0x2002, high, low, ..] => Some(tail(high, low)),
        _ => None,
    }
}

/// A host that was refused; found again in the error chain of the HTTP client.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// The sentence for users.
    pub message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// The rule for one client.
#[derive(Debug)]
pub(super) struct Guard {
    /// Host of the endpoint, as the URL spells it.
    endpoint: String,
    /// Hosts of proxies: the user chose them, so they may be private.
    proxies: Vec<String>,
    /// Whether the endpoint was seen at a private address.
    endpoint_private: AtomicBool,
}

impl Guard {
    /// # Errors
    /// The sentence for users when the endpoint is an address that nothing may be fetched from.
    pub fn new(endpoint: &Url, proxies: Vec<String>) -> Result<Self, Refused> {
        let zone = literal(endpoint).map(zone);
        if zone == Some(Zone::Forbidden) {
            return Err(refused(endpoint.host_str().unwrap_or_default()));
        }
        Ok(Self {
            endpoint: endpoint.host_str().unwrap_or_default().to_owned(),
            proxies,
            endpoint_private: AtomicBool::new(zone == Some(Zone::Private)),
        })
    }

    /// Judges the literal address in a URL; names are judged when they are resolved.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        match literal(url) {
            Some(address) => self.judge(url.host_str().unwrap_or_default(), address),
            None => Ok(()),
        }
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let chosen =
            self.is_endpoint(host) || self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(host));
        match zone(address) {
            Zone::Public => Ok(()),
            Zone::Private if chosen || self.endpoint_private.load(Ordering::Relaxed) => Ok(()),
            _ => Err(refused(host)),
        }
    }

    fn is_endpoint(&self, host: &str) -> bool {
        self.endpoint.eq_ignore_ascii_case(host)
    }

    /// Keeps the addresses of `host` that may be connected to.
    fn admit(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        if self.is_endpoint(host) {
            let private = found.iter().any(|at| zone(at.ip()) == Zone::Private);
            self.endpoint_private.store(private, Ordering::Relaxed);
        }
        let kept: Vec<_> = found
            .into_iter()
            .filter(|at| self.judge(host, at.ip()).is_ok())
            .collect();
        if kept.is_empty() {
            Err(refused(host))
        } else {
            Ok(kept)
        }
    }
}

fn refused(host: &str) -> Refused {
    Refused {
        message: format!(
            "The source points to {host}, which lies in a private or reserved network; hfdepot does not follow it there"
        ),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

/// The system's resolver behind the [`Guard`].
pub(super) struct GuardedDns(pub Arc<Guard>);

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            // Port 0 is replaced by the port of the URL.
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            if found.is_empty() {
                return Err(format!("{host} has no address").into());
            }
            let kept = guard.admit(host, found)?;
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(endpoint: &str) -> Guard {
        Guard::new(&Url::parse(endpoint).unwrap(), vec!["proxy.lan".into()]).unwrap()
    }

    fn at(address: &str) -> Vec<SocketAddr> {
        vec![SocketAddr::new(address.parse().unwrap(), 0)]
    }

    #[test]
    fn every_spelling_of_a_private_address_is_judged_alike() {
        for (text, expected) in [
            ("8.8.8.8", Zone::Public),
            ("2606:4700::1", Zone::Public),
            ("127.0.0.1", Zone::Private),
            ("127.9.9.9", Zone::Private),
            ("10.0.0.1", Zone::Private),
            ("172.31.255.255", Zone::Private),
            ("172.32.0.1", Zone::Public),
            ("192.168.1.1", Zone::Private),
            ("100.64.0.1", Zone::Private),
            ("198.18.0.1", Zone::Private),
            ("::1", Zone::Private),
            ("::ffff:127.0.0.1", Zone::Private),
            ("::127.0.0.1", Zone::Private),
            ("64:ff9b::10.0.0.1", Zone::Private),
            ("2002:c0a8:0101::1", Zone::Private),
            ("fd12::1", Zone::Private),
            ("169.254.169.254", Zone::Forbidden),
            ("::ffff:169.254.169.254", Zone::Forbidden),
            ("fe80::1", Zone::Forbidden),
            ("fd00:ec2::254", Zone::Forbidden),
            ("100.100.100.200", Zone::Forbidden),
            ("0.0.0.0", Zone::Forbidden),
            ("::", Zone::Forbidden),
            ("224.0.0.1", Zone::Forbidden),
            ("255.255.255.255", Zone::Forbidden),
            ("ff02::1", Zone::Forbidden),
        ] {
            assert_eq!(zone(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_public_endpoint_cannot_point_into_the_private_network() {
        let guard = guard("https://huggingface.co");
        guard.admit("huggingface.co", at("18.66.1.1")).unwrap();
        for target in [
            "http://127.0.0.1/x",
            "http://0x7f.1/x",
            "http://2130706433/x",
            "http://[::ffff:a00:1]/x",
            "http://169.254.169.254/latest",
            "http://0/x",
        ] {
            assert!(guard.check(&Url::parse(target).unwrap()).is_err(), "{target}");
        }
        assert!(guard.admit("rebound.example", at("192.168.0.1")).is_err());
        assert!(guard.admit("cdn.example", at("1.1.1.1")).is_ok());
        assert!(guard.admit("proxy.lan", at("192.168.0.9")).is_ok());
        // The endpoint itself may sit anywhere but at a forbidden address.
        assert!(guard.admit("huggingface.co", at("169.254.169.254")).is_err());
    }

    #[test]
    fn a_private_endpoint_may_use_a_private_storage_host_but_no_metadata_service() {
        let by_address = guard("http://192.168.0.2:8080");
        assert!(
            by_address
                .check(&Url::parse("http://10.0.0.3:9000/b").unwrap())
                .is_ok()
        );
        assert!(
            by_address
                .check(&Url::parse("http://169.254.169.254/").unwrap())
                .is_err()
        );
        let by_name = guard("http://mirror.lan");
        assert!(
            by_name.admit("minio.lan", at("192.168.0.3")).is_err(),
            "not seen yet"
        );
        by_name.admit("mirror.lan", at("192.168.0.2")).unwrap();
        assert!(by_name.admit("minio.lan", at("192.168.0.3")).is_ok());
        assert!(Guard::new(&Url::parse("http://169.254.169.254").unwrap(), vec![]).is_err());
    }
}
