//! What delivery cores are told. Events and owed rows are hints: losing one costs time, never a delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_channel::oneshot;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::CommitListener;
use signalpost_store::ledger::{DueLane, Stored};

use crate::id_map::slot_of;
use crate::mailbox::Mailbox;

#[derive(Debug)]
pub(crate) enum Message {
    /// Committed a moment ago, with this webhook among its targets.
    Accepted { event: Arc<Event>, webhook: WebhookId },
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
    /// Start nothing more and end when nothing is in flight.
    Stop,
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
    pub(crate) mailbox: Mailbox<Message>,
    running: Arc<AtomicBool>,
}

impl CoreDoor {
    fn new() -> Self {
        Self { mailbox: Mailbox::new(), running: Arc::default() }
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
pub(crate) struct Doorbell(Vec<CoreDoor>);

impl Doorbell {
    pub(crate) fn new(cores: usize) -> Self {
        assert!(cores > 0, "an engine needs a delivery core");
        Self((0..cores).map(|_| CoreDoor::new()).collect())
    }

    pub(crate) fn doors(&self) -> impl Iterator<Item = CoreDoor> + '_ {
        self.0.iter().cloned()
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
        let ask = |door: &CoreDoor| {
            let (applied, done) = oneshot::channel();
            door.send([Message::ReloadWorkspace { workspace, applied }]);
            done
        };
        let asked: Vec<_> = self.0.iter().map(ask).collect();
        for done in asked {
            done.await.unwrap_or_default();
        }
    }

    /// Whether every core runs and hears what it is told.
    pub(crate) fn is_open(&self) -> bool {
        self.0.iter().all(|door| door.running.load(Ordering::SeqCst))
    }

    pub(crate) fn owed(&self, lanes: &[DueLane]) {
        self.spread(lanes.iter().map(|lane| (lane.webhook, Message::Owed(*lane))));
    }

    /// Waits in the mailbox of a core that does not run yet: it would otherwise never hear of it.
    pub(crate) fn stop(&self) {
        for door in &self.0 {
            door.mailbox.push_all([Message::Stop]);
        }
    }

    /// One push, and so at most one wake-up, per core.
    fn spread(&self, messages: impl Iterator<Item = (WebhookId, Message)>) {
        let mut per_core: Vec<Vec<Message>> = self.0.iter().map(|_| Vec::new()).collect();
        for (webhook, message) in messages {
            per_core[slot_of(webhook.raw(), self.0.len())].push(message);
        }
        for (door, messages) in self.0.iter().zip(per_core) {
            if !messages.is_empty() {
                door.send(messages);
            }
        }
    }

    fn door_of(&self, webhook: WebhookId) -> &CoreDoor {
        &self.0[slot_of(webhook.raw(), self.0.len())]
    }
}

impl CommitListener for Doorbell {
    fn accepted(&self, events: Vec<Stored>) {
        let messages = events.iter().flat_map(|Stored { event, ordered }| {
            let message =
                |webhook: &WebhookId| Message::Accepted { event: Arc::clone(event), webhook: *webhook };
            let at_once = event.targets.iter().filter(|webhook| !ordered.contains(webhook));
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
        let changes: [BoxFuture<'_, ()>; 3] = [
            doorbell.reload(webhook).boxed(),
            doorbell.resume(webhook, Resumed { health: None, release: None }).boxed(),
            doorbell.reload_workspace(WorkspaceId::from_raw(1)).boxed(),
        ];
        for mut change in changes {
            assert!((&mut change).now_or_never().is_none(), "nobody has heard of it");
            let messages = core.mailbox.take().now_or_never().expect("it was told");
            assert!((&mut change).now_or_never().is_none(), "it was heard, and not applied");
            for message in messages {
                let (Message::Reload { applied, .. }
                | Message::Resume { applied, .. }
                | Message::ReloadWorkspace { applied, .. }) = message
                else {
                    panic!("{message:?} is no change");
                };
                applied.send(()).expect("somebody waits for it");
            }
            assert!((&mut change).now_or_never().is_some());
        }
    }
}
