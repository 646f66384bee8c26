//! Addresses of rules.

use super::rule::Problem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};

/// From where connections come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Address {
    All,
    /// From this machine.
    SameHost,
    /// From a network that this machine is in.
    SameNet,
    /// From addresses whose bits under the mask are these.
    Network {
        address: IpAddr,
        mask: IpAddr,
    },
    /// From an address that a name resolves to.
    Name(String),
}

/// The bits of an address, and whether it is of IPv6.
fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), false),
        IpAddr::V6(v6) => (v6.to_bits(), true),
    }
}

fn is_under(address: IpAddr, network: IpAddr, mask: IpAddr) -> bool {
    let ((address, v6), (network, network_v6)) = (bits(address), bits(network));
    v6 == network_v6 && (address ^ network) & bits(mask).0 == 0
}

/// The mask whose first `length` bits are set.
fn mask_of(length: u32, v6: bool) -> Option<IpAddr> {
    let ones =
        |width: u32| (length <= width).then(|| u128::MAX.checked_shl(width - length).unwrap_or(0));
    if v6 {
        ones(128).map(|mask| Ipv6Addr::from_bits(mask).into())
    } else {
        ones(32).map(|mask| Ipv4Addr::from_bits((mask & u128::from(u32::MAX)) as u32).into())
    }
}

impl Address {
    /// Reads an address; `next` gives the mask if it stands in a field of its own.
    pub(super) fn read(
        text: &str,
        next: impl FnOnce() -> Result<String, Problem>,
    ) -> Result<Address, Problem> {
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix)),
            None => (text, None),
        };
        let Ok(address) = host.parse::<IpAddr>() else {
            if prefix.is_some() {
                return Err(Problem::from(format!(
                    "specifying both host name and CIDR mask is invalid: \"{text}\""
                )));
            }
            if host.starts_with('.') {
                return Err(Problem::from(format!(
                    "suffixes of host names are not supported yet: \"{text}\""
                )));
            }
            return Ok(Address::Name(host.to_owned()));
        };
        let v6 = address.is_ipv6();
        let mask = match prefix {
            Some(prefix) => {
                let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
                let length = prefix.parse().ok().filter(|_| digits);
                length.and_then(|length| mask_of(length, v6)).ok_or_else(|| {
                    Problem::from(format!("invalid CIDR mask in address \"{text}\""))
                })?
            }
            None => {
                let text = next()?;
                let mask: IpAddr = text.parse().map_err(|_| {
                    let why = "Name or service not known";
                    Problem::from(format!("invalid IP mask \"{text}\": {why}"))
                })?;
                if mask.is_ipv6() != v6 {
                    return Err(Problem::from("IP address and mask do not match".to_owned()));
                }
                mask
            }
        };
        Ok(Address::Network { address, mask })
    }

    pub(super) fn matches(&self, client: IpAddr) -> bool {
        match self {
            Address::All => true,
            Address::SameHost => is_own(client),
            Address::SameNet => {
                is_own(client) || networks().iter().any(|(a, m)| is_under(client, *a, *m))
            }
            Address::Network { address, mask } => is_under(client, *address, *mask),
            Address::Name(name) => (name.as_str(), 0)
                .to_socket_addrs()
                .is_ok_and(|mut found| found.any(|one| one.ip().to_canonical() == client)),
        }
    }

    /// The address and the mask as the view shows them.
    pub(super) fn shown(&self) -> (String, Option<String>) {
        match self {
            Address::All => ("all".to_owned(), None),
            Address::SameHost => ("samehost".to_owned(), None),
            Address::SameNet => ("samenet".to_owned(), None),
            Address::Network { address, mask } => (address.to_string(), Some(mask.to_string())),
            Address::Name(name) => (name.clone(), None),
        }
    }
}

/// Whether an address is one of this machine: only those can be bound to.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// The networks that this machine is in, with their masks.
fn networks() -> Vec<(IpAddr, IpAddr)> {
    let mut networks = vec![(Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(255, 0, 0, 0).into())];
    // Interface, destination, gateway, flags, three counters, mask: numbers of the machine's order.
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    networks.extend(routes.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(words.get(at)?, 16).ok().map(u32::swap_bytes);
        let (destination, gateway, mask) = (number(1)?, number(2)?, number(7)?);
        let direct = gateway == 0 && mask != 0;
        direct.then(|| (Ipv4Addr::from(destination).into(), Ipv4Addr::from(mask).into()))
    }));
    // Address, index, length of the prefix, scope, flags, interface.
    let addresses = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    networks.extend(addresses.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        let length = u32::from_str_radix(words.nth(1)?, 16).ok()?;
        Some((Ipv6Addr::from_bits(address).into(), mask_of(length, true)?))
    }));
    networks
}
