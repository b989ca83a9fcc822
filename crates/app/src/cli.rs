//! The command line: one definition for every flag, with its environment variable and its help.

use clap::{Arg, ArgMatches, Args, Command as Clap, FromArgMatches, Parser, Subcommand};

use crate::settings::database::DATABASE_URL;
use crate::settings::keys;
use crate::settings::layers::Flags;

use crate::cmd::backup::BackupArgs;
use crate::cmd::bench::args::{self as bench_args, BenchArgs};
use crate::cmd::capacity::{self, CapacityArgs};
use crate::cmd::cells::CellsCommand;
use crate::cmd::db::DbCommand;
use crate::cmd::keys::KeysCommand;
use crate::cmd::migrate::MigrateArgs;
use crate::cmd::restore::RestoreArgs;

/// One durable webhook engine that speaks your API.
///
/// Your product publishes events to the operator address; your customers manage their webhooks at the public
/// address; Signalpost signs every event, delivers it, retries, and never loses what it acknowledged.
///
/// Try `signalpost demo` first: it needs nothing and shows the whole way of an event.
#[derive(Debug, Parser)]
#[command(name = "signalpost", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the engine until it is told to stop (SIGTERM or Ctrl-C; a second one stops at once).
    #[command(after_long_help = SERVE_EXAMPLES)]
    Serve(SettingsArgs),
    /// Look at a configuration without starting anything.
    #[command(subcommand, after_long_help = CONFIG_EXAMPLES)]
    Config(ConfigCommand),
    /// Show the whole way of an event: a server, a receiver, a few signed deliveries, each verified.
    ///
    /// Starts a server on free loopback ports with a data directory of its own, makes a webhook through the
    /// SigmaMind dialect, publishes three events, and has a separate process receive and verify them. Then it stays
    /// up with curl lines to try, and removes its data at the end.
    Demo(DemoArgs),
    /// Copy a data directory while its server may be running.
    ///
    /// The copy is the state between two commits: everything acknowledged before the backup began is in it. Keys are
    /// left out unless asked for.
    Backup(BackupArgs),
    /// Make a data directory from a backup.
    ///
    /// Refuses a backup whose checksum is wrong, and a data directory that holds more than key files. Every workspace's sequence goes ahead,
    /// the further the older the backup is, so that what consumers saw after it was taken is never handed out again.
    /// Keys open what they opened when it was taken, unless --revoke-keys says otherwise.
    Restore(RestoreArgs),
    /// Move everything from a data directory into an empty PostgreSQL database.
    ///
    /// What is pending stays pending, at the same times; ids and sequences go on where they are. A move that was killed
    /// goes on when the same command is given again, and until it is through nobody can serve from the database. At the end
    /// both sides are read as a whole and compared, and the directory is marked, so that no server starts on it any more.
    /// Secrets stay sealed: the master key must be the same before and after.
    #[command(after_long_help = MIGRATE_EXAMPLES)]
    Migrate(MigrateArgs),
    /// Look after the cells of an installation that is divided into several databases.
    #[command(subcommand)]
    Cells(CellsCommand),
    /// Look after keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look at a database.
    #[command(subcommand)]
    Db(DbCommand),
    /// The demo's receiver, a process of its own.
    #[command(hide = true)]
    DemoReceiver,
    /// Measure what a delivery costs on this machine, and check that not one was lost.
    ///
    /// Starts this program as a server on a data directory of its own and a receiver that verifies every signature,
    /// publishes, and reads CPU, memory, disk and latency from outside. Latency counts from the moment at which an
    /// event was due, so that waiting for a slow server is not left out. At the end what was acknowledged, what the
    /// server tells and what arrived must agree exactly; where it does not, the run is void and the exit status 2.
    #[command(after_long_help = bench_args::EXAMPLES)]
    Bench(BenchArgs),
    /// Compute how many nodes, and how many databases, a load takes.
    ///
    /// By figures that `signalpost bench` has measured: those of the machine that stands in docs/capacity.md, or of one of
    /// yours. What it says is for a database server on a machine of its own, and as good as the figures.
    #[command(after_long_help = capacity::EXAMPLES)]
    Capacity(CapacityArgs),
    /// The bench's receiver, a process of its own.
    #[command(hide = true)]
    BenchReceiver,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check everything that can be known to be wrong before a start: exit status 0 or 1.
    Check(SettingsArgs),
    /// Print the settings in force, as a configuration file that says where each value is from.
    Print(PrintArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PrintArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// One flag for each setting of the table. They are kept as texts: what a value means does not depend on whether a
/// flag, a variable or a file says it.
#[derive(Debug)]
pub(crate) struct SettingsArgs(pub(crate) Flags);

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// End when the events have been delivered and verified, instead of staying up.
    #[arg(long)]
    pub(crate) once: bool,
}

const SERVE_EXAMPLES: &str = "\
Keys:
  The operator key is read from SIGNALPOST_OPERATOR_KEY, else from operator.key in the data directory, where it is
  generated at the first start. The master key that seals signing secrets is read from SIGNALPOST_MASTER_KEY (64
  hexadecimal digits, or a ring id:hex,id:hex whose first seals), else from master.key there; with a database URL it
  must be given, the same to every node. Keep a copy of it apart
  from backups: without it no stored secret opens. SIGNALPOST_OPERATOR_KEY_FILE and SIGNALPOST_MASTER_KEY_FILE name
  files that hold the keys instead.

Several processes:
  Any number may work on one PostgreSQL database, with the same keys; each takes calls and delivers. With --role api
  a process leaves delivering to others, with --role worker it does nothing else and has no public address. What has
  outgrown one database is divided into cells: SIGNALPOST_DATABASE_URL='0=postgres://… 1=postgres://…'.

Examples:
  signalpost serve
  signalpost serve --role worker --config /etc/signalpost.toml
  signalpost serve --data /var/lib/signalpost --public 0.0.0.0:8080
  signalpost serve --config /etc/signalpost.toml
  SIGNALPOST_EGRESS_ALLOW=10.20.0.0/16 signalpost serve";

const MIGRATE_EXAMPLES: &str = "\
Example:
  export SIGNALPOST_DATABASE_URL=postgres://signalpost@db.example.com/signalpost
  signalpost migrate --from /var/lib/signalpost
  signalpost serve --data /var/lib/signalpost      # its key files are still used";

const CONFIG_EXAMPLES: &str = "\
Examples:
  signalpost config check --config /etc/signalpost.toml
  signalpost config print --config /etc/signalpost.toml --json";

const DATABASE_URL_FLAG: &str = "database-url";

impl Args for SettingsArgs {
    fn augment_args(command: Clap) -> Clap {
        let config = Arg::new(keys::CONFIG_FLAG).long(keys::CONFIG_FLAG).value_name("FILE").help(format!(
            "Read settings from a TOML file; the environment and flags win over it [env: {}]",
            keys::CONFIG_VARIABLE
        ));
        let database = Arg::new(DATABASE_URL_FLAG).long(DATABASE_URL_FLAG).value_name("URL").help(format!(
            "Keep the data in a PostgreSQL database, postgres://user:password@host:port/database. Without it they lie \
             in the data directory. Others see a flag: a password belongs into the variable, or into a file that \
             {DATABASE_URL}_FILE names [env: {DATABASE_URL}]"
        ));
        let settings = keys::ALL.iter().map(|key| {
            let default = key.default.filter(|default| !default.is_empty());
            let default = default.map_or_else(String::new, |default| format!(" [default: {default}]"));
            let help = format!("{}{default} [env: {}] [file: {}]", key.meaning, key.variable, key.name);
            Arg::new(key.flag).long(key.flag).value_name(key.placeholder).help(help)
        });
        command.arg(config).args(settings).arg(database)
    }

    fn augment_args_for_update(command: Clap) -> Clap {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |name| matches.get_one::<String>(name).cloned();
        let values = keys::ALL.iter().filter_map(|key| Some((key.flag, text(key.flag)?))).collect();
        let (config, database_url) = (text(keys::CONFIG_FLAG), text(DATABASE_URL_FLAG));
        Ok(Self(Flags { config, database_url, values }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_flags_are_refused() {
        let lines: [&[&str]; 5] = [
            &["signalpost", "serve", "--nope"],
            &["signalpost", "serve", "--public"],
            &["signalpost", "config"],
            &["signalpost", "fly"],
            &["signalpost"],
        ];
        for line in lines {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn flags_are_kept_as_they_were_given() {
        let line = ["signalpost", "serve", "--config", "a.toml", "--public", "x", "--egress-allow="];
        let cli = Cli::try_parse_from(line).expect("known flags");
        let Command::Serve(SettingsArgs(flags)) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(flags.config.as_deref(), Some("a.toml"));
        let expected = [("public", "x".to_owned()), ("egress-allow", String::new())];
        assert_eq!(flags.values, expected.into());
    }
}
