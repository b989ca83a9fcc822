//! The server that is measured: this same program as `serve`, a process with a data directory of its own, set up by
//! nothing but its public flags and variables.

use std::ffi::OsStr;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::Connection;
use super::clock::{NS_PER_S, now_ns};
use super::plan::{Plan, StoreKind};
use super::postgres::Postgres;
use crate::cmd::Failure;
use crate::key_files;
use crate::settings::database::DATABASE_URL;
use crate::telemetry::note;

const EGRESS: &str = "127.0.0.0/8";
const START_WITHIN_NS: u64 = 60 * NS_PER_S;
/// Pause between two looks at a server that starts.
const LOOK_EVERY: Duration = Duration::from_micros(500);
const LOG_LINES_SHOWN: usize = 20;
/// Below the range from which Linux picks ports (32768 on, unless somebody has set it otherwise).
const PORT_MIN: u16 = 12_000;
const PORTS: u16 = 8_000;
const KEY_VARIABLE: &str = "SIGNALPOST_OPERATOR_KEY";
const MASTER_KEY_VARIABLE: &str = "SIGNALPOST_MASTER_KEY";
/// Seals secrets of webhooks that live as long as the run.
const MASTER_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A directory that goes with its owner, unless it is to be kept.
pub(super) struct DataDirectory {
    pub(super) path: PathBuf,
    pub(super) afterwards: Afterwards,
    /// Settings of the server that works on it.
    pub(super) config: Option<PathBuf>,
    /// Where the data lies if not in the directory.
    pub(super) database: Option<Postgres>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    Remove,
    Keep,
}

/// A server process, killed when it is dropped.
pub(super) struct ServerProcess {
    pub(super) operator: SocketAddr,
    pub(super) operator_key: String,
    /// From the start of the process to its being ready.
    pub(super) start_ns: u64,
    child: Child,
}

impl DataDirectory {
    pub(super) fn make(plan: &Plan, name: &str, afterwards: Afterwards) -> Result<Self, Failure> {
        let path = plan.directory.join(format!("signalpost-bench-{}-{name}", std::process::id()));
        key_files::make_directory(&path)?;
        let database = match plan.store {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => {
                // Beside the data directory, which is closed to the user that PostgreSQL runs as.
                let directory =
                    path.with_file_name(format!("signalpost-bench-{}-{name}-postgres", std::process::id()));
                let [address, _] = free_addresses()?;
                Some(Postgres::start(directory, address.port(), afterwards)?)
            }
        };
        Ok(Self { path, afterwards, config: plan.server_config.clone(), database })
    }

    /// What all files together take of the disk.
    pub(super) fn bytes(&self) -> Result<u64, Failure> {
        if let Some(database) = &self.database {
            return database.bytes();
        }
        let entries =
            std::fs::read_dir(&self.path).map_err(|error| Failure::io(self.path.display(), error))?;
        let sizes = entries.map(|entry| entry?.metadata().map(|file| file.len()));
        let sum = sizes.sum::<Result<u64, std::io::Error>>();
        sum.map_err(|error| Failure::io(self.path.display(), error))
    }

    fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if self.afterwards == Afterwards::Keep {
            return note(&format!("The data was kept in {}\n", self.path.display()));
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            note(&format!("The data in {} could not be removed: {error}\n", self.path.display()));
        }
    }
}

impl ServerProcess {
    /// Starts a server on a data directory, new or used, and waits until it is ready.
    pub(super) async fn start(data: &DataDirectory) -> Result<Self, Failure> {
        let operator_key =
            format!("bench-{:032x}", u128::from(now_ns()) << 32 | u128::from(std::process::id()));
        Self::start_at(data, &data.path, operator_key).await
    }

    /// Starts another one on the same database, with a directory of its own for what is not there.
    pub(super) async fn beside(&self, data: &DataDirectory, number: u8) -> Result<Self, Failure> {
        Self::start_at(data, &data.path.join(format!("node-{number}")), self.operator_key.clone()).await
    }

    async fn start_at(data: &DataDirectory, path: &Path, operator_key: String) -> Result<Self, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::io("cannot find this program", error))?;
        let [public, operator] = free_addresses()?;
        let log = File::options().create(true).append(true).open(data.log());
        let log = log.map_err(|error| Failure::io("the server's log cannot be written", error))?;
        let mut command = Command::new(program);
        // What the person at the terminal has set up is for their server.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SIGNALPOST_") {
                command.env_remove(name);
            }
        }
        command
            .arg("serve")
            .arg("--data")
            .arg(path)
            .args(["--public", &public.to_string(), "--operator", &operator.to_string()])
            .args(["--egress-allow", EGRESS])
            .args(data.config.iter().flat_map(|file| [OsStr::new("--config"), file.as_os_str()]))
            .env(KEY_VARIABLE, &operator_key)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(database) = &data.database {
            command.env(DATABASE_URL, database.url()).env(MASTER_KEY_VARIABLE, MASTER_KEY);
        }
        let started_ns = now_ns();
        let child = command.spawn().map_err(|error| Failure::io("the server cannot be started", error))?;
        let mut server = Self { operator, operator_key, start_ns: 0, child };
        server.wait_until_ready(data).await?;
        server.start_ns = now_ns() - started_ns;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process at once (SIGKILL) and waits until it is gone.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().map_err(|error| Failure::io("the server cannot be killed", error))?;
        self.child.wait().map(drop).map_err(|error| Failure::io("the server cannot be waited for", error))
    }

    async fn wait_until_ready(&mut self, data: &DataDirectory) -> Result<(), Failure> {
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", self.operator);
        let end_ns = now_ns() + START_WITHIN_NS;
        loop {
            let mut connection = Connection::new(self.operator);
            if connection.exchange(request.as_bytes()).await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            let ended =
                self.child.try_wait().map_err(|error| Failure::io("the server cannot be watched", error))?;
            if ended.is_some() || now_ns() > end_ns {
                let what =
                    ended.map_or("is not ready in time".to_owned(), |status| format!("ended with {status}"));
                return Err(Failure::new(format!("the server {what}")).hint(log_tail(&data.log())));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // One that is gone cannot be killed, and is gone either way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Two loopback addresses that nobody uses right now. The system hands none of these ports to anybody who does not ask for it:
/// one that it picks itself may go to a connection or another listener before the server takes it.
pub(super) fn free_addresses() -> Result<[SocketAddr; 2], Failure> {
    let first = u16::try_from(std::process::id() % u32::from(PORTS)).expect("below the count of ports");
    let ports = (0..PORTS).map(|next| PORT_MIN + (first + next) % PORTS);
    let addresses = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut free = addresses.filter(|address| TcpListener::bind(address).is_ok());
    match (free.next(), free.next()) {
        (Some(public), Some(operator)) => Ok([public, operator]),
        _ => Err(Failure::new(format!("no free port from {PORT_MIN} on"))),
    }
}

fn log_tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_listens_where_the_system_picks_no_ports() {
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("Linux");
        let lowest: u16 = range.split_whitespace().next().and_then(|low| low.parse().ok()).expect("a port");
        let [public, operator] = free_addresses().expect("two of thousands");
        assert_ne!(public, operator);
        for address in [public, operator] {
            assert!((PORT_MIN..lowest).contains(&address.port()), "{address}, picked from {lowest} on");
            TcpListener::bind(address).expect("it is free");
        }
    }
}
