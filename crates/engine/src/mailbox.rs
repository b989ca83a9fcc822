//! Messages from any thread to one delivery core: pushed in batches, taken all at once, one wake-up for many.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Both ends of a mailbox. Any clone may push; only one may take.
#[derive(Debug)]
pub(crate) struct Mailbox<T>(Arc<Mutex<State<T>>>);

#[derive(Debug)]
struct State<T> {
    messages: Vec<T>,
    waiting: Option<Waker>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { messages: Vec::new(), waiting: None })))
    }

    pub(crate) fn push_all(&self, messages: impl IntoIterator<Item = T>) {
        let mut state = self.lock();
        state.messages.extend(messages);
        let waiting = if state.messages.is_empty() { None } else { state.waiting.take() };
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Drops everything that waits.
    pub(crate) fn clear(&self) {
        // Taken out first: dropping a message may wake somebody, which must not happen under the lock.
        let dropped = std::mem::take(&mut self.lock().messages);
        drop(dropped);
    }

    /// Waits until there is something and takes everything there is, in order.
    pub(crate) async fn take(&self) -> Vec<T> {
        poll_fn(|context| {
            let mut state = self.lock();
            if !state.messages.is_empty() {
                return Poll::Ready(std::mem::take(&mut state.messages));
            }
            state.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// A panic while the lock was held leaves a list of messages, which is valid at every moment.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn takes_everything_in_order_and_waits_when_empty() {
        let mailbox = Mailbox::new();
        assert!(mailbox.take().now_or_never().is_none());
        mailbox.push_all([1]);
        mailbox.push_all([2, 3]);
        assert_eq!(mailbox.take().now_or_never(), Some(vec![1, 2, 3]));
        assert!(mailbox.take().now_or_never().is_none());
    }
}
