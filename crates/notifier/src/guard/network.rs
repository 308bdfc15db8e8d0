//! Which addresses are not public, from IANA's registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits)
}

/// Of IPv4 everything is public that is not listed.
const SPECIAL_V4: [(Ipv4Net, &str); 18] = [
    (v4(0, 0, 0, 0, 8), "unspecified: this machine"),
    (v4(10, 0, 0, 0, 8), "private"),
    (
        v4(100, 64, 0, 0, 10),
        "shared by a provider's customers (CGNAT)",
    ),
    (v4(127, 0, 0, 0, 8), "the loopback: this machine"),
    (v4(168, 63, 129, 16, 32), "the host of a virtual machine"),
    (
        v4(169, 254, 0, 0, 16),
        "link-local, where clouds keep their metadata",
    ),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "a retired relay (6to4)"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(192, 52, 193, 0, 24), "reserved for multicast relays"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Of IPv6 only what lies here is public,
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// and none of these. Those that carry an IPv4 address are refused whole: whatever they lead to has an
/// address of its own.
const SPECIAL_V6: [(Ipv6Net, &str); 5] = [
    (v6(0x2001, 0, 32), "a tunnel (Teredo)"),
    (v6(0x2001, 0, 23), "reserved for protocols"),
    (v6(0x2001, 0xdb8, 32), "for documentation"),
    (v6(0x2002, 0, 16), "a tunnel (6to4)"),
    (v6(0x3fff, 0, 20), "for documentation"),
];

/// Names for what lies elsewhere, for the message.
const ELSEWHERE_V6: [(Ipv6Net, &str); 6] = [
    (v6(0x64, 0xff9b, 32), "IPv4 in a translated address (NAT64)"),
    (v6(0x100, 0, 64), "a black hole"),
    (v6(0xfc00, 0, 7), "private (unique-local)"),
    (v6(0xfe80, 0, 10), "link-local"),
    (v6(0xfec0, 0, 10), "private (site-local)"),
    (v6(0xff00, 0, 8), "multicast"),
];

/// What an address is, if it is not public.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => SPECIAL_V4
            .iter()
            .find(|(network, _)| network.contains(&address))
            .map(|(_, what)| *what),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if GLOBAL_V6.contains(&address) {
        let found = SPECIAL_V6
            .iter()
            .find(|(network, _)| network.contains(&address));
        return found.map(|(_, what)| *what);
    }
    if address.is_unspecified() {
        return Some("unspecified: this machine");
    }
    if address.is_loopback() {
        return Some("the loopback: this machine");
    }
    // Both ::ffff:a.b.c.d and the older ::a.b.c.d.
    if address.to_ipv4().is_some() {
        return Some("IPv4 written as IPv6");
    }
    let named = ELSEWHERE_V6
        .iter()
        .find(|(network, _)| network.contains(&address));
    Some(named.map_or("outside of what is public", |(_, what)| *what))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_and_last_of_each_network_are_special_and_their_neighbours_public() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("168.63.129.16", "168.63.129.16"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "255.255.255.255"),
        ] {
            let (first, last): (Ipv4Addr, Ipv4Addr) =
                (first.parse().unwrap(), last.parse().unwrap());
            assert!(special(first.into()).is_some(), "{first}");
            assert!(special(last.into()).is_some(), "{last}");
            let before = first.to_bits().checked_sub(1).map(Ipv4Addr::from_bits);
            let after = last.to_bits().checked_add(1).map(Ipv4Addr::from_bits);
            for public in before.into_iter().chain(after) {
                assert_eq!(special(public.into()), None, "{public}");
            }
        }
    }

    #[test]
    fn what_is_special_in_ipv6_is_named() {
        for (address, word) in [
            ("::", "this machine"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4"),
            ("::ffff:10.0.0.1", "IPv4"),
            ("::ffff:8.8.8.8", "IPv4"),
            ("64:ff9b::a00:1", "NAT64"),
            ("64:ff9b::808:808", "NAT64"),
            ("64:ff9b:1::a00:1", "NAT64"),
            ("100::1", "hole"),
            ("2001::1", "Teredo"),
            ("2001:2::1", "protocols"),
            ("2001:20::1", "protocols"),
            ("2001:db8::1", "documentation"),
            ("2002:a00:1::", "6to4"),
            ("2002:808:808::1", "6to4"),
            ("3fff::1", "documentation"),
            ("5f00::1", "outside"),
            ("fd00:ec2::254", "unique-local"),
            ("fc00::1", "unique-local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            let what = special(address.parse().unwrap());
            assert!(
                what.is_some_and(|what| what.contains(word)),
                "{address}: {what:?}"
            );
        }
        for public in [
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2003::1",
            "3ffe::1",
        ] {
            assert_eq!(special(public.parse().unwrap()), None, "{public}");
        }
    }

    proptest! {
        /// The standard library knows some of it, too.
        #[test]
        fn nothing_that_the_standard_library_knows_is_public(bits in any::<u32>(), wide in any::<u128>()) {
            let address = Ipv4Addr::from_bits(bits);
            let is_known = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_documentation()
                || address.is_unspecified()
                || address.is_multicast();
            prop_assert!(!is_known || special(address.into()).is_some());
            prop_assert!(special(address.to_ipv6_mapped().into()).is_some());
            prop_assert!(special(address.to_ipv6_compatible().into()).is_some());
            let address = Ipv6Addr::from_bits(wide);
            let is_known = address.is_loopback()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local();
            prop_assert!(!is_known || special(address.into()).is_some());
        }
    }
}
