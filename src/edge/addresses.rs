//! Per address and node: how many sockets it has, and how many of them have not shown who they are.
//!
//! An IPv6 host may have any address of its /64, so that whole net counts as one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::limits::Limits;

#[derive(Debug)]
pub struct Addresses {
    counts: Mutex<HashMap<Ipv6Addr, [u32; 3]>>,
    bounds: [u32; 3],
}

/// What a socket counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// Has not sent a whole request head, or not said a valid hello.
    Unknown,
    /// HTTP, with a whole request behind it.
    Http,
    WebSocket,
}

/// One counted socket; dropping it counts it off.
#[derive(Debug)]
pub struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
    counted_as: Option<As>,
}

impl Addresses {
    pub fn new(limits: &Limits) -> Arc<Self> {
        let bounds = [limits.unauthenticated_per_address_max, limits.connections_per_address_max, limits.connections_per_address_max];
        Arc::new(Self { counts: Mutex::default(), bounds })
    }

    /// `None`: that address has as many of these as it may.
    pub fn enter(self: &Arc<Self>, address: IpAddr, counts_as: As) -> Option<Place> {
        let mut counts = self.counts.lock();
        let count = &mut counts.entry(net(address)).or_default()[counts_as as usize];
        if *count >= self.bounds[counts_as as usize] {
            return None;
        }
        *count += 1;
        Some(Place { addresses: self.clone(), address, counted_as: Some(counts_as) })
    }

    /// Counts off a socket whose place was given up with `Place::keep`.
    pub fn leave(&self, address: IpAddr, counted_as: As) {
        let mut counts = self.counts.lock();
        let Some(count) = counts.get_mut(&net(address)) else { return };
        count[counted_as as usize] = count[counted_as as usize].saturating_sub(1);
        if *count == [0; 3] {
            counts.remove(&net(address));
        }
    }
}

impl Place {
    /// From here on the holder counts it off, by `Addresses::leave`: a parked connection has no room for a guard.
    pub fn keep(mut self) {
        self.counted_as = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(counted_as) = self.counted_as {
            self.addresses.leave(self.address, counted_as);
        }
    }
}

fn net(address: IpAddr) -> Ipv6Addr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_of_v6_counts_as_one_and_a_dropped_place_is_free_again() {
        let addresses = Addresses::new(&Limits { connections_per_address_max: 2, ..Limits::default() });
        let enter = |text: &str| addresses.enter(text.parse().unwrap(), As::WebSocket);
        let first = enter("2001:db8::1").unwrap();
        let _second = enter("2001:db8::2").unwrap();
        assert!(enter("2001:db8::3").is_none());
        assert!(enter("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(enter("2001:db8::3").is_some());
        enter("127.0.0.1").unwrap().keep();
        let _v4 = enter("::ffff:127.0.0.1").unwrap();
        assert!(enter("127.0.0.1").is_none());
        addresses.leave("127.0.0.1".parse().unwrap(), As::WebSocket);
        assert!(enter("127.0.0.1").is_some());
    }
}
