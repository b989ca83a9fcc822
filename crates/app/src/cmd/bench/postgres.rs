//! A PostgreSQL server for a run that is to be measured on one: made for it, counted with it, and gone with it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use signalpost_core::hex;
use signalpost_core::ports::Random as _;
use signalpost_core::secret::Secret;

use super::process::{ChildrenTimes, children_of};
use super::server::Afterwards;
use crate::cmd::Failure;
use crate::ports::SystemRandom;
use crate::telemetry::note;

/// Where Debian puts the versions of the server.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The server refuses to run as root; Debian's packages make this user.
const USER: &str = "postgres";
const ROLE: &str = "signalpost";
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// As somebody would set them who gives the server a quarter of a small machine's memory. Everything that makes a commit
/// durable is as it is by default.
pub(super) const SETTINGS: [&str; 4] =
    ["shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min", "track_functions=none"];
const SELECT_COUNTERS: &str = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint,
    (SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname = current_database())";

/// Of all tables but those that only grow with events, and of their indexes.
const SELECT_HOT: &str = "SELECT sum(pg_total_relation_size(c.oid))::bigint,
        sum(pg_stat_get_dead_tuples(c.oid))::bigint
    FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE s.nspname = 'signalpost' AND c.relkind = 'r'
        AND c.relname !~ '^(message|attempt|event_key|feed|dropped)'";
/// Holds a snapshot, and a number that is behind everybody's.
const BEGIN_STRANGE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ;
    CREATE TABLE strange (n bigint); INSERT INTO strange VALUES (1); SELECT count(*) FROM signalpost.due;";

pub(super) struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    /// Nobody else on this machine is to work on the server.
    password: Secret,
    identity: Option<(u32, u32)>,
    afterwards: Afterwards,
    child: Child,
}

/// What tables take whose rows come and go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    pub(super) bytes: u64,
    /// As the server counts them.
    pub(super) dead_rows: u64,
}

/// Somebody whose transaction is open.
pub(super) struct Stranger(Child);

impl Stranger {
    /// Ends it.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        let failed = |error| Failure::io("the stranger's psql", error);
        if let Some(mut input) = self.0.stdin.take() {
            input.write_all(b"COMMIT;\n").map_err(failed)?;
        }
        let ended = self.0.wait().map_err(failed)?;
        if ended.success() {
            Ok(())
        } else {
            Err(Failure::new("the stranger's transaction did not end well"))
        }
    }
}

/// What the server has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Of all its processes, those that have ended included; to a clock tick of each.
    pub(super) cpu_ns: u64,
    pub(super) wal_bytes: u64,
    pub(super) commits: u64,
}

impl Counters {
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            wal_bytes: self.wal_bytes.saturating_sub(before.wal_bytes),
            commits: self.commits.saturating_sub(before.commits),
        }
    }
}

impl Postgres {
    /// Makes a database cluster in a new directory and starts its server.
    pub(super) fn start(directory: PathBuf, port: u16, afterwards: Afterwards) -> Result<Self, Failure> {
        let (programs, identity) = (programs()?, identity()?);
        let password = password();
        let failed = |error| Failure::io(directory.display(), error);
        // Not one that somebody else has put there.
        fs::DirBuilder::new().mode(0o700).create(&directory).map_err(failed)?;
        let as_user = |command: &mut Command| {
            if let Some((user, group)) = identity {
                command.uid(user).gid(group);
            }
            command.current_dir("/").stdin(Stdio::null());
        };
        let (data, password_file) = (directory.join("data"), directory.join("password"));
        fs::write(&password_file, password.expose()).map_err(failed)?;
        if let Some((user, group)) = identity {
            chown(&password_file, Some(user), Some(group)).map_err(failed)?;
            chown(&directory, Some(user), Some(group)).map_err(failed)?;
        }
        make_cluster(&programs, &data, &password_file, &as_user)?;
        fs::remove_file(&password_file).map_err(failed)?;
        let log = File::create(directory.join("log")).map_err(failed)?;
        let mut server = Command::new(programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&directory).args(["-p", &port.to_string()]);
        server.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        as_user(&mut server);
        let child = server.stdout(Stdio::null()).stderr(log).spawn();
        let child = child.map_err(|error| Failure::io("PostgreSQL cannot be started", error))?;
        let postgres = Self { programs, directory, port, password, identity, afterwards, child };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// With the password, so nothing for a command line.
    pub(super) fn url(&self) -> String {
        format!("postgres://{ROLE}:{}@127.0.0.1:{}/postgres", self.password.expose_text(), self.port)
    }

    pub(super) fn counters(&self) -> Result<Counters, Failure> {
        let said = self.psql(SELECT_COUNTERS)?;
        let mut numbers = said.trim().split('|').map(|number| number.parse::<u64>());
        let (Some(Ok(wal_bytes)), Some(Ok(commits))) = (numbers.next(), numbers.next()) else {
            return Err(Failure::new(format!("PostgreSQL's counters say nothing we understand: {said}")));
        };
        Ok(Counters { cpu_ns: self.cpu_ns()?, wal_bytes, commits })
    }

    /// Of all processes of the server since it was started.
    pub(super) fn cpu_ns(&self) -> Result<u64, Failure> {
        let ChildrenTimes { own_ns, ended_ns, living_ns } = children_of(self.child.id())?;
        Ok(own_ns + ended_ns + living_ns)
    }

    /// What tables and indexes take of the disk. The log, which is used again, comes on top; see [`Counters::wal_bytes`].
    pub(super) fn bytes(&self) -> Result<u64, Failure> {
        let said = self.psql("SELECT pg_database_size(current_database())")?;
        said.trim().parse().map_err(|_| Failure::new(format!("no size of a database: {said}")))
    }

    pub(super) fn hot(&self) -> Result<Hot, Failure> {
        let said = self.psql(SELECT_HOT)?;
        let mut numbers = said.trim().split('|').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(bytes)), Some(Ok(dead_rows))) => Ok(Hot { bytes, dead_rows }),
            _ => Err(Failure::new(format!("no sizes of tables: {said}"))),
        }
    }

    /// Somebody's transaction that is open when this returns.
    pub(super) fn stranger(&self) -> Result<Stranger, Failure> {
        let failed = |error| Failure::io("psql cannot be started", error);
        let mut strange = self.psql_command();
        let mut child = strange.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let (Some(input), Some(output)) = (child.stdin.as_mut(), child.stdout.take()) else {
            return Err(Failure::new("psql has no input and no output"));
        };
        writeln!(input, "{BEGIN_STRANGE}").map_err(failed)?;
        let mut counted = String::new();
        BufReader::new(output).read_line(&mut counted).map_err(failed)?;
        match counted.trim().parse::<u64>() {
            Ok(_) => Ok(Stranger(child)),
            Err(_) => Err(Failure::new("the stranger's transaction did not begin")),
        }
    }

    fn psql(&self, sql: &str) -> Result<String, Failure> {
        let mut ask = self.psql_command();
        let answer = ask.args(["--command", sql]).output();
        let answer = answer.map_err(|error| Failure::io("psql cannot be started", error))?;
        if answer.status.success() {
            return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
        }
        Err(Failure::new("PostgreSQL cannot be asked")
            .hint(String::from_utf8_lossy(&answer.stderr).into_owned()))
    }

    fn psql_command(&self) -> Command {
        let mut ask = Command::new(self.programs.join("psql"));
        ask.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
            "--no-password",
            "--host=127.0.0.1",
            "--username",
            ROLE,
            "--dbname=postgres",
            "--port",
            &self.port.to_string(),
        ]);
        ask.env("PGPASSWORD", self.password.expose_text());
        ask
    }

    fn wait_until_ready(&self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            match self.psql("SELECT 1") {
                Ok(_) => return Ok(()),
                Err(failure) if began.elapsed() > READY_WITHIN => return Err(failure),
                Err(_) => std::thread::sleep(LOOK_EVERY),
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = Command::new(self.programs.join("pg_ctl"));
        stop.args(["stop", "--silent", "--mode=immediate", "--pgdata"]).arg(self.directory.join("data"));
        if let Some((user, group)) = self.identity {
            stop.uid(user).gid(group);
        }
        let stopped = stop.current_dir("/").stdin(Stdio::null()).status();
        if !stopped.is_ok_and(|status| status.success()) {
            // One that is gone cannot be killed, and is gone either way.
            drop(self.child.kill());
        }
        drop(self.child.wait());
        if self.afterwards == Afterwards::Keep {
            return note(&format!("The database was kept in {}\n", self.directory.display()));
        }
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            note(&format!("The database in {} could not be removed: {error}\n", self.directory.display()));
        }
    }
}

/// A database cluster that is entered by the password alone, which stands in a file beside it until it is made.
fn make_cluster(
    programs: &Path,
    data: &Path,
    password_file: &Path,
    as_user: &dyn Fn(&mut Command),
) -> Result<(), Failure> {
    let mut make = Command::new(programs.join("initdb"));
    make.args(["--auth=scram-sha-256", "--username", ROLE, "--encoding=UTF8", "--locale=C", "--pwfile"]);
    make.arg(password_file).arg("--pgdata").arg(data);
    as_user(&mut make);
    let made = make.output().map_err(|error| Failure::io("initdb cannot be started", error))?;
    if made.status.success() {
        return Ok(());
    }
    Err(Failure::new("initdb failed").hint(String::from_utf8_lossy(&made.stderr).into_owned()))
}

/// The newest version of the server that is installed.
fn programs() -> Result<PathBuf, Failure> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path());
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.filter(|path| path.join("bin/initdb").exists()).max_by_key(|path| number(path));
    newest.map(|version| version.join("bin")).ok_or_else(|| {
        Failure::new("no PostgreSQL server is installed here").hint("On Debian: apt-get install postgresql")
    })
}

/// One that nobody can guess.
fn password() -> Secret {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    Secret::from_text(&hex::encode(&bytes))
}

/// As who the server is to run, when we are root.
fn identity() -> Result<Option<(u32, u32)>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let ask = |what: &str| {
        let said = Command::new("id").args([what, USER]).output().ok()?;
        String::from_utf8_lossy(&said.stdout).trim().parse::<u32>().ok()
    };
    match (ask("-u"), ask("-g")) {
        (Some(user), Some(group)) => Ok(Some((user, group))),
        _ => Err(Failure::new(format!("PostgreSQL does not run as root, and there is no user {USER}"))),
    }
}
