//! Heavy work and its results: somewhere else, while the caller waits.

use futures_channel::oneshot;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::ports::{Asker, TooMuchWork};

use crate::Engine;

impl Engine {
    /// What the work finds out. `Unavailable` when too much of it waits already. It is not begun for a caller who has gone
    /// away meanwhile.
    pub(crate) async fn find_out<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        let work = move || {
            if !tell.is_canceled() {
                // The caller may go away while it is done.
                drop(tell.send(work()));
            }
        };
        self.heavy_work.take(asker, Box::new(work)).map_err(refused)?;
        told.await.map_err(|_| Error::internal("heavy work broke off"))
    }
}

fn refused(cause: TooMuchWork) -> Error {
    let message = "too many passwords wait to be hashed; nothing was done, try again";
    Error { cause: Some(cause.into()), ..Error::new(ErrorCode::Unavailable, message) }
}
