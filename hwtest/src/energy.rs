//! Watts, where the kernel counts energy: the processor's packages by RAPL (`/sys/class/powercap`). Says why not where
//! it does not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The counters of this machine.
#[derive(Debug)]
pub struct Meter {
    packages: Vec<Package>,
}

#[derive(Debug)]
struct Package {
    counter: PathBuf,
    /// Where it begins again at 0.
    range_uj: u64,
}

/// A reading.
#[derive(Debug)]
pub struct Reading {
    at: Instant,
    counts_uj: Vec<u64>,
}

impl Meter {
    /// Those below `root` (`/` for this machine).
    ///
    /// # Errors
    /// Why there are none, as a sentence.
    pub fn find(root: &Path) -> Result<Self, String> {
        let folder = root.join("sys/class/powercap");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let zones = entries.map(|entry| entry.path());
        // `intel-rapl:0` is a package, also AMD's; `intel-rapl:0:0` a part of one.
        let is_package = |path: &PathBuf| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| {
                name.starts_with("intel-rapl:") && name.matches(':').count() == 1
            })
        };
        let mut packages = Vec::new();
        for zone in zones.filter(is_package) {
            let counter = zone.join("energy_uj");
            number(&counter).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "The kernel counts energy, but only root may read it: run hwtest as root for watts.".to_owned()
                }
                _ => format!("The counter {} cannot be read: {error}.", counter.display()),
            })?;
            let range_uj = number(&zone.join("max_energy_range_uj")).unwrap_or(u64::MAX);
            packages.push(Package { counter, range_uj });
        }
        match packages.is_empty() {
            true => Err("This kernel counts no energy (no RAPL below /sys/class/powercap), as in most virtual machines.".into()),
            false => Ok(Self { packages }),
        }
    }

    /// What the counters say now.
    #[must_use]
    pub fn read(&self) -> Reading {
        let count = |package: &Package| number(&package.counter).unwrap_or_default();
        Reading {
            at: Instant::now(),
            counts_uj: self.packages.iter().map(count).collect(),
        }
    }

    /// The mean since a reading.
    #[must_use]
    pub fn watts_since(&self, before: &Reading) -> f64 {
        let now = self.read();
        let both = before.counts_uj.iter().zip(&now.counts_uj);
        let used = both.zip(&self.packages).map(|((before, now), package)| {
            // Once around between two readings: 262 kJ are minutes at full load.
            now.checked_sub(*before).unwrap_or_else(|| {
                package
                    .range_uj
                    .saturating_sub(*before)
                    .saturating_add(*now)
            })
        });
        let seconds = now.at.duration_since(before.at).as_secs_f64();
        used.sum::<u64>() as f64 / 1e6 / seconds.max(1e-6)
    }
}

fn number(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(root: &Path, counts: &[u64]) {
        for (number, count) in counts.iter().enumerate() {
            let zone = root.join(format!("sys/class/powercap/intel-rapl:{number}"));
            fs::create_dir_all(&zone).unwrap();
            fs::write(zone.join("energy_uj"), format!("{count}\n")).unwrap();
            fs::write(zone.join("max_energy_range_uj"), "1000000\n").unwrap();
        }
    }

    #[test]
    fn energy_of_all_packages_is_watts_also_where_a_counter_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        counters(folder.path(), &[900_000, 0]);
        fs::create_dir_all(folder.path().join("sys/class/powercap/intel-rapl:0:0")).unwrap();
        let meter = Meter::find(folder.path()).unwrap();
        let mut before = meter.read();
        before.at = Instant::now() - std::time::Duration::from_secs(1);
        counters(folder.path(), &[100_000, 800_000]);
        let watts = meter.watts_since(&before);
        assert!((0.9..=1.0).contains(&watts), "{watts}");
    }

    #[test]
    fn where_nothing_counts_a_sentence_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let why = Meter::find(folder.path()).unwrap_err();
        assert!(why.contains("counts no energy"), "{why}");
    }
}
