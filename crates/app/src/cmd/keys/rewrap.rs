//! `signalpost keys rewrap`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use signalpost_core::seal::Keyring;
use signalpost_engine::vault::{Rewrapped, check_keyring, rewrap};
use signalpost_store::Store;
use signalpost_store_sqlite::SqliteStore;

use crate::clock::SystemClock;
use crate::cmd::Failure;
use crate::cmd::place::PlaceArgs;
use crate::installation::key_failure;
use crate::key_files::{existing_keyring, shared_keyring};
use crate::ports::SystemRandom;
use crate::settings::environment::Environment;
use crate::stores::open_database;
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
    let mut done = Rewrapped::default();
    if settings.databases.is_empty() {
        let keyring = existing_keyring(data, &environment)?;
        let store = SqliteStore::open_inline(data).map_err(|error| Failure::new(error.to_string()))?;
        done += rewrap_in(&store, &keyring)?;
    }
    for database in &settings.databases {
        let keyring = shared_keyring(data, &environment)?;
        let store = open_database(database, Arc::new(SystemClock::new()), Duty::Serves)?;
        done += rewrap_in(&*store, &keyring)?;
    }
    report(args, done)
}

fn rewrap_in(store: &dyn Store, keyring: &Keyring) -> Result<Rewrapped, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    runtime.block_on(async {
        check_keyring(store, keyring, &SystemRandom).await.map_err(key_failure)?;
        let done = rewrap(store, keyring, &SystemRandom, &mut |_| {}).await;
        let done =
            done.map_err(|error| Failure::new(format!("the secrets could not be sealed anew: {error}")))?;
        let closed = store.close().await;
        closed.map_err(|error| Failure::new(format!("the store was not closed cleanly: {error}")))?;
        Ok(done)
    })
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
