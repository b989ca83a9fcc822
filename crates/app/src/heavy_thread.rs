//! The thread of heavy work: one at a time, with a bounded queue, and joined when the server stops.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use signalpost_core::limits::{HEAVY_WORK_QUEUE_MAX, HEAVY_WORK_STRANGERS_MAX};
use signalpost_core::ports::{Asker, HeavyWork, TooMuchWork};

type Work = Box<dyn FnOnce() + Send>;
/// Work, with the place that it holds until it is begun.
type Waiting = (Option<Place>, Work);

/// Where work is handed in. Takes none any more once the thread was told to end.
pub(crate) struct HeavyQueue {
    sender: Mutex<Option<SyncSender<Waiting>>>,
    /// Places that strangers hold.
    strangers: Arc<AtomicUsize>,
}

/// A stranger's place in the queue, until it is dropped.
struct Place(Arc<AtomicUsize>);

/// The thread itself.
pub(crate) struct HeavyThread {
    queue: Arc<HeavyQueue>,
    thread: JoinHandle<()>,
}

impl HeavyThread {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(HEAVY_WORK_QUEUE_MAX);
        let thread = Builder::new().name("heavy".to_owned()).spawn(move || work(&receiver))?;
        let queue = HeavyQueue { sender: Mutex::new(Some(sender)), strangers: Arc::default() };
        Ok(Self { queue: Arc::new(queue), thread })
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
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SyncSender<Waiting>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only for who holds the lock: between the look and the step nobody else may come.
    fn place(&self, asker: Asker) -> Result<Option<Place>, TooMuchWork> {
        match asker {
            Asker::Operator => Ok(None),
            Asker::Stranger if self.strangers.load(Ordering::SeqCst) >= HEAVY_WORK_STRANGERS_MAX => {
                Err(TooMuchWork)
            }
            Asker::Stranger => {
                self.strangers.fetch_add(1, Ordering::SeqCst);
                Ok(Some(Place(Arc::clone(&self.strangers))))
            }
        }
    }
}

impl HeavyWork for HeavyQueue {
    fn take(&self, asker: Asker, work: Work) -> Result<(), TooMuchWork> {
        let queue = self.lock();
        let sender = queue.as_ref().ok_or(TooMuchWork)?;
        sender.try_send((self.place(asker)?, work)).map_err(|_| TooMuchWork)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A piece of work that breaks tells nobody anything, which is how its caller learns of it; the next goes on.
fn work(queue: &Receiver<Waiting>) {
    for (place, work) in queue {
        drop(place);
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
        queue.take(Asker::Stranger, Box::new(work)).expect("there is room");
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
            queue.take(Asker::Operator, Box::new(move || tell.send(n).expect("the test listens")))
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
    fn strangers_leave_places_for_the_operators_side() {
        let thread = HeavyThread::start().expect("a thread");
        let queue = thread.queue();
        let release = hold(&queue);
        let (tell, told) = channel();
        let ask = |asker| {
            let tell = tell.clone();
            queue.take(asker, Box::new(move || tell.send(()).expect("the test listens")))
        };
        for _ in 0..HEAVY_WORK_STRANGERS_MAX {
            assert_eq!(ask(Asker::Stranger), Ok(()));
        }
        assert_eq!(ask(Asker::Stranger), Err(TooMuchWork));
        for _ in HEAVY_WORK_STRANGERS_MAX..HEAVY_WORK_QUEUE_MAX {
            assert_eq!(ask(Asker::Operator), Ok(()));
        }
        assert_eq!(ask(Asker::Operator), Err(TooMuchWork));
        drop(release);
        assert_eq!(told.iter().take(HEAVY_WORK_QUEUE_MAX).count(), HEAVY_WORK_QUEUE_MAX);
        let release = hold(&queue);
        for _ in 0..HEAVY_WORK_STRANGERS_MAX {
            assert_eq!(ask(Asker::Stranger), Ok(()), "whose work was begun waits no more");
        }
        assert_eq!(ask(Asker::Stranger), Err(TooMuchWork));
        drop(release);
        thread.stop().expect("it has not broken");
    }

    #[test]
    fn work_that_breaks_does_not_take_the_thread_along() {
        let thread = HeavyThread::start().expect("a thread");
        let queue = thread.queue();
        queue.take(Asker::Stranger, Box::new(|| panic!("on purpose"))).expect("there is room");
        let (tell, told) = channel();
        let work = move || tell.send(7).expect("the test listens");
        queue.take(Asker::Stranger, Box::new(work)).expect("there is room");
        assert_eq!(told.recv(), Ok(7));
        thread.stop().expect("it goes on to its end");
    }
}
