//! Where finished files go: the package folder. Each is written under another name, synced and
//! renamed, so that a name that exists is a whole file; only then is it announced.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use super::failure::Failure;
use crate::protocol::Message;

/// What the pipeline's threads tell the main thread.
#[derive(Debug)]
pub enum Event {
    /// To be passed on to the daemon.
    Message(Box<Message>),
    /// The end.
    Failed(Failure),
}

/// The package folder and the way to announce what is put there.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
    events: Sender<Event>,
}

impl Shelf {
    /// Files go under `folder`, announcements to `events`.
    pub fn new(folder: PathBuf, events: Sender<Event>) -> Self {
        Self { folder, events }
    }

    /// Puts one file; returns its size. `name` is one of [`crate::package::Package`]'s.
    pub fn put(&self, name: &str, parts: &[&[u8]]) -> io::Result<u64> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            fs::create_dir_all(parent)?;
            sync_folder(&self.folder)?;
        }
        let unfinished = path.with_extension(UNFINISHED);
        let mut file = File::create(&unfinished)?;
        let mut size = 0_u64;
        for part in parts {
            file.write_all(part)?;
            size += part.len() as u64;
        }
        file.sync_data()?;
        fs::rename(&unfinished, &path)?;
        Ok(size)
    }

    /// Removes what a worker that was killed had begun: files that have no name of their own yet.
    pub fn sweep(&self) -> io::Result<()> {
        sweep(&self.folder)?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                sweep(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Reads a file back.
    pub fn get(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(name))
    }

    /// The size of a file that is there.
    pub fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.folder.join(name))?.len())
    }

    /// Makes the names of a subfolder's files durable.
    pub fn sync(&self, name: &str) -> io::Result<()> {
        sync_folder(&self.folder.join(name))
    }

    /// Announces.
    pub fn tell(&self, message: Message) {
        // Nobody listens any more when the job has already failed: then this is no news.
        let _ = self.events.send(Event::Message(Box::new(message)));
    }

    /// Ends the job.
    pub fn fail(&self, failure: Failure) {
        let _ = self.events.send(Event::Failed(failure));
    }
}

/// The ending of a file's name until it is whole.
const UNFINISHED: &str = "part";

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
