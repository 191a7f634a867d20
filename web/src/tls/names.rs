//! What this machine is called: the names and addresses that its certificate must carry.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Host names and addresses, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Host names
    pub hosts: BTreeSet<String>,
    /// Addresses
    pub addresses: BTreeSet<IpAddr>,
}

impl Names {
    /// Most names in one certificate; what is beyond is left out.
    const MOST: usize = 64;

    /// `localhost`, the machine's own name (also below `.local`), its addresses, and those given.
    pub fn of_this_machine(given: &[String]) -> Self {
        let mut names = Self::default();
        names.add("localhost");
        names.add("127.0.0.1");
        names.add("::1");
        for name in given {
            names.add(name);
        }
        if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
            let name = name.trim();
            names.add(name);
            if !name.contains('.') {
                names.add(&format!("{name}.local"));
            }
        }
        for interface in nix::ifaddrs::getifaddrs().into_iter().flatten() {
            let Some(address) = interface.address else {
                continue;
            };
            if let Some(v4) = address.as_sockaddr_in() {
                names.addresses.insert(IpAddr::V4(v4.ip()));
            } else if let Some(v6) = address.as_sockaddr_in6()
                && !v6.ip().is_unicast_link_local()
            {
                names.addresses.insert(IpAddr::V6(v6.ip()));
            }
        }
        names.addresses = names.addresses.into_iter().take(Self::MOST).collect();
        names
    }

    /// Adds a host name or an address; false when it is neither, and left out.
    pub fn add(&mut self, name: &str) -> bool {
        if let Ok(address) = name.parse() {
            self.addresses.insert(address);
            return true;
        }
        let is_taken = is_host(name) && self.hosts.len() < Self::MOST;
        if is_taken {
            self.hosts.insert(name.to_ascii_lowercase());
        }
        is_taken
    }

    /// Every name as text.
    pub fn texts(&self) -> Vec<String> {
        self.hosts
            .iter()
            .cloned()
            .chain(self.addresses.iter().map(ToString::to_string))
            .collect()
    }
}

/// RFC 1123 host names.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_and_addresses_are_taken() {
        let mut names = Names::default();
        for name in [
            "Lectern.Campus.example",
            "192.0.2.1",
            "a b",
            "",
            "-x",
            "fe80::1%eth0",
            "*.example",
        ] {
            names.add(name);
        }
        assert_eq!(names.texts(), ["lectern.campus.example", "192.0.2.1"]);
    }

    #[test]
    fn this_machine_is_reachable_as_localhost() {
        let texts = Names::of_this_machine(&["box.example".into()]).texts();
        for name in ["localhost", "127.0.0.1", "::1", "box.example"] {
            assert!(texts.iter().any(|text| text == name), "{name}");
        }
    }
}
