//! The receiver as the generator sees it: a child process that is told secrets and hands over its records.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::super::record::Record;
use super::conduct::Conduct;
use crate::cmd::Failure;

/// Killed when it is dropped.
pub(in super::super) struct ReceiverProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl ReceiverProcess {
    pub(in super::super) fn start() -> Result<Self, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::io("cannot find this program", error))?;
        let child =
            Command::new(program).arg("bench-receiver").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| Failure::io("cannot start the receiver", error))?;
        let input = child.stdin.take().expect("its input is piped");
        let mut output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let line = line_of(&mut output)?;
        let address = line.parse().map_err(|_| Failure::new(format!("the receiver said `{line}`")))?;
        Ok(Self { child, input, output, address })
    }

    pub(in super::super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Webhook number `n` delivers to this URL, a slash, and `n`.
    pub(in super::super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Hands over the secrets of the webhooks that follow those handed over before.
    pub(in super::super) fn trust(&mut self, secrets: &[String]) -> Result<(), Failure> {
        let lines: String = secrets.iter().map(|secret| format!("trust {secret}\n")).collect();
        self.send(&lines)?;
        self.do_and_wait("done")
    }

    /// How it treats deliveries from now on. Requests that wait for an answer, where they would not any more, lose their
    /// connection.
    pub(in super::super) fn conduct(&mut self, conduct: Conduct) -> Result<(), Failure> {
        self.do_and_wait(&format!("conduct {}", conduct.word()))
    }

    /// The same, of deliveries for some webhooks.
    pub(in super::super) fn conduct_to(
        &mut self,
        targets: Range<u32>,
        conduct: Conduct,
    ) -> Result<(), Failure> {
        self.do_and_wait(&format!("conduct {} {} {}", conduct.word(), targets.start, targets.end))
    }

    /// From now on nobody can connect, and connections that are open end.
    pub(in super::super) fn go_down(&mut self) -> Result<(), Failure> {
        self.do_and_wait("down")
    }

    pub(in super::super) fn come_up(&mut self) -> Result<(), Failure> {
        self.do_and_wait("up")
    }

    /// What was noted since the last call, in order of arrival.
    pub(in super::super) fn take(&mut self) -> Result<Vec<Record>, Failure> {
        self.send("take\n")?;
        let line = line_of(&mut self.output)?;
        let count: usize = line.parse().map_err(|_| Failure::new(format!("the receiver said `{line}`")))?;
        let mut records = Vec::with_capacity(count);
        let mut bytes = [0; Record::BYTES];
        for _ in 0..count {
            self.output
                .read_exact(&mut bytes)
                .map_err(|error| Failure::io("the receiver's records cannot be read", error))?;
            let record = Record::decode(&bytes);
            records.push(record.ok_or_else(|| Failure::new("the receiver's records cannot be understood"))?);
        }
        Ok(records)
    }

    fn do_and_wait(&mut self, what: &str) -> Result<(), Failure> {
        self.send(&format!("{what}\n"))?;
        match line_of(&mut self.output)?.as_str() {
            "done" => Ok(()),
            other => Err(Failure::new(format!("the receiver answered `{other}`"))),
        }
    }

    fn send(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.input.write_all(text.as_bytes()).and_then(|()| self.input.flush());
        written.map_err(|error| Failure::io("the receiver does not listen", error))
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and is gone either way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn line_of(output: &mut impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read =
        output.read_line(&mut line).map_err(|error| Failure::io("the receiver cannot be heard", error))?;
    if read == 0 { Err(Failure::new("the receiver has ended")) } else { Ok(line.trim_end().to_owned()) }
}
