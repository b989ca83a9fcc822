//! What delivery cores are told. Events and owed rows are hints: losing one costs time, never a delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_channel::oneshot;
use futures_util::future::join_all;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::CommitListener;
use signalpost_store::ledger::{DueLane, Stored};

use crate::balance::Lighten;
use crate::figures::{Row, Share};
use crate::id_map::core_of;
use crate::lane::Luggage;
use crate::mailbox::Mailbox;
use crate::places::Places;

#[derive(Debug)]
pub(crate) enum Message {
    /// Committed a moment ago, with this webhook among its targets.
    Accepted { event: Arc<Event>, webhook: WebhookId },
    /// The same by another node, perhaps a while ago.
    AcceptedElsewhere { webhook: WebhookId, events: Vec<EventId> },
    /// To be sent once more.
    Requeued(Due),
    /// The first of its key by now.
    Released(Due),
    /// Found on disk; the lane may know of it already.
    Owed(DueLane),
    /// The webhook changed or is gone: start nothing more under what was known of it.
    Reload { webhook: WebhookId, applied: oneshot::Sender<()> },
    /// The same, and it is on now: go on at once with what it is owed.
    Resume { webhook: WebhookId, resumed: Resumed, applied: oneshot::Sender<()> },
    /// As `Reload` for every webhook of a workspace.
    ReloadWorkspace { workspace: WorkspaceId, applied: oneshot::Sender<()> },
    /// As `Reload` for every webhook.
    ReloadAll { applied: oneshot::Sender<()> },
    /// A lane that this core has from now on.
    Moved { webhook: WebhookId, luggage: Box<Luggage> },
    /// Lane groups have come or gone, or may be relied on again.
    Owners,
    /// Give some lanes to another core.
    Lighten(Lighten),
    /// Hand on what was counted.
    Counted { share: Share, answer: oneshot::Sender<Vec<Row>> },
    /// Start nothing more and end when nothing is in flight.
    Stop,
}

impl Message {
    /// The lane that it is for, whoever has it.
    pub(crate) const fn lane(&self) -> Option<WebhookId> {
        match self {
            Self::Accepted { webhook, .. }
            | Self::AcceptedElsewhere { webhook, .. }
            | Self::Reload { webhook, .. }
            | Self::Resume { webhook, .. } => Some(*webhook),
            Self::Requeued(due) | Self::Released(due) => Some(due.id.webhook),
            Self::Owed(lane) => Some(lane.webhook),
            Self::ReloadWorkspace { .. }
            | Self::ReloadAll { .. }
            | Self::Moved { .. }
            | Self::Owners
            | Self::Lighten(_)
            | Self::Counted { .. }
            | Self::Stop => None,
        }
    }
}

/// How a webhook goes on that was switched on, or released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumed {
    /// As the store has it; `None` when it has not answered.
    pub(crate) health: Option<Health>,
    /// Set when it was released by hand.
    pub(crate) release: Option<ReleaseOrder>,
}

/// The way to one core. Messages to a core that is not running are dropped.
#[derive(Clone, Debug)]
pub(crate) struct CoreDoor {
    /// Of the core among all.
    pub(crate) number: usize,
    pub(crate) mailbox: Mailbox<Message>,
    /// That have ended on this core.
    pub(crate) attempts: Arc<AtomicU64>,
    running: Arc<AtomicBool>,
}

impl CoreDoor {
    fn new(number: usize) -> Self {
        Self { number, mailbox: Mailbox::new(), attempts: Arc::default(), running: Arc::default() }
    }

    pub(crate) fn open(&self) {
        self.running.store(true, Ordering::SeqCst);
    }

    /// Drops what waits, and with it every promise to answer.
    pub(crate) fn close(&self) {
        self.running.store(false, Ordering::SeqCst);
        self.mailbox.clear();
    }

    fn send(&self, messages: impl IntoIterator<Item = Message>) {
        if self.running.load(Ordering::SeqCst) {
            self.mailbox.push_all(messages);
            // A core that closed between the two lines would keep the messages, and their senders, for ever.
            if !self.running.load(Ordering::SeqCst) {
                self.mailbox.clear();
            }
        }
    }
}

/// All cores, found by webhook.
#[derive(Debug)]
pub(crate) struct Doorbell {
    doors: Vec<CoreDoor>,
    places: Places,
}

impl Doorbell {
    pub(crate) fn new(cores: usize) -> Self {
        assert!(cores > 0, "an engine needs a delivery core");
        Self { doors: (0..cores).map(CoreDoor::new).collect(), places: Places::new(cores) }
    }

    pub(crate) fn doors(&self) -> impl Iterator<Item = CoreDoor> + '_ {
        self.doors.iter().cloned()
    }

    /// A message that a core has got, unless the lane is another core's by now: then that gets it.
    pub(crate) fn keep_or_pass_on(&self, core: usize, message: Message) -> Option<Message> {
        let owner = message.lane().map_or(core, |webhook| self.places.of(webhook));
        if owner == core {
            return Some(message);
        }
        self.doors[owner].send([message]);
        None
    }

    /// Whether a core has a lane, in memory or not.
    pub(crate) fn is_with(&self, core: usize, webhook: WebhookId) -> bool {
        self.places.of(webhook) == core
    }

    /// Whether another lane may be given away.
    pub(crate) fn can_give(&self) -> bool {
        self.places.has_room()
    }

    /// Gives a lane of which nothing is under way to another core. Gives back what it was to take along when it cannot go.
    pub(crate) fn give(&self, webhook: WebhookId, to: usize, luggage: Box<Luggage>) -> Option<Box<Luggage>> {
        let mut luggage = Some(luggage);
        self.places.put(webhook, to, || {
            let moved = luggage.take().map(|luggage| Message::Moved { webhook, luggage });
            self.doors[to].send(moved);
        });
        luggage
    }

    /// Gives a lane that is out of memory back to the core that it falls to, which wakes it at this instant.
    pub(crate) fn send_home(&self, webhook: WebhookId, first_due_at: Option<Timestamp>) {
        let home = core_of(webhook, self.doors.len());
        let owed = first_due_at.map(|first_due_at| Message::Owed(DueLane { webhook, first_due_at }));
        self.places.put(webhook, home, || self.doors[home].send(owed));
    }

    pub(crate) const fn cores(&self) -> usize {
        self.doors.len()
    }

    /// Attempts that have ended so far, by core.
    pub(crate) fn attempts(&self) -> Vec<u64> {
        self.doors.iter().map(|door| door.attempts.load(Ordering::Relaxed)).collect()
    }

    pub(crate) fn lighten(&self, core: usize, lighten: Lighten) {
        self.doors[core].send([Message::Lighten(lighten)]);
    }

    /// Returns when the owning core starts nothing more under the webhook's old state.
    pub(crate) async fn reload(&self, webhook: WebhookId) {
        let (applied, done) = oneshot::channel();
        self.door_of(webhook).send([Message::Reload { webhook, applied }]);
        // An error means that the core has stopped, and a stopped core starts nothing.
        done.await.unwrap_or_default();
    }

    /// The same for one that was switched on or released, which goes on with what it was owed all the while.
    pub(crate) async fn resume(&self, webhook: WebhookId, resumed: Resumed) {
        let (applied, done) = oneshot::channel();
        self.door_of(webhook).send([Message::Resume { webhook, resumed, applied }]);
        // As above.
        done.await.unwrap_or_default();
    }

    /// As [`Self::reload`] for all webhooks of a workspace.
    pub(crate) async fn reload_workspace(&self, workspace: WorkspaceId) {
        self.ask_all(|applied| Message::ReloadWorkspace { workspace, applied }).await;
    }

    /// As [`Self::reload`] for all webhooks that there are.
    pub(crate) async fn reload_all(&self) {
        self.ask_all(|applied| Message::ReloadAll { applied }).await;
    }

    async fn ask_all(&self, question: impl Fn(oneshot::Sender<()>) -> Message) {
        let ask = |door: &CoreDoor| {
            let (applied, done) = oneshot::channel();
            door.send([question(applied)]);
            done
        };
        let asked: Vec<_> = self.doors.iter().map(ask).collect();
        for done in asked {
            done.await.unwrap_or_default();
        }
    }

    /// What each core has counted; nothing of one that does not run.
    pub(crate) async fn counted(&self, share: Share) -> Vec<Vec<Row>> {
        let ask = |door: &CoreDoor| {
            let (answer, counted) = oneshot::channel();
            door.send([Message::Counted { share, answer }]);
            counted
        };
        join_all(self.doors.iter().map(ask)).await.into_iter().flatten().collect()
    }

    /// Whether every core runs and hears what it is told.
    pub(crate) fn is_open(&self) -> bool {
        self.doors.iter().all(|door| door.running.load(Ordering::SeqCst))
    }

    pub(crate) fn owners_changed(&self) {
        self.doors.iter().for_each(|door| door.send([Message::Owners]));
    }

    pub(crate) fn owed(&self, lanes: &[DueLane]) {
        self.spread(lanes.iter().map(|lane| (lane.webhook, Message::Owed(*lane))));
    }

    pub(crate) fn accepted_elsewhere(&self, deliveries: &[DeliveryId]) {
        let by_webhook = deliveries.chunk_by(|one, next| one.webhook == next.webhook);
        self.spread(by_webhook.map(|deliveries| {
            let webhook = deliveries[0].webhook;
            let events = deliveries.iter().map(|delivery| delivery.event).collect();
            (webhook, Message::AcceptedElsewhere { webhook, events })
        }));
    }

    /// Waits in the mailbox of a core that does not run yet: it would otherwise never hear of it.
    pub(crate) fn stop(&self) {
        for door in &self.doors {
            door.mailbox.push_all([Message::Stop]);
        }
    }

    /// One push, and so at most one wake-up, per core.
    fn spread(&self, messages: impl Iterator<Item = (WebhookId, Message)>) {
        let mut per_core: Vec<Vec<Message>> = self.doors.iter().map(|_| Vec::new()).collect();
        for (webhook, message) in messages {
            per_core[self.places.of(webhook)].push(message);
        }
        for (door, messages) in self.doors.iter().zip(per_core) {
            if !messages.is_empty() {
                door.send(messages);
            }
        }
    }

    fn door_of(&self, webhook: WebhookId) -> &CoreDoor {
        &self.doors[self.places.of(webhook)]
    }
}

impl CommitListener for Doorbell {
    fn accepted(&self, events: Vec<Stored>) {
        let messages = events.iter().flat_map(|Stored { event, told_apart }| {
            let message =
                |webhook: &WebhookId| Message::Accepted { event: Arc::clone(event), webhook: *webhook };
            let at_once = event.targets.iter().filter(|webhook| !told_apart.contains(webhook));
            at_once.map(move |webhook| (*webhook, message(webhook)))
        });
        self.spread(messages);
    }

    fn requeued(&self, due: Vec<Due>, _workspace: WorkspaceId) {
        self.spread(due.into_iter().map(|due| (due.id.webhook, Message::Requeued(due))));
    }

    fn released(&self, due: Due) {
        self.door_of(due.id.webhook).send([Message::Released(due)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    /// Else an attempt under the old state could begin after its end was answered.
    #[test]
    fn a_change_is_done_when_its_core_has_applied_it() {
        let (doorbell, webhook) = (Doorbell::new(1), WebhookId::from_raw(1));
        let core = doorbell.doors().next().expect("one core");
        core.open();
        let changes: [BoxFuture<'_, ()>; 4] = [
            doorbell.reload(webhook).boxed(),
            doorbell.resume(webhook, Resumed { health: None, release: None }).boxed(),
            doorbell.reload_workspace(WorkspaceId::from_raw(1)).boxed(),
            doorbell.reload_all().boxed(),
        ];
        for mut change in changes {
            assert!((&mut change).now_or_never().is_none(), "nobody has heard of it");
            let messages = core.mailbox.take().now_or_never().expect("it was told");
            assert!((&mut change).now_or_never().is_none(), "it was heard, and not applied");
            for message in messages {
                let (Message::Reload { applied, .. }
                | Message::Resume { applied, .. }
                | Message::ReloadWorkspace { applied, .. }
                | Message::ReloadAll { applied }) = message
                else {
                    panic!("{message:?} is no change");
                };
                applied.send(()).expect("somebody waits for it");
            }
            assert!((&mut change).now_or_never().is_some());
        }
    }
}
