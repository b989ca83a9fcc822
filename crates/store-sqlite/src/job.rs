//! One verb that writes, from its call to its answer.
//!
//! A job can be run again: when a neighbour spoils a commit, everybody is rolled back and runs once more.

use futures_channel::oneshot;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::write::Write;

pub(crate) trait Job: Send {
    /// Runs inside a transaction. An error means that the transaction must not be committed; a refusal of the
    /// verb is no error, it is the job's result.
    fn run(&mut self, write: &mut Write<'_>) -> Result<(), Failure>;
    /// Tells the caller the result, after the commit.
    fn answer(self: Box<Self>);
    /// Tells the caller that nothing was stored.
    fn fail(self: Box<Self>, why: StoreError);
    /// What it does to the size of the store.
    fn growth(&self) -> Growth;
}

/// What a verb does to the size of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Refused while the disk is full.
    Grows,
    /// Outcomes, changes and deletions: taken for as long as anything can be written.
    Needed,
}

/// What a verb's caller waits for.
pub(crate) type Reply<T> = oneshot::Receiver<Result<T, StoreError>>;

struct VerbJob<T, W> {
    work: W,
    growth: Growth,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// Wraps a verb's work. The work decides its refusals by reads before its first write.
pub(crate) fn job<T, W>(growth: Growth, work: W) -> (Box<dyn Job>, Reply<T>)
where
    T: Send + 'static,
    W: FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(VerbJob { work, growth, result: None, reply }), answer)
}

impl<T, W> Job for VerbJob<T, W>
where
    T: Send,
    W: FnMut(&mut Write<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, write: &mut Write<'_>) -> Result<(), Failure> {
        let before = write.connection.total_changes();
        match (self.work)(write) {
            Ok(value) => self.result = Some(Ok(value)),
            Err(Failure::Refused(refusal)) => {
                // A refusal must leave nothing; one that comes too late takes the transaction with it.
                if write.connection.total_changes() != before {
                    return Err(Failure::RefusedLate(refusal));
                }
                self.result = Some(Err(refusal));
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn answer(self: Box<Self>) {
        let missing = || Err(StoreError::Unavailable("the operation was not run".to_owned()));
        // A caller that has gone away does not want the answer.
        let _ = self.reply.send(self.result.unwrap_or_else(missing));
    }

    fn fail(self: Box<Self>, why: StoreError) {
        let _ = self.reply.send(Err(why));
    }

    fn growth(&self) -> Growth {
        self.growth
    }
}
