//! What is answered to whoever would take something away that is gone already: not before it is gone on every node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::CredentialId;
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::principal::Principal;
use signalpost_core::profile::PauseRule;
use signalpost_core::scope::Scope;
use signalpost_engine::once::{Keep, Stale};
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::NewOperatorKey;
use signalpost_engine::secrets::{RotatedSecret, Rotation};
use signalpost_engine::webhooks::{Activity, WebhookChange};
use signalpost_engine::{Engine, View};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;
use std::time::Duration;

use crate::rig::Rig;

/// A rig of which nobody can say whether other nodes go by what was changed, while it is asked to be so.
struct Stage {
    rig: Rig,
    is_silent: Arc<AtomicBool>,
}

/// What a caller does, and how it ends.
type Call = for<'a> fn(&'a Engine, &'a View) -> LocalBoxFuture<'a, Result<(), Error>>;

impl Stage {
    fn new() -> Self {
        let is_silent = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_silent);
        let plan = Box::new(move |call: signalpost_store::testing::faulty::Call| {
            match call.verb == "settle_changes" && asked.load(Ordering::SeqCst) {
                true => Fault::Before,
                false => Fault::Pass,
            }
        });
        Self { rig: Rig::on(Arc::new(FaultyStore::new(MemoryStore::new(), plan))), is_silent }
    }

    /// How a call ends while another node is silent, and when it is not any more.
    fn ends(&mut self, call: impl AsyncFn(&Engine, &View) -> Result<(), Error>) -> [Option<ErrorCode>; 2] {
        [true, false].map(|is_silent| {
            self.is_silent.store(is_silent, Ordering::SeqCst);
            let ended = self.rig.call(async |engine, view| call(&engine, &view).await);
            ended.err().map(|error| error.code)
        })
    }
}

const UNSETTLED: Option<ErrorCode> = Some(ErrorCode::Unavailable);

fn rotation() -> Rotation {
    Rotation { overlap: Duration::ZERO, secret: None }
}

#[test]
fn what_is_gone_is_gone_everywhere_when_it_is_answered() {
    let calls: [(&str, Call); 8] = [
        ("delete a webhook", |engine, view| {
            engine.delete_webhook(view, "x", &Principal::Operator).map(|done| done.map(drop)).boxed_local()
        }),
        ("pause a webhook", |engine, view| {
            let change = WebhookChange { active: Some(Activity::Paused), ..WebhookChange::default() };
            engine.update_webhook(view, "x", change).map(|done| done.map(drop)).boxed_local()
        }),
        ("revoke secrets", |engine, view| {
            engine.revoke_previous_secrets(view.workspace.id, "x").boxed_local()
        }),
        ("rotate a secret", |engine, view| {
            engine.rotate_secret(view, "x", rotation(), None).map(|done| done.map(drop)).boxed_local()
        }),
        ("revoke a credential", |engine, view| {
            engine.revoke_credential(view.workspace.id, CredentialId::from_raw(7)).boxed_local()
        }),
        ("revoke an operator key", |engine, _| {
            engine.revoke_operator_key(&Operator::Root, "key_1").boxed_local()
        }),
        ("delete a signing key", |engine, view| {
            engine
                .delete_signing_key(view, "x", &Principal::Operator)
                .map(|done| done.map(drop))
                .boxed_local()
        }),
        ("erase a workspace", |engine, _| engine.erase_workspace("x").boxed_local()),
    ];
    let mut stage = Stage::new();
    for (what, call) in calls {
        let ends = stage.ends(async |engine, view| call(engine, view).await);
        assert_eq!(ends, [UNSETTLED, Some(ErrorCode::NotFound)], "{what}");
    }
}

#[test]
fn whoever_reads_waits_for_nobody() {
    let calls: [(&str, Call); 4] = [
        ("a webhook", |engine, view| {
            engine.webhook(view.workspace.id, "x").map(|found| found.map(drop)).boxed_local()
        }),
        ("a signing key", |engine, view| {
            engine.signing_key(view.workspace.id, "x").map(|found| found.map(drop)).boxed_local()
        }),
        ("an operator key", |engine, _| {
            engine.operator_key(&Operator::Root, "key_1").map(|found| found.map(drop)).boxed_local()
        }),
        ("a workspace", |engine, _| engine.workspace("x").map(|found| found.map(drop)).boxed_local()),
    ];
    let mut stage = Stage::new();
    for (what, call) in calls {
        let ends = stage.ends(async |engine, view| call(engine, view).await);
        assert_eq!(ends, [Some(ErrorCode::NotFound); 2], "{what}");
    }
}

#[test]
fn what_was_replaced_is_replaced_everywhere_when_that_is_answered_again() {
    let mut stage = Stage::new();
    let webhook = stage.rig.webhook();
    let rotated =
        stage.rig.call(async |engine, view| engine.rotate_secret(&view, &webhook, rotation(), None).await);
    let secret = rotated.expect("it rotates").now().expect("not a repetition").secret;
    let again = Rotation { secret: Some(secret), ..rotation() };
    let ends = stage
        .ends(async |engine, view| engine.rotate_secret(view, &webhook, again.clone(), None).await.map(drop));
    assert_eq!(ends, [UNSETTLED, None], "a secret that is the newest already");

    let call = KeyedCall { name: [1; 32], request: [2; 32] };
    let answer = |_: &RotatedSecret| Ok(Vec::new());
    let keep = || Some(Keep { call, answer: &answer });
    let first = stage
        .rig
        .call(async |engine, view| engine.rotate_secret(&view, &webhook, rotation(), keep()).await.map(drop));
    first.expect("it rotates");
    let ends = stage.ends(async |engine, view| {
        let stale = Stale::Webhook(view.workspace.id, &webhook);
        engine.answered_before(Some(view.workspace.id), call, stale).await.map(drop)
    });
    assert_eq!(ends, [UNSETTLED, None], "an answer that was kept");
    let ends = stage
        .ends(async |engine, view| engine.rotate_secret(view, &webhook, rotation(), keep()).await.map(drop));
    assert_eq!(ends, [UNSETTLED, None], "an answer that another has kept meanwhile");
}

#[test]
fn a_key_that_was_rotated_before_is_so_everywhere_when_that_is_answered() {
    let mut stage = Stage::new();
    let new = NewOperatorKey {
        name: None,
        scopes: vec![Scope::Read],
        workspace: None,
        rate_limit_per_s: None,
        expires_at: None,
    };
    let made = block_on(stage.rig.engine.create_operator_key(&Operator::Root, new, None));
    let key = made.expect("a key").now().expect("not a repetition").shown.key.id.to_public();
    let rotate = async |engine: &Engine, _: &View| {
        engine.rotate_operator_key(&Operator::Root, &key, 0, None).await.map(drop)
    };
    block_on(rotate(&stage.rig.engine, &stage.rig.view)).expect("it rotates");
    assert_eq!(stage.ends(rotate), [UNSETTLED, Some(ErrorCode::Conflict)]);
}

/// On the same node, where the lanes have not heard of it yet.
#[test]
fn whoever_comes_second_is_answered_when_the_first_is_done() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let webhook = rig.webhook();
    let (engine, view) = (Arc::clone(&rig.engine), Arc::clone(&rig.view));
    let delete = || Box::pin(engine.delete_webhook(&view, &webhook, &Principal::Operator));
    let (mut first, mut second) = (delete(), delete());
    assert!((&mut first).now_or_never().is_none(), "no core has run");
    assert!((&mut second).now_or_never().is_none(), "the webhook's lane goes on as before");
    rig.settle();
    first.now_or_never().expect("its lane has heard of it").expect("it is deleted");
    let gone = second.now_or_never().expect("the first is done").expect_err("it is gone");
    assert_eq!(gone.code, ErrorCode::NotFound);
}
