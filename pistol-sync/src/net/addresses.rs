//! Where a node may be reached, as told and as dialled.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::limits::ADDRESSES_MAX;

/// The addresses to print in a ticket, best first: at most [`ADDRESSES_MAX`] that another machine may reach, or those of
/// this machine alone when there are no others.
pub(super) fn told(all: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<_> = all.filter(|address| is_destination(address) && !needs_a_scope(address.ip())).collect();
    if addresses.iter().any(|address| !address.ip().is_loopback()) {
        addresses.retain(|address| !address.ip().is_loopback());
    }
    addresses.sort_unstable_by_key(|address| (rank(address.ip()), *address));
    addresses.dedup();
    addresses.truncate(ADDRESSES_MAX);
    addresses
}

/// The addresses worth a dial: at most [`ADDRESSES_MAX`], as they may come from a stranger.
pub(super) fn dialled(all: &[SocketAddr]) -> impl Iterator<Item = SocketAddr> {
    all.iter().copied().filter(is_destination).take(ADDRESSES_MAX)
}

fn is_destination(address: &SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::from([255; 4])
}

/// The name of an interface means nothing on another machine.
fn needs_a_scope(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Home and office networks first. The middle block of private addresses is mostly that of bridges to containers, and an
/// address that a machine gave itself works on one cable only.
fn rank(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => 6,
        IpAddr::V4(ip) if ip.is_link_local() => 5,
        IpAddr::V4(ip) => match ip.octets() {
            [192, 168, ..] | [10, ..] => 0,
            [172, second, ..] if (16..32).contains(&second) => 4,
            _ => 1,
        },
        IpAddr::V6(Ipv6Addr::LOCALHOST) => 6,
        IpAddr::V6(ip) if ip.is_unique_local() => 3,
        IpAddr::V6(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{dialled, told};
    use crate::limits::ADDRESSES_MAX;

    fn addresses(list: &str) -> Vec<SocketAddr> {
        list.split_whitespace().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_ticket_names_the_addresses_that_others_can_reach_with_the_likeliest_first() {
        for (all, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:1 127.0.0.1:1", "127.0.0.1:1 [::1]:1"),
            ("127.0.0.1:1 192.168.1.5:1", "192.168.1.5:1"),
            ("[fe80::1]:1 127.0.0.1:1", "127.0.0.1:1"),
            ("172.17.0.1:1 10.0.0.7:1 10.0.0.7:1", "10.0.0.7:1 172.17.0.1:1"),
            (
                "[fd00::1]:1 [2001:db8::1]:1 8.8.8.8:1 169.254.1.1:1",
                "8.8.8.8:1 [2001:db8::1]:1 [fd00::1]:1 169.254.1.1:1",
            ),
            ("0.0.0.0:1 192.168.1.5:0", ""),
        ] {
            assert_eq!(told(addresses(all).into_iter()), addresses(expected), "{all}");
        }
    }

    #[test]
    fn a_long_list_is_cut_and_what_is_no_destination_is_not_dialled() {
        let many: Vec<SocketAddr> = (1..100).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect();
        assert_eq!(told(many.iter().copied()).len(), ADDRESSES_MAX);
        assert_eq!(dialled(&many).count(), ADDRESSES_MAX);
        let bad =
            addresses("0.0.0.0:1 224.0.0.1:1 255.255.255.255:1 [ff02::1]:1 [::]:1 10.0.0.1:0 [::ffff:224.0.0.1]:1");
        assert_eq!(dialled(&bad).count(), 0);
    }
}
