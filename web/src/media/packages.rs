//! Packages as parsed from the library, kept by the version's revision: a manifest or a segment is
//! asked for far more often than a package changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_library::{Library, VersionInfo, VideoId};
use lectern_store::Store;
use lectern_vod::package::Package;

use crate::problem::Problem;

/// The packages looked at lately.
#[derive(Debug, Default)]
pub struct Packages {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    packages: HashMap<(VideoId, u32), Entry>,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    revision: u64,
    package: Arc<Package>,
    used: u64,
    /// The store's generation at which this was read
    listed: Option<(u64, Arc<VersionInfo>)>,
}

/// A version that has a package.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// The version, without how far its job is
    pub(super) info: Arc<VersionInfo>,
    /// Its package
    pub(super) package: Arc<Package>,
}

/// Packages kept: a two-hour lecture in six tracks takes about 300 kB.
const MOST: usize = 64;

impl Packages {
    /// A version's package; `None` before its first segment. Blocking.
    ///
    /// # Errors
    /// The store fails, or holds what is no package.
    pub fn get(
        &self,
        library: &Library,
        video: VideoId,
        info: &VersionInfo,
    ) -> Result<Option<Arc<Package>>, Problem> {
        let key = (video, info.version);
        if let Some(package) = self.look(key, info.revision) {
            return Ok(Some(package));
        }
        let Some(json) = library.package_json(video, info.version)? else {
            return Ok(None);
        };
        let package: Package = serde_json::from_str(&json).map_err(Problem::internal)?;
        let package = Arc::new(package);
        self.keep(key, info.revision, package.clone());
        Ok(Some(package))
    }

    /// A version, when nothing was written into the library since it was read. Never waits.
    pub(super) fn listed(&self, store: &Store, video: VideoId, version: u32) -> Option<Listed> {
        let generation = store.generation();
        self.with(|kept| {
            let used = kept.tick();
            let entry = kept.packages.get_mut(&(video, version))?;
            let (at, info) = entry.listed.as_ref()?;
            entry.used = used;
            (*at == generation).then(|| Listed {
                info: info.clone(),
                package: entry.package.clone(),
            })
        })
    }

    /// The same, read from the library. Blocking.
    ///
    /// # Errors
    /// There is no such version; as [`Self::get`].
    pub(super) fn list(
        &self,
        library: &Library,
        store: &Store,
        video: VideoId,
        version: u32,
    ) -> Result<Option<Listed>, Problem> {
        // Before what it stands for is read: what is written meanwhile makes it old.
        let generation = store.generation();
        let info = Arc::new(library.version(video, version)?);
        let Some(package) = self.get(library, video, &info)? else {
            return Ok(None);
        };
        self.with(|kept| {
            if let Some(entry) = kept.packages.get_mut(&(video, version))
                && entry.revision == info.revision
            {
                entry.listed = Some((generation, info.clone()));
            }
        });
        Ok(Some(Listed { info, package }))
    }

    fn look(&self, key: (VideoId, u32), revision: u64) -> Option<Arc<Package>> {
        self.with(|kept| {
            let used = kept.tick();
            let entry = kept.packages.get_mut(&key)?;
            entry.used = used;
            (entry.revision == revision).then(|| entry.package.clone())
        })
    }

    fn keep(&self, key: (VideoId, u32), revision: u64, package: Arc<Package>) {
        self.with(|kept| {
            let used = kept.clock;
            if kept.packages.len() >= MOST && !kept.packages.contains_key(&key) {
                let oldest = kept.packages.iter().min_by_key(|(_, entry)| entry.used);
                if let Some(oldest) = oldest.map(|(key, _)| *key) {
                    kept.packages.remove(&oldest);
                }
            }
            let entry = Entry {
                revision,
                package,
                used,
                listed: None,
            };
            kept.packages.insert(key, entry);
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_older_revision_is_not_given_for_a_newer_one_and_the_number_is_bounded() {
        let packages = Packages::default();
        let id = |n: usize| (VideoId(Uuid::from_u128(n as u128)), 1);
        for n in 0..MOST + 5 {
            packages.keep(id(n), 1, Arc::default());
            assert!(packages.look(id(0), 1).is_some(), "what is used stays");
        }
        let count = packages.kept.lock().unwrap().packages.len();
        assert_eq!(count, MOST);
        assert!(packages.look(id(0), 2).is_none());
    }
}
