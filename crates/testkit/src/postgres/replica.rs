//! A second server that follows a first one, which confirms nothing that the second has not on disk.

use std::io;

use super::{Postgres, READY_TIMEOUT, ROLE, expect};
use crate::wait_for;

const SYNCHRONOUS: &str = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";

impl Postgres {
    /// Makes a synchronous replica of this server, and waits until it follows.
    pub fn replicate(&self) -> io::Result<Self> {
        let replica = Self::placed(&std::env::temp_dir(), &[])?;
        let mut copy = replica.command("pg_basebackup");
        copy.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", ROLE]);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"]);
        expect(copy.arg(replica.data()))?;
        let mut replica = replica;
        replica.launch()?;
        // Not before: the replica would have copied it, and wait for a replica of its own once it is promoted.
        self.say("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.say("SELECT pg_reload_conf()")?;
        let follows = || self.say(SYNCHRONOUS).is_ok_and(|count| count == "1");
        wait_for("the replica to follow", READY_TIMEOUT, follows).map_err(io::Error::other)?;
        Ok(replica)
    }

    /// Makes a replica a server that takes writes.
    pub fn promote(&self) -> io::Result<()> {
        let mut promote = self.command("pg_ctl");
        expect(promote.args(["promote", "--silent", "--pgdata"]).arg(self.data()))
    }

    /// As libpq has it for this server and another one, of which that is used which takes writes.
    pub fn url_with(&self, other: &Self) -> String {
        let (ours, theirs) = (self.port, other.port);
        format!(
            "postgres://{ROLE}@127.0.0.1:{ours},127.0.0.1:{theirs}/postgres?target_session_attrs=read-write"
        )
    }

    /// The server's answer to one statement, without any ornament.
    pub fn say(&self, sql: &str) -> io::Result<String> {
        let mut ask = self.command("psql");
        ask.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &self.url()]);
        let output = ask.args(["--command", sql]).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}
