//! The product as its users have it: a process on free loopback ports with a data folder of its own, which can
//! be killed and started again.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::{CommandExt, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::{HttpClient, Request};
use crate::free_port::free_port;
use crate::operator::Operator;
use crate::temp_dir::TempDir;
use crate::wait::wait_for_some;

/// What `--egress-allow` needs so that deliveries reach a receiver on this machine.
pub const LOOPBACK: &str = "127.0.0.0/8,::1/128";

/// Lines of the server's log that go into an error.
const LOG_LINES_SHOWN: usize = 20;
const SIGKILL: i32 = 9;
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How to start a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    pub binary: PathBuf,
    /// Addresses that deliveries may reach beside public ones.
    pub egress_allow: String,
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
    /// Environment beside what this kit sets.
    pub environment: Vec<(String, String)>,
    /// User and group to run as, of somebody who may change users; ours when it is left out.
    pub user: Option<u32>,
}

impl ServerOptions {
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let (arguments, environment, user) = (Vec::new(), Vec::new(), None);
        Self { binary: binary.into(), egress_allow: LOOPBACK.to_owned(), arguments, environment, user }
    }
}

/// A server process. Dropping it kills the process and removes its data.
pub struct Server {
    options: ServerOptions,
    folder: TempDir,
    public: SocketAddr,
    operator: SocketAddr,
    operator_key: String,
    child: Option<Child>,
}

impl Server {
    /// Chooses ports and a folder; nothing runs yet.
    pub fn new(options: ServerOptions) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let operator_key = format!("opk_testkit_{:032x}", u128::from(std::process::id()) << 64 | 0x5EED);
        Ok(Self { options, folder, public: address(), operator: address(), operator_key, child: None })
    }

    /// Starts a new server and waits until it is ready.
    pub fn start(options: ServerOptions, timeout: Duration) -> Result<Self, String> {
        let mut server = Self::new(options)?;
        server.launch()?;
        server.wait_ready(timeout)?;
        Ok(server)
    }

    /// Starts the process on the same ports and data as before, without waiting. It must not be running.
    pub fn launch(&mut self) -> Result<(), String> {
        assert!(self.child.is_none(), "a running server is killed or stopped before it is launched again");
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.map_err(|error| format!("the server's log cannot be opened: {error}"))?;
        let twin = log.try_clone().map_err(|error| format!("the server's log cannot be shared: {error}"))?;
        let mut command = Command::new(&self.options.binary);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SIGNALPOST_"))
        {
            command.env_remove(name);
        }
        command
            .arg("serve")
            .arg("--data")
            .arg(self.data())
            .args(["--public", &self.public.to_string(), "--operator", &self.operator.to_string()])
            .args(["--egress-allow", &self.options.egress_allow])
            .args(&self.options.arguments)
            .env("SIGNALPOST_OPERATOR_KEY", &self.operator_key)
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(twin);
        if let Some(user) = self.options.user {
            command.uid(user).gid(user);
        }
        let child = command.spawn();
        let binary = self.options.binary.display();
        self.child = Some(child.map_err(|error| format!("{binary} cannot be started: {error}"))?);
        Ok(())
    }

    /// Waits until `/readyz` answers 200; returns how long that took from here. The error shows the end of the log.
    pub fn wait_ready(&mut self, timeout: Duration) -> Result<Duration, String> {
        let started = Instant::now();
        let mut probe = HttpClient::new(self.operator, PROBE_TIMEOUT);
        let outcome = wait_for_some("/readyz to answer 200", timeout, || {
            if let Some(status) = self.ended() {
                return Some(Err(format!("the server ended with {status}")));
            }
            let answer = probe.send(&Request::new("GET", "/readyz"));
            answer.is_ok_and(|answer| answer.status == 200).then(|| Ok(started.elapsed()))
        });
        outcome.flatten().map_err(|error| format!("{error}\n{}", self.log_tail()))
    }

    /// Ends the process at once (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), String> {
        self.kill_unless_ended().map(drop)
    }

    /// Kills the process at once; returns the status of one that had ended by itself before.
    pub fn kill_unless_ended(&mut self) -> Result<Option<ExitStatus>, String> {
        let Some(mut child) = self.child.take() else { return Ok(None) };
        // A process that has ended by itself cannot be killed; `wait` tells its status either way.
        drop(child.kill());
        let status = child.wait().map_err(|error| format!("the server cannot be waited for: {error}"))?;
        Ok((status.signal() != Some(SIGKILL)).then_some(status))
    }

    /// Asks the process to stop (SIGTERM) and waits until it is gone.
    pub fn stop(&mut self, timeout: Duration) -> Result<ExitStatus, String> {
        self.signal("TERM")?;
        self.wait_end(timeout)
    }

    /// Sends a signal by its short name, such as `STOP`.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        let pid = self.pid().ok_or("the server is not running")?;
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
        let sent = sent.map_err(|error| format!("no signal can be sent: {error}"))?;
        if sent.success() { Ok(()) } else { Err(format!("SIG{name} cannot be sent to {pid}: {sent}")) }
    }

    /// Waits until the process has ended by itself.
    pub fn wait_end(&mut self, timeout: Duration) -> Result<ExitStatus, String> {
        let status = wait_for_some("the server to end", timeout, || self.ended())?;
        self.child = None;
        Ok(status)
    }

    /// The environment of later launches, beside what this kit sets.
    pub fn set_environment(&mut self, environment: Vec<(String, String)>) {
        self.options.environment = environment;
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub const fn public(&self) -> SocketAddr {
        self.public
    }

    pub const fn operator_address(&self) -> SocketAddr {
        self.operator
    }

    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// A new connection to the operator API.
    pub fn operator(&self) -> Operator {
        Operator::new(self.operator, &self.operator_key)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The last lines that the server printed.
    pub fn log_tail(&self) -> String {
        log_tail(&self.log_path())
    }

    /// Everything that the server printed.
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// How the process ended, if it did.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok().flatten()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            debug_assert!(false, "{error}");
        }
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

    /// A stand-in for the product: a shell script in place of the binary.
    fn server(script: &str) -> (TempDir, Server) {
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().expect("a temporary folder");
        let binary = folder.path().join("server");
        std::fs::write(&binary, format!("#!/bin/sh\n{script}\n")).expect("a writable folder");
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755))
            .expect("a script that runs");
        let server = Server::new(ServerOptions::new(binary)).expect("a server");
        (folder, server)
    }

    #[test]
    fn a_server_that_ends_is_an_error_with_its_log() {
        let (_folder, mut server) = server("echo \"args: $@\"; exit 3");
        server.launch().expect("it starts");
        let error = server.wait_ready(Duration::from_secs(10)).expect_err("it ended");
        assert!(error.contains("exit status: 3") && error.contains("args: serve --data"), "{error}");
    }

    #[test]
    fn a_server_can_be_killed_and_launched_again() {
        let (_folder, mut server) = server("trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done");
        let wait_up = |server: &Server, times: usize| {
            let up = || server.log_tail().matches("up").count() == times;
            crate::wait::wait_for("the script to be up", Duration::from_secs(10), up).expect("it comes up");
        };
        server.launch().expect("it starts");
        wait_up(&server, 1);
        server.kill().expect("it dies");
        assert_eq!(server.pid(), None);
        server.launch().expect("it starts again");
        wait_up(&server, 2);
        let status = server.stop(Duration::from_secs(10)).expect("it stops");
        assert_eq!(status.code(), Some(7), "it was asked, not killed");
        assert!(server.signal("TERM").is_err(), "nobody is there to hear it");
    }
}
