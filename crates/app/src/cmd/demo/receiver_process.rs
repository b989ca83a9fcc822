//! The receiver as the demo sees it: a child process that is told secrets and tells what it received.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cmd::Failure;

pub(super) struct ReceiverProcess {
    child: Child,
    secrets: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
}

/// One request as the receiver saw it.
pub(super) struct Received {
    pub(super) verified: bool,
    pub(super) event_type: String,
    pub(super) event_id: String,
    pub(super) signature: String,
}

impl ReceiverProcess {
    pub(super) async fn start() -> Result<Self, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::io("cannot find this program", error))?;
        let child = Command::new(program)
            .arg("demo-receiver")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|error| Failure::io("cannot start the receiver", error))?;
        let secrets = child.stdin.take().expect("its input is piped");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut receiver = Self { child, secrets, lines, url: String::new() };
        receiver.url = receiver.line().await?;
        Ok(receiver)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Hands over the secret that later signatures are to be verified with.
    pub(super) async fn trust(&mut self, secret: &str) -> Result<(), Failure> {
        let written = self.secrets.write_all(format!("{secret}\n").as_bytes()).await;
        written.map_err(|error| Failure::io("the receiver does not listen", error))?;
        match self.line().await?.as_str() {
            "trusted" => Ok(()),
            other => Err(Failure::new(format!("the receiver answered `{other}`"))),
        }
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Result<Received, Failure> {
        let line = self.line().await?;
        let mut words = line.split('\t').map(str::to_owned);
        let mut word = || words.next().ok_or_else(|| Failure::new(format!("the receiver said `{line}`")));
        let verified = word()? == "verified";
        Ok(Received { verified, event_type: word()?, event_id: word()?, signature: word()? })
    }

    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        let killed = self.child.kill().await;
        killed.map_err(|error| Failure::io("the receiver could not be stopped", error))
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let line = self
            .lines
            .next_line()
            .await
            .map_err(|error| Failure::io("the receiver cannot be heard", error))?;
        line.ok_or_else(|| Failure::new("the receiver has ended"))
    }
}
