//! Moments that either contact awaits: each comes once to the one that they are.

use std::collections::BTreeSet;

use crate::decide::{Effect, TimerKind, Turn};
use crate::journey::On;
use crate::time::civil_day;
use crate::value::{Fields, Root};
use crate::watch::Watch;

impl Turn<'_> {
    /// What either awaits: of two moments the earlier, of two days on which it came the later.
    pub(super) fn take_watches(&mut self, theirs: &[Watch], moved: bool, changed: &Fields) {
        let mut touched = BTreeSet::new();
        for watch in theirs {
            let hash = watch.hash();
            let ours = self.snapshot.watches.iter().find(|own| own.hash() == hash);
            let before = ours.map(|own| own.due_at);
            let mut one = watch.clone();
            if let Some(ours) = ours {
                one.due_at = one.due_at.min(ours.due_at);
                one.last_day = one.last_day.max(ours.last_day);
            }
            touched.insert(hash);
            self.move_timer(before, Some(one.due_at), TimerKind::Watch(hash));
            self.emit(Effect::Watch(one));
        }
        let world = self.world;
        for watch in self.snapshot.watches.clone() {
            let Some(journey) = world.current(&watch.journey) else {
                continue;
            };
            let mut anew = moved || touched.contains(&watch.hash());
            match &journey.trigger.on {
                On::Date { path, .. } => {
                    let known = match path.root {
                        Root::Contact => true,
                        Root::Subject => watch
                            .subject
                            .as_ref()
                            .is_some_and(|subject| self.snapshot.objects.contains_key(subject)),
                        Root::Event => false,
                    };
                    let first = path.names.first();
                    anew |= path.root == Root::Contact
                        && first.is_some_and(|name| changed.contains_key(&**name));
                    if known && anew && !self.comes_now(&watch) {
                        self.arm_date(journey, watch.subject);
                    }
                }
                // Whoever awaits it belongs to whom it is for, by what one half is; when its moment comes
                // that is asked again.
                On::Schedule { .. } => {
                    if anew && !self.comes_now(&watch) {
                        self.arm_schedule(journey);
                    }
                }
                // Counted from the last activity of both when its moment comes.
                On::Inactive { .. } => {}
                On::Event(_)
                | On::SegmentEntered(_)
                | On::SegmentLeft(_)
                | On::Changed { .. }
                | On::Manual
                | On::Api => {}
            }
        }
    }

    /// Whether a watch's moment is here and was not lived by either yet: counted anew it would be lost.
    fn comes_now(&self, watch: &Watch) -> bool {
        watch.due_at <= self.now && Some(civil_day(watch.due_at, &self.zone)) != watch.last_day
    }
}
