//! What everything in a simulated world stands on: its time, its tasks and its history.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use signalpost_core::ports::Clock;
use signalpost_core::time::Timestamp;

use crate::clock::{SimClock, Sleep};
use crate::executor::{Executor, Group};
use crate::tally::Tally;

/// A point of the history: its place in the order of all points, and what the clocks showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) order: u64,
    pub(crate) us: u64,
    pub(crate) wall: Timestamp,
}

pub(crate) struct Ground {
    pub(crate) clock: SimClock,
    pub(crate) executor: Executor,
    pub(crate) tally: Arc<Tally>,
    history: RefCell<Vec<String>>,
}

impl Ground {
    pub(crate) fn new(clock: SimClock, executor: Executor) -> Rc<Self> {
        Rc::new(Self { clock, executor, tally: Arc::default(), history: RefCell::default() })
    }

    /// Writes a line of history.
    pub(crate) fn note(&self, line: fmt::Arguments<'_>) -> Moment {
        let moment = self.moment();
        let (order, at) = (moment.order, Seconds(moment.us));
        self.history.borrow_mut().push(format!("{order:>6} {at} {line}"));
        moment
    }

    /// The point at which the history is.
    pub(crate) fn moment(&self) -> Moment {
        let order = u64::try_from(self.history.borrow().len()).expect("a count of lines");
        Moment { order, us: self.clock.now_us(), wall: self.clock.now() }
    }

    pub(crate) fn take_history(&self) -> Vec<String> {
        self.history.take()
    }

    pub(crate) fn sleep_us(&self, us: u64) -> Sleep {
        self.clock.sleep_us(us)
    }

    pub(crate) fn sleep_ms(&self, ms: u64) -> Sleep {
        self.clock.sleep_us(ms.saturating_mul(1_000))
    }

    pub(crate) fn spawn(&self, group: Group, task: impl Future<Output = ()> + 'static) {
        self.executor.spawn(group, task);
    }
}

/// Lets others run before it goes on, without time passing.
pub(crate) async fn pass_turn() {
    let mut passed = false;
    poll_fn(|context| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        write!(f, "{text:>14}")
    }
}
