//! A store that fails when told to: for showing that nothing above it loses or doubles anything when it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use signalpost_core::act::{Act, ActResult};
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId,
    PortalSessionId, ReplayId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::password::PasswordHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::replay::Replay;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

use crate::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use crate::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount,
};
use crate::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use crate::portal::{OpenPortalSession, Portal};
use crate::replays::{BusyReplays, ChangeReplay, ListReplays, PlanReplay, Replays, StepReplay, Stepped};
use crate::rollups::{FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing};
use crate::vault::{Resealed, Sealed, SealedPage, Vault};
use crate::{
    Answer, Cluster, Done, Effect, Named, Once, Ownership, Store, StoreError, forward_catalog, forward_desk,
    forward_ledger, forward_portal, forward_replays, forward_rollups, forward_vault,
};

/// Every verb that can be made to fail, by its name in the traits.
pub const VERBS: [&[&str]; 7] = [
    forward_catalog!(names),
    forward_desk!(names),
    forward_ledger!(names),
    forward_portal!(names),
    forward_replays!(names),
    forward_rollups!(names),
    forward_vault!(names),
];

/// Any store, with failures where the plan wants them.
pub struct FaultyStore<S> {
    inner: S,
    plan: Plan,
    calls: AtomicU64,
    injected: AtomicU64,
}

/// Decides for each call whether it fails.
pub type Plan = Box<dyn Fn(Call) -> Fault + Send + Sync>;

/// One call of a verb that answers; `listen` and `highest_id` never fail and are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Counts from 1 over all verbs.
    pub number: u64,
    /// The verb's name in the trait.
    pub verb: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call goes through.
    Pass,
    /// Nothing is stored and the caller is told so.
    Before,
    /// The call goes through, and the caller is told that it did not: an answer lost on the way.
    After,
    /// Nothing is stored, for want of room on the disk, and the caller is told so.
    Full,
    /// The call goes through, and its answer is not there at the first look: its caller can go away in between.
    Late,
}

/// How long a failure stays once it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// One call.
    Transient,
    /// Every call from then on.
    Persistent,
}

/// Fails the `n`-th call, counted from 1 over all verbs.
pub fn fail_nth(n: u64, lasting: Lasting, fault: Fault) -> Plan {
    Box::new(move |call| match lasting {
        Lasting::Transient if call.number == n => fault,
        Lasting::Persistent if call.number >= n => fault,
        Lasting::Transient | Lasting::Persistent => Fault::Pass,
    })
}

/// Fails the `n`-th call of one verb, counted from 1.
pub fn fail_nth_of(verb: &'static str, n: u64, lasting: Lasting, fault: Fault) -> Plan {
    let seen = AtomicU64::new(0);
    let nth = fail_nth(n, lasting, fault);
    Box::new(move |call| {
        if call.verb != verb {
            return Fault::Pass;
        }
        nth(Call { number: seen.fetch_add(1, Ordering::SeqCst) + 1, ..call })
    })
}

impl<S: Store> FaultyStore<S> {
    /// Wraps `inner`; `plan` is asked before each call.
    pub fn new(inner: S, plan: Plan) -> Self {
        Self { inner, plan, calls: AtomicU64::new(0), injected: AtomicU64::new(0) }
    }

    /// The store without its faults.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Calls so far that were made to fail. A sweep over `n` is complete when this stays at zero.
    pub fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    fn through<T: Send + 'static>(
        &self,
        verb: &'static str,
        call: impl FnOnce(&S) -> Answer<T>,
    ) -> Answer<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = (self.plan)(Call { number, verb });
        if matches!(fault, Fault::Before | Fault::After | Fault::Full) {
            self.injected.fetch_add(1, Ordering::SeqCst);
        }
        let failure = StoreError::Unavailable(format!("call {number}, {verb}, was made to fail"));
        match fault {
            Fault::Pass => call(&self.inner),
            Fault::Before => Box::pin(std::future::ready(Err(failure))),
            Fault::Full => Box::pin(std::future::ready(Err(StoreError::Full))),
            Fault::After => {
                let answer = call(&self.inner);
                Box::pin(async move { answer.await.and(Err(failure)) })
            }
            Fault::Late => {
                let answer = call(&self.inner);
                Box::pin(async move {
                    let mut looked = false;
                    let second_look = |cx: &mut Context<'_>| {
                        if std::mem::replace(&mut looked, true) {
                            return Poll::Ready(());
                        }
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    };
                    std::future::poll_fn(second_look).await;
                    answer.await
                })
            }
        }
    }
}

impl<S: Store> Catalog for FaultyStore<S> {
    forward_catalog!(through);
}

impl<S: Store> Desk for FaultyStore<S> {
    forward_desk!(through);
}

impl<S: Store> Portal for FaultyStore<S> {
    forward_portal!(through);
}

impl<S: Store> Vault for FaultyStore<S> {
    forward_vault!(through);
}

impl<S: Store> Rollups for FaultyStore<S> {
    forward_rollups!(through);
}

impl<S: Store> Replays for FaultyStore<S> {
    forward_replays!(through);
}

impl<S: Store> Ledger for FaultyStore<S> {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.inner.listen(listener);
    }

    fn highest_id(&self) -> i64 {
        self.inner.highest_id()
    }

    fn ownership(&self) -> Arc<Ownership> {
        self.inner.ownership()
    }

    forward_ledger!(through);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on::block_on;
    use crate::testing::memory::MemoryStore;
    use crate::testing::sample;

    /// Creates three workspaces; for each, whether its creator was told that it worked and whether it is there.
    fn create_three(plan: Plan) -> (Vec<(bool, bool)>, u64, u64) {
        let store = FaultyStore::new(MemoryStore::new(), plan);
        let told: Vec<bool> =
            (1..=3).map(|n| block_on(store.create_workspace(sample::workspace(n))).is_ok()).collect();
        let there = |n| block_on(store.inner().workspace_by_public_id(format!("ws-{n}")));
        let stored = (1..=3).map(|n| there(n).expect("the inner store works").is_some());
        (told.into_iter().zip(stored).collect(), store.calls(), store.injected())
    }

    #[test]
    fn fails_the_planned_call_before_or_after_it_took_effect() {
        let (fine, before, after) = ((true, true), (false, false), (false, true));
        let table = [
            (fail_nth(2, Lasting::Transient, Fault::Before), [fine, before, fine], 1),
            (fail_nth(2, Lasting::Transient, Fault::After), [fine, after, fine], 1),
            (fail_nth(2, Lasting::Persistent, Fault::Before), [fine, before, before], 2),
            (fail_nth(2, Lasting::Persistent, Fault::After), [fine, after, after], 2),
            (fail_nth(4, Lasting::Persistent, Fault::Before), [fine, fine, fine], 0),
        ];
        for (row, (plan, expected, injected)) in table.into_iter().enumerate() {
            assert_eq!(create_three(plan), (expected.to_vec(), 3, injected), "row {row}");
        }
    }

    #[test]
    fn counts_one_verb_by_itself() {
        let plan = fail_nth_of("probe", 2, Lasting::Transient, Fault::Before);
        let store = FaultyStore::new(MemoryStore::new(), plan);
        let probe = || block_on(store.probe(sample::at(0))).is_ok();
        assert!(probe());
        assert!(block_on(store.create_workspace(sample::workspace(1))).is_ok());
        assert!(!probe(), "the second probe is the third call");
        assert!(probe());
    }

    #[test]
    fn a_refusal_is_told_even_if_the_answer_was_to_be_lost() {
        let store = FaultyStore::new(MemoryStore::new(), fail_nth(2, Lasting::Transient, Fault::After));
        block_on(store.create_workspace(sample::workspace(1))).expect("the first call passes");
        let again = block_on(store.create_workspace(sample::workspace(1)));
        assert!(matches!(again, Err(StoreError::Taken("workspace id"))), "{again:?}");
    }

    /// What was stored although the caller was told otherwise answers for it when it calls again.
    #[test]
    fn a_call_whose_answer_was_lost_finds_it_the_next_time() {
        let plan = fail_nth_of("accept_once", 1, Lasting::Transient, Fault::After);
        let store = FaultyStore::new(MemoryStore::new(), plan);
        let workspace = sample::workspace(1);
        let id = workspace.id;
        block_on(store.create_workspace(workspace)).expect("it passes");
        let once = sample::once(Some(id), 1, 1, 0);
        let accept = |n| block_on(store.accept_once(vec![sample::event(id, n, 1, &[])], once));
        assert!(matches!(accept(31), Err(StoreError::Unavailable(_))));
        assert!(matches!(accept(32), Ok(Done::Before(answers)) if answers[0].id.raw() == 31));
    }
}
