//! A PostgreSQL server of one's own, on a free port, that can be stopped, crashed and started again.
//!
//! Whoever made it may end in any way: a shell that holds a pipe of theirs stops the server and removes its directory when
//! that pipe closes.

mod replica;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::{SmallDisk, TempDir, free_port, wait_for};

/// Where Debian puts the versions of the server.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The server refuses to run as root; Debian's packages make this user.
const USER: &str = "postgres";
/// As who clients come. Nobody needs a password.
const ROLE: &str = "signalpost";
/// How long the server may take to answer.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// `$1` is the server, what comes behind are its arguments. Ends it when the pipe closes, at once on a line `crash`.
const KEEPER: &str = r#"
directory=$1; shift
"$@" >>"$directory/log" 2>&1 &
server=$!
signal=INT
while read -r word; do
    case $word in
        crash) signal=QUIT; break ;;
        stop) break ;;
    esac
done
kill -$signal $server
wait $server
[ -n "$word" ] || rm -rf "$directory"
"#;

static MADE: AtomicU32 = AtomicU32::new(0);

/// What of a server lies on a small disk.
#[derive(Clone, Copy)]
pub enum Lies<'d> {
    Whole,
    /// Its log lies in a folder somewhere else.
    WithoutLog(&'d TempDir),
}

/// A server with an empty database cluster. It goes with its owner.
pub struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    /// User and group, when we are root.
    identity: Option<(u32, u32)>,
    settings: Vec<String>,
    keeper: Option<Child>,
}

impl Postgres {
    /// Makes a database cluster and starts its server with further settings, each `name=value`.
    pub fn start(settings: &[&str]) -> io::Result<Self> {
        let mut server = Self::placed(&std::env::temp_dir(), settings)?;
        server.make_cluster(None)?;
        server.launch()?;
        Ok(server)
    }

    /// The same with its data on a small disk, all of them or without the log.
    pub fn start_on(disk: &SmallDisk, lies: Lies<'_>, settings: &[&str]) -> io::Result<Self> {
        let mut server = Self::placed(disk.path(), settings)?;
        match lies {
            Lies::Whole => server.make_cluster(None)?,
            Lies::WithoutLog(elsewhere) => {
                let log = elsewhere.path().join("log");
                server.make_directory(&log)?;
                fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755))?;
                server.make_cluster(Some(&log))?;
            }
        }
        server.launch()?;
        Ok(server)
    }

    /// A server that has a place and no data.
    fn placed(parent: &Path, settings: &[&str]) -> io::Result<Self> {
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("signalpost-postgres-{}-{made}", std::process::id());
        let server = Self {
            programs: programs()?,
            directory: parent.join(name),
            port: free_port(),
            identity: identity()?,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            keeper: None,
        };
        server.make_directory(&server.directory)?;
        Ok(server)
    }

    /// A directory of the server's user.
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)?;
        self.identity.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }

    fn make_cluster(&self, log: Option<&Path>) -> io::Result<()> {
        let mut make = self.command("initdb");
        if let Some(log) = log {
            make.arg("--waldir").arg(log);
        }
        make.args([
            "--auth=trust",
            "--username",
            ROLE,
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--pgdata",
        ]);
        expect(make.arg(self.data()))
    }

    /// A server that speaks TLS to whoever comes by TCP, and turns away who does not.
    pub fn start_with_tls(certificate_pem: &str, key_pem: &str) -> io::Result<Self> {
        let mut server = Self::start(&[])?;
        server.stop()?;
        let data = server.data();
        let put = |name: &str, text: &str| -> io::Result<()> {
            let path = data.join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            server.identity.map_or(Ok(()), |(user, group)| chown(&path, Some(user), Some(group)))
        };
        put("server.crt", certificate_pem)?;
        put("server.key", key_pem)?;
        put(
            "pg_hba.conf",
            "local all all trust\nhostssl all all 127.0.0.1/32 trust\nhostssl all all ::1/128 trust\n",
        )?;
        server.settings.push("ssl=on".to_owned());
        server.launch()?;
        Ok(server)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// As libpq has it.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends all processes of the server at once: nobody is waited for, nothing is written down. The system lives on, so what
    /// was written and not synced is not lost.
    pub fn crash(&mut self) -> io::Result<()> {
        self.end("crash")
    }

    /// Ends the server: whoever is connected is cut off, and everything is written down.
    pub fn stop(&mut self) -> io::Result<()> {
        self.end("stop")
    }

    /// Starts a server that was ended, and waits until it answers.
    pub fn launch(&mut self) -> io::Result<()> {
        let mut server = Command::new("sh");
        server.args(["-c", KEEPER, "keeper"]).arg(&self.directory).arg(self.programs.join("postgres"));
        server.arg("-D").arg(self.data()).arg("-k").arg(&self.directory).arg("-p").arg(self.port.to_string());
        for setting in &self.settings {
            server.arg("-c").arg(setting);
        }
        self.keeper = Some(self.as_user(&mut server).stdin(Stdio::piped()).spawn()?);
        wait_for("PostgreSQL's answer", READY_TIMEOUT, || self.answers()).map_err(|problem| {
            let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            io::Error::other(format!("{problem}; the server says:\n{log}"))
        })
    }

    /// Whether somebody may connect.
    pub fn answers(&self) -> bool {
        let mut ask = self.command("pg_isready");
        ask.args(["--quiet", "--host", "127.0.0.1", "--port", &self.port.to_string()]);
        ask.status().is_ok_and(|status| status.success())
    }

    fn end(&mut self, word: &str) -> io::Result<()> {
        let Some(mut keeper) = self.keeper.take() else { return Ok(()) };
        if let Some(mut pipe) = keeper.stdin.take() {
            writeln!(pipe, "{word}")?;
        }
        keeper.wait().map(drop)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// One of the server's programs, as whoever may run it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        self.as_user(&mut command);
        command
    }

    fn as_user<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        if let Some((user, group)) = self.identity {
            command.uid(user).gid(group);
        }
        // The folder that we stand in may be closed to that user.
        command.current_dir(std::env::temp_dir())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            // The keeper cleans up when its pipe closes.
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        } else {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The newest version of the server that is installed.
fn programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| number(path));
    newest.map(|version| version.join("bin")).ok_or_else(|| {
        io::Error::other("no PostgreSQL server is installed; on Debian: apt-get install postgresql")
    })
}

/// As who the server is to run, when we are root.
fn identity() -> io::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let ask = |what: &str| -> io::Result<u32> {
        let said = Command::new("id").args([what, USER]).output()?;
        let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        text.parse()
            .map_err(|_| io::Error::other(format!("there is no user {USER}; Debian's postgresql makes it")))
    };
    Ok(Some((ask("-u")?, ask("-g")?)))
}

fn expect(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{:?} ended with {}: {said}", command.get_program(), output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_crashed_started_again_and_goes_with_its_owner() {
        let mut server = Postgres::start(&[]).expect("a server");
        assert!(server.answers());
        server.crash().expect("it ends");
        assert!(!server.answers());
        server.launch().expect("it recovers");
        server.stop().expect("it ends");
        let directory = server.directory.clone();
        assert!(directory.exists(), "its data stay while it has an owner");
        server.launch().expect("it starts");
        drop(server);
        assert!(!directory.exists());
    }
}
