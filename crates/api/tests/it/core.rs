//! A delivery core that runs when a test says so, and the receiver of what it sends.

use std::cell::RefCell;
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::future::join;
use signalpost_core::attempt::{Exchange, Outcome, Timing};
use signalpost_core::ports::{LocalBoxFuture, OutboundRequest, Transport};

use crate::app::App;

/// Far above what anything here takes.
const POLLS: usize = 200;

/// Something that goes on beside the calls of a test.
pub(crate) type Beside = LocalBoxFuture<'static, ()>;

/// The app's one core with the watch for what it owes, and its receiver.
pub(crate) fn running(app: &App) -> (Rc<Receiver>, Beside) {
    let receiver = Rc::new(Receiver::default());
    let core = app.core.lock().unwrap().take().unwrap().run(Rc::clone(&receiver) as _);
    let engine = Arc::clone(&app.engine);
    let mut beside: Beside = Box::pin(async move {
        join(core, engine.watch_owed()).await;
    });
    settle(app, &mut beside);
    (receiver, beside)
}

pub(crate) fn idle() -> Beside {
    Box::pin(std::future::pending())
}

/// Polls all tasks, and what goes on beside them, as often as could be needed.
pub(crate) fn settle(app: &App, beside: &mut Beside) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..POLLS {
        app.tasks.poll(&mut cx);
        assert!(beside.as_mut().poll(&mut cx).is_pending(), "a core runs until it is stopped");
    }
}

/// Takes every delivery with a 200.
#[derive(Default)]
pub(crate) struct Receiver(pub(crate) RefCell<Vec<OutboundRequest>>);

impl Transport for Receiver {
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        self.0.borrow_mut().push(request);
        Box::pin(ready(Exchange {
            outcome: Outcome::Status(200),
            detail: String::new(),
            retry_after: None,
            timing: Timing::default(),
            answer: Bytes::new(),
        }))
    }
}
