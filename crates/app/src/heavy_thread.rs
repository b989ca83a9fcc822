//! The thread of heavy work: one at a time, with a bounded queue, and joined when the server stops.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use signalpost_core::limits::HEAVY_WORK_QUEUE_MAX;
use signalpost_core::ports::{HeavyWork, TooMuchWork};

type Work = Box<dyn FnOnce() + Send>;

/// Where work is handed in. Takes none any more once the thread was told to end.
pub(crate) struct HeavyQueue(Mutex<Option<SyncSender<Work>>>);

/// The thread itself.
pub(crate) struct HeavyThread {
    queue: Arc<HeavyQueue>,
    thread: JoinHandle<()>,
}

impl HeavyThread {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(HEAVY_WORK_QUEUE_MAX);
        let thread = Builder::new().name("heavy".to_owned()).spawn(move || work(&receiver))?;
        Ok(Self { queue: Arc::new(HeavyQueue(Mutex::new(Some(sender)))), thread })
    }

    pub(crate) fn queue(&self) -> Arc<HeavyQueue> {
        Arc::clone(&self.queue)
    }

    /// Does what was taken, and ends. `Err` when the thread broke before.
    pub(crate) fn stop(self) -> std::thread::Result<()> {
        self.queue.lock().take();
        self.thread.join()
    }
}

impl HeavyQueue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SyncSender<Work>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeavyWork for HeavyQueue {
    fn take(&self, work: Work) -> Result<(), TooMuchWork> {
        let queue = self.lock();
        let sender = queue.as_ref().ok_or(TooMuchWork)?;
        sender.try_send(work).map_err(|_| TooMuchWork)
    }
}

/// A piece of work that breaks tells nobody anything, which is how its caller learns of it; the next goes on.
fn work(queue: &Receiver<Work>) {
    for work in queue {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            tracing::error!("a piece of heavy work broke");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Holds the thread until the answer is dropped.
    fn hold(queue: &HeavyQueue) -> std::sync::mpsc::Sender<()> {
        let (release, released) = channel::<()>();
        let (begin, begun) = channel();
        let work = move || {
            begin.send(()).expect("the test waits");
            released.recv().expect_err("nothing is sent");
        };
        queue.take(Box::new(work)).expect("there is room");
        begun.recv().expect("it has begun");
        release
    }

    #[test]
    fn the_queue_has_an_end_and_what_was_taken_is_done_before_the_thread_ends() {
        let thread = HeavyThread::start().expect("a thread");
        let queue = thread.queue();
        let release = hold(&queue);
        let (tell, told) = channel();
        let count = |n: usize| {
            let tell = tell.clone();
            queue.take(Box::new(move || tell.send(n).expect("the test listens")))
        };
        for n in 0..HEAVY_WORK_QUEUE_MAX {
            assert_eq!(count(n), Ok(()));
        }
        assert_eq!(count(0), Err(TooMuchWork));
        drop(release);
        thread.stop().expect("it has not broken");
        assert_eq!(count(0), Err(TooMuchWork), "it has ended");
        drop(tell);
        assert!(told.iter().eq(0..HEAVY_WORK_QUEUE_MAX), "in the order in which it came");
    }

    #[test]
    fn work_that_breaks_does_not_take_the_thread_along() {
        let thread = HeavyThread::start().expect("a thread");
        thread.queue().take(Box::new(|| panic!("on purpose"))).expect("there is room");
        let (tell, told) = channel();
        thread
            .queue()
            .take(Box::new(move || tell.send(7).expect("the test listens")))
            .expect("there is room");
        assert_eq!(told.recv(), Ok(7));
        thread.stop().expect("it goes on to its end");
    }
}
