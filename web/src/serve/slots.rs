//! How many connections are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections in all; each costs a descriptor and some 20 kB.
const MOST: usize = 4096;
/// From one address: a lecture hall may stand behind one router, and a browser opens six. Not for loopback: a reverse
/// proxy on this machine speaks for everybody.
const MOST_PER_ADDRESS: usize = 1024;

#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A place for one more, unless there are too many.
    pub(super) fn take(&self, address: IpAddr) -> Option<Slot> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= MOST {
            return None;
        }
        let here = open.by_address.entry(address).or_default();
        if *here >= MOST_PER_ADDRESS && !address.is_loopback() {
            return None;
        }
        *here += 1;
        open.all += 1;
        Some(Slot {
            slots: self.clone(),
            address,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(here) = open.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let slots = Slots::new();
        let greedy: IpAddr = "192.0.2.1".parse().unwrap();
        let held: Vec<_> = (0..MOST_PER_ADDRESS)
            .map(|_| slots.take(greedy).unwrap())
            .collect();
        assert!(slots.take(greedy).is_none());
        assert!(slots.take("192.0.2.2".parse().unwrap()).is_some());
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        let proxied: Vec<_> = (0..=MOST_PER_ADDRESS)
            .map_while(|_| slots.take(proxy))
            .collect();
        assert_eq!(proxied.len(), MOST_PER_ADDRESS + 1);
        drop(held);
        assert!(slots.take(greedy).is_some());
    }
}
