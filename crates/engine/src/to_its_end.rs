//! Work that goes on to its end, whoever has gone away meanwhile.

use futures_channel::oneshot;
use signalpost_core::error::Error;
use signalpost_core::ports::Spawn;

/// Has the work done as a task of its own, from now on. What is returned only waits for it, and may be dropped. `Internal` when the
/// task broke off.
pub fn to_its_end<T, W>(
    tasks: &dyn Spawn,
    work: W,
) -> impl Future<Output = Result<T, Error>> + Send + use<T, W>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    tasks.spawn(Box::pin(async move {
        // Nobody may be waiting any more.
        drop(tell.send(work.await));
    }));
    async move { told.await.map_err(|_| Error::internal("a call broke off")) }
}
