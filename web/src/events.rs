//! What happened, for pages that watch: the rooms' changes, turned into small events for those who
//! may know. An event says *look again*, never what is there: a page that missed one has lost nothing.

mod pump;

pub(crate) use pump::pump;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_library::VideoId;
use lectern_lms::{Person, PersonId};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::access;
use crate::app::App;

/// Events that a slow stream may lag behind before it is told to look at everything again.
const KEPT: usize = 256;
/// Streams of one person: a browser opens one for all its tabs.
const MOST_PER_PERSON: usize = 8;
/// Streams in all.
const MOST: usize = 2000;

/// Who may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Whoever may see this video
    Video(VideoId),
    /// Those who see figures of learners
    Figures,
    /// Those who run the box
    Box,
    /// Whoever watches: the event says nothing about anything
    Everyone,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// `video`, `captions`, `statements`, `upstreams`, `system`, `resync`
    pub name: &'static str,
    /// What to look at again
    pub data: Value,
    /// Who may know
    pub audience: Audience,
}

/// The box's events.
pub struct Events {
    sender: broadcast::Sender<Arc<Event>>,
    open: Arc<Mutex<HashMap<PersonId, usize>>>,
}

impl Events {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            sender: broadcast::channel(KEPT).0,
            open: Arc::default(),
        }
    }

    /// Tells those who watch.
    pub fn tell(&self, name: &'static str, data: Value, audience: Audience) {
        // Without a stream there is nobody to tell.
        let _ = self.sender.send(Arc::new(Event {
            name,
            data,
            audience,
        }));
    }

    /// Whether anybody watches.
    pub fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// A stream for a person, unless they have too many.
    pub(crate) fn watch(&self, person: PersonId) -> Option<Watching> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= MOST {
            return None;
        }
        let mine = open.entry(person).or_default();
        if *mine >= MOST_PER_PERSON {
            return None;
        }
        *mine += 1;
        Some(Watching {
            events: self.sender.subscribe(),
            open: self.open.clone(),
            person,
        })
    }
}

/// One open stream; gives its place back when dropped.
pub(crate) struct Watching {
    pub(crate) events: broadcast::Receiver<Arc<Event>>,
    open: Arc<Mutex<HashMap<PersonId, usize>>>,
    person: PersonId,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = open.get_mut(&self.person) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.person);
            }
        }
    }
}

/// Whether a person may know of a video. One that is gone was in their list or was not: its id says nothing.
pub(crate) fn may_see(app: &App, person: &Person, video: VideoId) -> bool {
    match app.library.video(video) {
        Ok(video) => access::may_see(&video, Some(person)),
        Err(lectern_library::Error::NotFound(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_person_cannot_take_every_stream() {
        let events = Events::new();
        let (greedy, other) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        let held: Vec<_> = (0..MOST_PER_PERSON)
            .map(|_| events.watch(greedy).unwrap())
            .collect();
        assert!(events.watch(greedy).is_none());
        assert!(events.watch(other).is_some());
        drop(held);
        assert!(events.watch(greedy).is_some());
    }
}
