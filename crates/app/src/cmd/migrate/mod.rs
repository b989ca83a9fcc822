//! `signalpost migrate`: everything from a data directory into an empty PostgreSQL database.

mod failure;
mod progress;
mod report;

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_engine::vault::check_sealed;
use signalpost_store::transfer::{self, Bounds, Checksum, Identity, TransferError};
use signalpost_store_postgres::move_in::{MoveIn, Standing};
use signalpost_store_sqlite::move_out::MoveOut;

use self::failure::{source_failure, transfer_failure};
use self::progress::Steps;
use crate::cmd::Failure;
use crate::installation::key_failure;
use crate::key_files::existing_keyring;
use crate::settings::database::given_url;
use crate::settings::environment::Environment;
use crate::stores::{POSTGRES_SCHEMA, database_tls};
use crate::telemetry::{note, say};

/// What is in each table of both sides.
type Tables = Vec<(&'static str, Checksum)>;

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// The data directory to move out of. Its server must be stopped; the directory is locked meanwhile.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,

    /// The database to move into, postgres://user:password@host:port/database. Others see a flag: a password belongs into
    /// the variable, or into a file that SIGNALPOST_DATABASE_URL_FILE names [env: SIGNALPOST_DATABASE_URL].
    #[arg(long, value_name = "URL")]
    to: Option<String>,

    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &MigrateArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let url = given_url(args.to.as_deref(), "--to", &environment)?.ok_or_else(|| {
        Failure::new("there is no database to move into")
            .hint("Name it with --to postgres://…, or in SIGNALPOST_DATABASE_URL.")
    })?;
    let keyring = existing_keyring(&args.from, &environment)?;
    let mut source = MoveOut::open(&args.from, Bounds::default()).map_err(source_failure)?;
    check_source_key(&source, &keyring)?;
    let mut target = open(&url)?;
    note("looking at what is pending\n");
    let found = transfer::identity(&mut source)
        .and_then(|identity| Ok((identity, target.standing(&identity)?)))
        .map_err(transfer_failure)?;
    if let (_, Standing::Done) = found {
        refuse_return(&source)?;
        say(&report::as_done_before(args));
        return Ok(());
    }
    begin(&source, &target, found, &keyring)?;
    let moved = go(&mut source, &mut target).map_err(transfer_failure)?;
    say(&if args.json { report::as_json(args, &moved) } else { report::as_text(args, &moved) });
    Ok(())
}

fn open(url: &Secret) -> Result<MoveIn, Failure> {
    MoveIn::open(url.expose_text(), POSTGRES_SCHEMA, &database_tls)
        .map_err(|error| Failure::new(error.to_string()))
}

/// Whoever took the marker away serves from the directory again: then there are two of everything.
fn refuse_return(source: &MoveOut) -> Result<(), Failure> {
    if source.is_left() { Ok(()) } else { Err(transfer_failure(TransferError::WentBack)) }
}

/// Makes an empty target ready, if it takes the same master key; one that was begun is.
fn begin(
    source: &MoveOut,
    target: &MoveIn,
    (identity, standing): (Identity, Standing),
    keyring: &Keyring,
) -> Result<(), Failure> {
    if standing == Standing::Begun {
        note("going on with a move that was begun\n");
        return Ok(());
    }
    if source.is_left() {
        return Err(transfer_failure(TransferError::MovedBefore));
    }
    let check = target.key_check().map_err(transfer_failure)?;
    check_key(check.as_ref(), keyring, "the target")?;
    target.begin(&identity).map_err(transfer_failure)
}

/// Copies, compares, shuts the directory, and only then opens the database: two of them may never serve at once.
fn go(source: &mut MoveOut, target: &mut MoveIn) -> Result<Tables, TransferError> {
    let mut steps = Steps::default();
    let mut tell = |progress| {
        steps.show(progress);
        ControlFlow::Continue(())
    };
    transfer::copy(source, target, &mut tell)?;
    let moved = transfer::verify(source, target, &mut tell)?;
    steps.end();
    source.leave(report::MARKER_TEXT)?;
    target.finish()?;
    Ok(moved)
}

fn check_source_key(source: &MoveOut, keyring: &Keyring) -> Result<(), Failure> {
    match source.key_check().map_err(transfer_failure)? {
        Some(sealed) => check_key(Some(&sealed), keyring, "the data directory"),
        None => Err(Failure::new("the data directory was never served from, so nobody knows its master key")
            .hint("Start `signalpost serve` on it once.")),
    }
}

/// Secrets are moved as they are sealed: what opens them here must open them there.
fn check_key(sealed: Option<&SealedSecret>, keyring: &Keyring, whose: &str) -> Result<(), Failure> {
    let Some(sealed) = sealed else { return Ok(()) };
    check_sealed(keyring, sealed).map_err(|error| {
        let failure = key_failure(error);
        Failure { what: format!("{whose}: {}", failure.what), ..failure }
    })
}
