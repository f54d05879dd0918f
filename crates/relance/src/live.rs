//! What changes, told to open pages: each topic has a number that rises, and whoever watches compares.
//!
//! A turn of the engine costs one addition for each topic that it touched, however many watch. Nobody is told what
//! changed: pages ask again for what they show.
//!
//! **Absent:** the way to the browser, see [`crate::http`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use relance_engine::topics::{Topic, Topics};

/// Pages that may watch at once.
pub const WATCHERS_MAX: usize = 256;

/// The numbers of a workspace.
#[derive(Debug, Default)]
pub struct Live {
    numbers: [AtomicU64; Topic::ALL.len()],
    watchers: AtomicUsize,
    closed: AtomicBool,
}

impl Live {
    /// These were touched.
    pub fn touch(&self, topics: Topics) {
        if topics.is_empty() {
            return;
        }
        for (number, topic) in self.numbers.iter().zip(Topic::ALL) {
            if topics.has(topic) {
                number.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The program ends: whoever watches is let go, so that nothing waits for them.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether the program ends.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// One more who watches; `None` where there are [`WATCHERS_MAX`] already.
    pub fn watch(self: &Arc<Self>) -> Option<Watcher> {
        let taken = self
            .watchers
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |watchers| {
                (watchers < WATCHERS_MAX).then_some(watchers + 1)
            });
        taken.ok()?;
        Some(Watcher {
            seen: self.now(),
            live: self.clone(),
        })
    }

    fn now(&self) -> [u64; Topic::ALL.len()] {
        std::array::from_fn(|at| self.numbers[at].load(Ordering::Relaxed))
    }
}

/// Somebody who watches.
#[derive(Debug)]
pub struct Watcher {
    live: Arc<Live>,
    seen: [u64; Topic::ALL.len()],
}

impl Watcher {
    /// What was touched since the last call.
    pub fn news(&mut self) -> Vec<Topic> {
        let now = self.live.now();
        let topics = Topic::ALL.into_iter().enumerate();
        let changed = topics.filter(|(at, _)| now[*at] != self.seen[*at]);
        let changed = changed.map(|(_, topic)| topic).collect();
        self.seen = now;
        changed
    }

    /// Whether the program ends.
    pub fn is_closed(&self) -> bool {
        self.live.is_closed()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.live.watchers.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_hears_of_each_topic_once() {
        let live = Arc::new(Live::default());
        live.touch(Topics::of(&[Topic::Tasks]));
        let mut watcher = live.watch().expect("room");
        assert_eq!(watcher.news(), []);
        live.touch(Topics::of(&[Topic::Tasks, Topic::Overview]));
        live.touch(Topics::of(&[Topic::Tasks]));
        assert_eq!(watcher.news(), [Topic::Overview, Topic::Tasks]);
        assert_eq!(watcher.news(), []);
    }

    #[test]
    fn there_is_room_for_so_many_and_for_another_when_one_leaves() {
        let live = Arc::new(Live::default());
        let mut all: Vec<Watcher> = (0..WATCHERS_MAX).filter_map(|_| live.watch()).collect();
        assert_eq!(all.len(), WATCHERS_MAX);
        assert!(live.watch().is_none());
        all.pop();
        assert!(live.watch().is_some());
    }
}
