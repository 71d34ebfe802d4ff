//! Many people on one machine come from many addresses, so that bounds by address mean what they mean elsewhere.

use std::net::{IpAddr, Ipv4Addr};

/// Connections of one loopback address: a node's default bounds are 60 sign-ups, and 20 that have not said hello yet.
const PER_ADDRESS: u32 = 20;

/// The address of the n-th person, in 127.0.0.0/8; `first` tells runs apart.
pub fn source(first: u32, n: u32) -> IpAddr {
    let block = (first + n / PER_ADDRESS) % (254 * 250 * 250);
    Ipv4Addr::new(127, (1 + block / 62_500) as u8, (block / 250 % 250) as u8, (1 + block % 250) as u8).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_has_more_than_its_share_and_all_are_loopback() {
        for first in [0, 77, 15_000_000] {
            let mut counts = std::collections::HashMap::new();
            for n in 0..20_000 {
                let address = source(first, n);
                assert!(address.is_loopback());
                *counts.entry(address).or_insert(0) += 1;
            }
            assert!(counts.values().all(|count| *count == PER_ADDRESS));
        }
    }
}
