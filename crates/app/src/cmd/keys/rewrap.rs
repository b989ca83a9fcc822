//! `signalpost keys rewrap`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use signalpost_engine::vault::{Rewrapped, check_keyring, rewrap};
use signalpost_store::Store;
use signalpost_store_sqlite::SqliteStore;

use crate::cmd::Failure;
use crate::cmd::place::PlaceArgs;
use crate::key_files::{existing_keyring, shared_keyring};
use crate::ports::{SystemClock, SystemRandom};
use crate::server::{key_failure, open_database};
use crate::settings::environment::Environment;
use crate::telemetry::say;
use signalpost_store_postgres::Duty;

#[derive(Args, Debug)]
pub(crate) struct RewrapArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RewrapArgs) -> Result<(), Failure> {
    let (settings, environment) = (args.place.settings()?, Environment::of_process());
    let data = &settings.data;
    let (keyring, store): (_, Arc<dyn Store>) = match &settings.database {
        Some(url) => (
            shared_keyring(data, &environment)?,
            open_database(url, Arc::new(SystemClock::new()), Duty::Serves)?,
        ),
        None => {
            let keyring = existing_keyring(data, &environment)?;
            let store = SqliteStore::open_inline(data).map_err(|error| Failure::new(error.to_string()))?;
            (keyring, Arc::new(store))
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    let done = runtime.block_on(async {
        check_keyring(&*store, &keyring, &SystemRandom).await.map_err(key_failure)?;
        let done = rewrap(&*store, &keyring, &SystemRandom, &mut |_| {}).await;
        let done =
            done.map_err(|error| Failure::new(format!("the secrets could not be sealed anew: {error}")))?;
        let closed = store.close().await;
        closed.map_err(|error| Failure::new(format!("the store was not closed cleanly: {error}")))?;
        Ok(done)
    })?;
    report(args, done)
}

fn report(args: &RewrapArgs, done: Rewrapped) -> Result<(), Failure> {
    let Rewrapped { resealed, unchanged, unopened } = done;
    if args.json {
        say(&format!(
            "{:#}\n",
            json!({ "resealed": resealed, "unchanged": unchanged, "unopened": unopened })
        ));
    } else {
        say(&format!(
            "{resealed} secrets were sealed with the first key of the ring; {unchanged} were before.\n"
        ));
    }
    if unopened == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{unopened} secrets open with no key of the ring and were left as they are"))
        .hint("Add the key that sealed them to the ring and run this again; keep every old key until it succeeds."))
}
