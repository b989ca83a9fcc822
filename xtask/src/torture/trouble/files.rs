//! Trouble with the data directory, which there is where one server has its data in files: a disk without room, data that cannot
//! be written to, files of wrong modes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalpost_testkit::{HttpClient, Request, wait_for_some};

use super::{Trouble, sleep};
use crate::torture::disk::{Disk, Room};
use crate::torture::plan::Card;
use crate::torture::stopwatch::Span;

/// A server that cannot use its data says so at once.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Nobody else has the same data.
const ONLY: usize = 0;

impl Trouble<'_> {
    /// Takes the room away until publishers have noticed, sometimes with a kill and a start in between, gives it back, and
    /// waits until events are accepted again.
    pub(super) fn fill_disk(&mut self, card: Card, left: Room) -> Result<(), String> {
        if self.stage.disk.is_none() {
            return Ok(());
        }
        self.live_ready(ONLY, card.life_ms / 2)?;
        let from = self.now();
        let refused = self.pulse.no_room.load(Ordering::SeqCst);
        self.on_disk(|disk| disk.fill(left))?;
        self.notice(&self.pulse.no_room, refused, "to be refused on a full disk");
        sleep(card.for_ms);
        if card.choice.is_multiple_of(2) {
            self.kill(ONLY)?;
            if left == Room::Little {
                self.live_ready(ONLY, card.for_ms / 2)?;
            } else {
                self.start_without_room(card)?;
            }
        }
        self.on_disk(Disk::make_room)?;
        self.live_ready(ONLY, 0)?;
        if left == Room::None {
            self.chronicles.note_starved(Span::new(from, self.now()));
        }
        self.chronicles.counts_of_all().full_disks += 1;
        let accepted = self.pulse.acknowledged.load(Ordering::SeqCst);
        self.notice(&self.pulse.acknowledged, accepted, "to be accepted once there is room");
        Ok(())
    }

    /// Without any room a server may say that it is not ready, or not start at all, if it says why.
    fn start_without_room(&mut self, card: Card) -> Result<(), String> {
        self.live(ONLY, card.for_ms / 2)?;
        if let Ok(status) = self.stage.servers[ONLY].wait_end(Duration::ZERO) {
            self.running[ONLY] = false;
            self.chronicles.counts_of_all().refused_starts += 1;
            self.judge_refusal("a disk without room", status);
        }
        Ok(())
    }

    fn on_disk(&self, act: impl FnOnce(&Disk) -> Result<(), String>) -> Result<(), String> {
        self.stage.disk.as_ref().map_or(Ok(()), act)
    }

    /// Starts on data that cannot be written to, which must be refused in words; then it works again.
    pub(super) fn refuse_writing(&mut self) -> Result<(), String> {
        if self.running[ONLY] {
            self.kill(ONLY)?;
        }
        if self.stage.disk.is_none() {
            return Ok(());
        }
        self.on_disk(Disk::set_read_only)?;
        let refused = self.expect_refusal("a data directory that cannot be written to");
        self.on_disk(Disk::set_writable)?;
        if refused? {
            self.chronicles.counts_of_all().refused_starts += 1;
        } else {
            self.faults.add("the server started on a data directory that cannot be written to".to_owned());
        }
        self.live_ready(ONLY, 0)
    }

    /// Takes away what the server may do with one of its files, or with the directory. It may do without; if it does not
    /// start it says why, and it works again afterwards.
    pub(super) fn shut_out(&mut self, card: Card) -> Result<(), String> {
        if self.running[ONLY] {
            self.kill(ONLY)?;
        }
        if self.stage.missing.user.is_some() {
            return Ok(());
        }
        let data = self.stage.servers[ONLY].data();
        let places: Vec<PathBuf> =
            ["", "signalpost.db", "signalpost.db-wal", "master.key", "signalpost.lock"]
                .iter()
                .map(|name| data.join(name))
                .filter(|path| path.exists())
                .collect();
        let chosen = usize::try_from(card.choice % places.len() as u64).unwrap_or(0);
        let mode = if (card.choice / 8).is_multiple_of(2) { 0o000 } else { 0o400 };
        let place = &places[chosen];
        let failed = |error| format!("the mode of {} cannot be changed: {error}", place.display());
        let before = fs::metadata(place).map_err(failed)?.permissions();
        fs::set_permissions(place, fs::Permissions::from_mode(mode)).map_err(failed)?;
        let refused = self.expect_refusal(&format!("{} with mode {mode:o}", place.display()));
        fs::set_permissions(place, before).map_err(failed)?;
        if refused? {
            self.chronicles.counts_of_all().refused_starts += 1;
        } else {
            self.chronicles.counts_of_all().starts_with_wrong_modes += 1;
        }
        self.live_ready(ONLY, 0)
    }

    /// Launches; whether the server refused to start. Then it must have named the place that it could not use, on its last
    /// line, and have ended with a status of its own. A server that came up is killed.
    fn expect_refusal(&mut self, what: &str) -> Result<bool, String> {
        self.launch(ONLY)?;
        let mut probe = HttpClient::new(self.stage.servers[ONLY].operator_address(), REFUSAL_TIMEOUT);
        let ended = wait_for_some("the server to be ready or to end", REFUSAL_TIMEOUT, || {
            if let Ok(status) = self.stage.servers[ONLY].wait_end(Duration::ZERO) {
                return Some(Some(status));
            }
            let answer = probe.send(&Request::new("GET", "/readyz"));
            answer.is_ok_and(|answer| answer.status == 200).then_some(None)
        });
        let status = match ended {
            Ok(Some(status)) => status,
            Ok(None) => return self.kill(ONLY).map(|()| false),
            Err(error) => {
                self.faults.add(format!("{what}: {error}: {}", self.stage.servers[ONLY].log_tail()));
                return self.kill(ONLY).map(|()| true);
            }
        };
        self.running[ONLY] = false;
        self.judge_refusal(what, status);
        Ok(true)
    }

    fn judge_refusal(&self, what: &str, status: ExitStatus) {
        let log = self.stage.servers[ONLY].log_tail();
        // An error and a hint.
        let said: Vec<&str> = log.lines().rev().take(2).collect();
        let data = self.stage.servers[ONLY].data();
        let names_it = said.iter().any(|line| line.contains(&*data.to_string_lossy()));
        if status.code().is_none_or(|code| code == 0) || !names_it {
            self.faults.add(format!("{what}: it ended with {status} and said {said:?}"));
        }
    }
}
