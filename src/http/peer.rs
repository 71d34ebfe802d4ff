//! Who is at the other end: the address that counts and whether the way there is encrypted, proxies seen through.
//! A proxy is believed only if its address is configured; the nearest address that is not a proxy's is the client's.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::Http;

/// Put on each request by whoever accepted its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    pub tls: bool,
}

impl Peer {
    /// Without the extension: a request that came from nowhere, trusted by nobody.
    pub fn of(parts: &Parts, http: &Http) -> Self {
        let direct = parts.extensions.get::<Peer>().copied();
        let direct = direct.unwrap_or(Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), tls: false });
        direct.seen_through(&parts.headers, &http.0.config.trusted_proxies)
    }

    /// The client behind the proxies that are believed.
    pub(crate) fn seen_through(self, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let is_proxy = |address: IpAddr| proxies.contains(&address.to_canonical());
        if !is_proxy(self.address) {
            return Self { address: self.address.to_canonical(), ..self };
        }
        let lines = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut address = self.address;
        for hop in hops.into_iter().rev() {
            let Ok(hop) = hop.parse::<IpAddr>() else { break };
            address = hop.to_canonical();
            if !is_proxy(address) {
                break;
            }
        }
        let tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https") || self.tls;
        Self { address, tls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(direct: &str, forwarded: &[&str], proto: &str) -> Peer {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers.insert("x-forwarded-proto", proto.parse().unwrap());
        let direct = Peer { address: direct.parse().unwrap(), tls: false };
        direct.seen_through(&headers, &["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()])
    }

    #[test]
    fn a_stranger_cannot_say_that_it_is_somebody_else() {
        let peer = through("203.0.113.9", &["127.0.0.1"], "https");
        assert_eq!(peer, Peer { address: "203.0.113.9".parse().unwrap(), tls: false });
    }

    #[test]
    fn behind_proxies_the_nearest_stranger_counts_whatever_was_written_before_it() {
        for forwarded in [&["1.1.1.1, 203.0.113.9, 10.0.0.2"][..], &["1.1.1.1", "203.0.113.9"], &["rubbish, 203.0.113.9"]] {
            assert_eq!(through("::ffff:10.0.0.1", forwarded, "https"), Peer { address: "203.0.113.9".parse().unwrap(), tls: true });
        }
        assert_eq!(through("10.0.0.1", &["rubbish"], "http").address, "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
