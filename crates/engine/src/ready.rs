//! Whether this process takes work: it can commit, and what it accepts is delivered.

use signalpost_core::error::{Error, ErrorCode};

use crate::Engine;

impl Engine {
    /// Whether the store can commit right now, and what is owed is sent: from here, or by another node where no lane group is
    /// this one's. The error's sentence is for whoever asks.
    ///
    /// A node whose lease has run out begins nothing, and relies on nothing that it remembers. Whoever delivers for a group does not
    /// matter: one that is nobody's is taken within seconds by any node that delivers.
    pub async fn check_ready(&self) -> Result<(), Error> {
        if !self.trusts_its_lease() {
            return Err(not_ready("this node's lease on the database has run out and is not renewed yet"));
        }
        if let Err(cause) = self.store.probe(self.clock.now()).await {
            let message = "the store cannot commit right now".to_owned();
            return Err(Error { message, ..cause.into() });
        }
        if self.ownership.groups().next().is_none() && !self.somebody_delivers().await? {
            return Err(not_ready("no node that delivers is there; what is accepted waits for one"));
        }
        Ok(())
    }

    async fn somebody_delivers(&self) -> Result<bool, Error> {
        Ok(self.cluster().await?.nodes.iter().any(|node| node.delivers))
    }
}

fn not_ready(sentence: &str) -> Error {
    Error::new(ErrorCode::Unavailable, sentence)
}
