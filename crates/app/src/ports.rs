//! The real world behind the engine's ports.

use std::rc::Rc;

use signalpost_core::ports::{BoxFuture, LocalBoxFuture, Random, Spawn, SpawnLocal, Threads};

/// The operating system's random numbers.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("the operating system gives random bytes; without them nothing is safe");
    }
}

/// Named operating-system threads.
pub(crate) struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(body);
        started.expect("the operating system gives the few threads that we start with");
    }
}

/// Tasks of the core that serves the caller. They end with its runtime, once nothing of it is in flight.
pub(crate) struct CallerTasks;

impl Spawn for CallerTasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}

/// Tasks of the runtime of this thread.
pub(crate) struct LocalTasks;

impl SpawnLocal for LocalTasks {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
}

impl LocalTasks {
    pub(crate) fn shared() -> Rc<dyn SpawnLocal> {
        Rc::new(Self)
    }
}
