//! Makes the trouble that was drawn, and writes down what was done and when.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use signalpost_testkit::{HttpClient, Request, wait_for, wait_for_some};

use super::chronicle::{Chronicle, End, Shift};
use super::disk::{Disk, Room};
use super::faults::Faults;
use super::plan::{Card, Kind};
use super::publish::Pulse;
use super::stage::Stage;
use super::stopwatch::{Ms, Span};
use crate::release::START_TIMEOUT;

/// Attempts in flight end within their timeout; the rest of stopping is quick.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// A server that cannot use its data says so at once.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Until publishers have met a disk that is full, or has room again.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(15);
/// The clock's steps, in seconds. What was put off while it was ahead waits that long afterwards, so they are small ahead.
const STEPS_S: [i64; 6] = [20, -3_600, 7, -15, -60, 12];
const FAST_TIMES: u32 = 5;

pub(super) struct Trouble<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) chronicle: Chronicle,
    pub(super) faults: Arc<Faults>,
    pub(super) pulse: Arc<Pulse>,
    is_running: bool,
}

impl<'a> Trouble<'a> {
    /// The stage's server is running and ready.
    pub(super) fn new(stage: &'a mut Stage, faults: Arc<Faults>, pulse: Arc<Pulse>) -> Self {
        Self { stage, chronicle: Chronicle::default(), faults, pulse, is_running: true }
    }

    /// Makes one trouble. The process may be running afterwards or not.
    pub(super) fn make(&mut self, card: Card) -> Result<(), String> {
        match card.kind {
            Kind::Kill | Kind::KillLate => self.live(card.life_ms).and_then(|()| self.kill()),
            Kind::KillTwice => {
                self.live(card.life_ms)?;
                self.kill()?;
                self.live(card.for_ms)?;
                self.kill()
            }
            Kind::Stop => self.stop(card),
            Kind::StopKilled => {
                self.live_ready(card.life_ms)?;
                self.stage.server.signal("TERM")?;
                sleep(card.for_ms);
                self.kill_while_stopping()
            }
            Kind::Freeze => self.freeze(card).and_then(|()| self.stage.server.signal("CONT")),
            Kind::FreezeKilled => self.freeze(card).and_then(|()| self.kill()),
            Kind::ClockStep | Kind::ClockFast => self.bend_time(card),
            Kind::ReceiverGone => self.send_receivers_away(card),
            Kind::DiskNearlyFull => self.fill_disk(card, Room::Little),
            Kind::DiskFull => self.fill_disk(card, Room::None),
            Kind::Unwritable => self.refuse_writing(),
            Kind::WrongMode => self.shut_out(card),
            Kind::DatabaseCrash | Kind::DatabaseStop => self.take_database_away(card),
        }
    }

    /// Brings the server up for good.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.live_ready(0)
    }

    /// Launches if nothing runs, and lets it live: the random moment is what is tested, there is no condition to wait for.
    fn live(&mut self, life_ms: u64) -> Result<(), String> {
        if !self.is_running {
            self.launch()?;
        }
        sleep(life_ms);
        Ok(())
    }

    fn live_ready(&mut self, life_ms: u64) -> Result<(), String> {
        self.live(0)?;
        self.stage.server.wait_ready(START_TIMEOUT)?;
        sleep(life_ms);
        Ok(())
    }

    fn launch(&mut self) -> Result<(), String> {
        self.stage.server.launch()?;
        self.is_running = true;
        let launched = self.now();
        if let Some(outage) = self.chronicle.outages.last_mut().filter(|outage| outage.launched == Ms::MAX) {
            outage.launched = launched;
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), String> {
        let killed = self.now();
        if let Some(status) = self.stage.server.kill_unless_ended()? {
            self.faults
                .add(format!("the server ended by itself with {status}: {}", self.stage.server.log_tail()));
        }
        self.note_end(killed, End::Killed);
        Ok(())
    }

    fn note_end(&mut self, at: Ms, end: End) {
        self.is_running = false;
        self.chronicle.note_end(at, end);
    }

    /// A kill of a process that was told to stop, and may have ended before.
    fn kill_while_stopping(&mut self) -> Result<(), String> {
        let killed = self.now();
        let ended = self.stage.server.kill_unless_ended()?;
        if let Some(status) = ended.filter(|status| !status.success()) {
            self.faults.add(format!("told to stop, the server ended with {status}"));
        }
        self.note_end(killed, ended.map_or(End::Killed, |_| End::InOrder));
        Ok(())
    }

    /// In order: nothing is in flight afterwards, so nothing that comes twice is explained by it.
    fn stop(&mut self, card: Card) -> Result<(), String> {
        self.live_ready(card.life_ms)?;
        match self.stage.server.stop(STOP_TIMEOUT) {
            Ok(status) if status.success() => {}
            Ok(status) => self.faults.add(format!("told to stop, the server ended with {status}")),
            Err(error) => {
                self.faults.add(format!("told to stop: {error}"));
                return self.kill();
            }
        }
        let now = self.now();
        self.note_end(now, End::InOrder);
        Ok(())
    }

    fn freeze(&mut self, card: Card) -> Result<(), String> {
        self.live(card.life_ms)?;
        let from = self.now();
        self.stage.server.signal("STOP")?;
        sleep(card.for_ms);
        self.chronicle.freezes.push(Span::new(from, self.now()));
        self.chronicle.counts.freezes += 1;
        Ok(())
    }

    /// Its own life, for the clock that lies is chosen at the launch.
    fn bend_time(&mut self, card: Card) -> Result<(), String> {
        let Some(environment) =
            self.stage.clock.as_ref().map(super::strange_clock::StrangeClock::environment)
        else {
            return Ok(());
        };
        if self.is_running {
            self.kill()?;
        }
        self.chronicle.counts.clock_troubles += 1;
        self.lie(0, 0, |clock| clock.step(0))?;
        let usual = self.stage.environment.clone();
        self.stage.server.set_environment([usual.clone(), environment].concat());
        let launched = self.launch();
        self.stage.server.set_environment(usual);
        launched?;
        self.stage.server.wait_ready(START_TIMEOUT)?;
        sleep(card.life_ms / 4);
        if card.kind == Kind::ClockFast {
            let gain_ms = i64::try_from(card.for_ms).unwrap_or(0) * i64::from(FAST_TIMES - 1) + 2_000;
            // A fast clock counts from the launch.
            let gain_ms = gain_ms + i64::try_from(card.life_ms).unwrap_or(0) * i64::from(FAST_TIMES);
            self.lie(0, gain_ms, |clock| clock.run_fast(FAST_TIMES))?;
            sleep(card.for_ms);
        } else {
            for number in 0..2 {
                let step = STEPS_S[usize::try_from((card.choice >> (8 * number)) % 6).unwrap_or(0)];
                self.lie(step * 1_000, step * 1_000, |clock| clock.step(step))?;
                sleep(card.for_ms / 2 + 700);
            }
        }
        self.kill()?;
        self.end_lie();
        Ok(())
    }

    /// Tells the clock what to say, and notes it; what it said before ends.
    fn lie(
        &mut self,
        least_ms: i64,
        most_ms: i64,
        tell: impl FnOnce(&super::strange_clock::StrangeClock) -> Result<(), String>,
    ) -> Result<(), String> {
        let from = self.now();
        if let Some(clock) = &self.stage.clock {
            tell(clock)?;
        }
        self.end_lie();
        if (least_ms, most_ms) != (0, 0) {
            self.chronicle.shifts.push(Shift { span: Span::new(from, Ms::MAX), least_ms, most_ms });
        }
        Ok(())
    }

    fn end_lie(&mut self) {
        let now = self.now();
        if let Some(shift) = self.chronicle.shifts.last_mut().filter(|shift| shift.span.to == Ms::MAX) {
            shift.span.to = now;
        }
    }

    fn send_receivers_away(&mut self, card: Card) -> Result<(), String> {
        self.live_ready(card.life_ms)?;
        let from = self.now();
        self.stage.send_receivers_away();
        sleep(card.for_ms);
        self.stage.bring_receivers_back()?;
        self.chronicle.gone.push(Span::new(from, self.now()));
        self.chronicle.counts.receiver_absences += 1;
        Ok(())
    }

    /// Takes the room away until publishers have noticed, sometimes with a kill and a start in between, gives it back, and
    /// waits until events are accepted again.
    fn fill_disk(&mut self, card: Card, left: Room) -> Result<(), String> {
        if self.stage.disk.is_none() {
            return Ok(());
        }
        self.live_ready(card.life_ms / 2)?;
        let from = self.now();
        let refused = self.pulse.no_room.load(Ordering::SeqCst);
        self.on_disk(|disk| disk.fill(left))?;
        self.notice(&self.pulse.no_room, refused, "to be refused on a full disk");
        sleep(card.for_ms);
        if card.choice.is_multiple_of(2) {
            self.kill()?;
            if left == Room::Little {
                self.live_ready(card.for_ms / 2)?;
            } else {
                self.start_without_room(card)?;
            }
        }
        self.on_disk(Disk::make_room)?;
        self.live_ready(0)?;
        if left == Room::None {
            self.chronicle.starved.push(Span::new(from, self.now()));
        }
        self.chronicle.counts.full_disks += 1;
        let accepted = self.pulse.acknowledged.load(Ordering::SeqCst);
        self.notice(&self.pulse.acknowledged, accepted, "to be accepted once there is room");
        Ok(())
    }

    /// The database ends while the server works, stays away for a while, and comes back; the server goes on by itself.
    fn take_database_away(&mut self, card: Card) -> Result<(), String> {
        self.live_ready(card.life_ms)?;
        let from = self.now();
        let failed = |error| format!("the database: {error}");
        let Some(database) = &mut self.stage.database else { return Ok(()) };
        let ended = if card.kind == Kind::DatabaseCrash { database.crash() } else { database.stop() };
        ended.map_err(failed)?;
        sleep(card.for_ms);
        database.launch().map_err(failed)?;
        self.live_ready(0)?;
        self.chronicle.starved.push(Span::new(from, self.now()));
        self.chronicle.counts.database_absences += 1;
        let accepted = self.pulse.acknowledged.load(Ordering::SeqCst);
        self.notice(&self.pulse.acknowledged, accepted, "to be accepted once the database is back");
        Ok(())
    }

    /// Without any room a server may say that it is not ready, or not start at all, if it says why.
    fn start_without_room(&mut self, card: Card) -> Result<(), String> {
        self.live(card.for_ms / 2)?;
        if let Ok(status) = self.stage.server.wait_end(Duration::ZERO) {
            self.is_running = false;
            self.chronicle.counts.refused_starts += 1;
            self.judge_refusal("a disk without room", status);
        }
        Ok(())
    }

    fn notice(&self, counter: &AtomicU64, before: u64, what: &str) {
        let waited =
            wait_for(&format!("an event {what}"), NOTICE_TIMEOUT, || counter.load(Ordering::SeqCst) > before);
        if let Err(error) = waited {
            self.faults.add(format!("{error}: {}", self.stage.server.log_tail()));
        }
    }

    fn on_disk(&self, act: impl FnOnce(&Disk) -> Result<(), String>) -> Result<(), String> {
        self.stage.disk.as_ref().map_or(Ok(()), act)
    }

    /// Starts on data that cannot be written to, which must be refused in words; then it works again.
    fn refuse_writing(&mut self) -> Result<(), String> {
        if self.is_running {
            self.kill()?;
        }
        if self.stage.disk.is_none() {
            return Ok(());
        }
        self.on_disk(Disk::set_read_only)?;
        let refused = self.expect_refusal("a data directory that cannot be written to");
        self.on_disk(Disk::set_writable)?;
        if refused? {
            self.chronicle.counts.refused_starts += 1;
        } else {
            self.faults.add("the server started on a data directory that cannot be written to".to_owned());
        }
        self.live_ready(0)
    }

    /// Takes away what the server may do with one of its files, or with the directory. It may do without; if it does not
    /// start it says why, and it works again afterwards.
    fn shut_out(&mut self, card: Card) -> Result<(), String> {
        if self.is_running {
            self.kill()?;
        }
        if self.stage.missing.user.is_some() {
            return Ok(());
        }
        let data = self.stage.server.data();
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
            self.chronicle.counts.refused_starts += 1;
        } else {
            self.chronicle.counts.starts_with_wrong_modes += 1;
        }
        self.live_ready(0)
    }

    /// Launches; whether the server refused to start. Then it must have named the place that it could not use, on its last
    /// line, and have ended with a status of its own. A server that came up is killed.
    fn expect_refusal(&mut self, what: &str) -> Result<bool, String> {
        self.launch()?;
        let mut probe = HttpClient::new(self.stage.server.operator_address(), REFUSAL_TIMEOUT);
        let ended = wait_for_some("the server to be ready or to end", REFUSAL_TIMEOUT, || {
            if let Ok(status) = self.stage.server.wait_end(Duration::ZERO) {
                return Some(Some(status));
            }
            let answer = probe.send(&Request::new("GET", "/readyz"));
            answer.is_ok_and(|answer| answer.status == 200).then_some(None)
        });
        let status = match ended {
            Ok(Some(status)) => status,
            Ok(None) => return self.kill().map(|()| false),
            Err(error) => {
                self.faults.add(format!("{what}: {error}: {}", self.stage.server.log_tail()));
                return self.kill().map(|()| true);
            }
        };
        self.is_running = false;
        self.judge_refusal(what, status);
        Ok(true)
    }

    fn judge_refusal(&self, what: &str, status: ExitStatus) {
        let log = self.stage.server.log_tail();
        // An error and a hint.
        let said: Vec<&str> = log.lines().rev().take(2).collect();
        let data = self.stage.server.data();
        let names_it = said.iter().any(|line| line.contains(&*data.to_string_lossy()));
        if status.code().is_none_or(|code| code == 0) || !names_it {
            self.faults.add(format!("{what}: it ended with {status} and said {said:?}"));
        }
    }

    fn now(&self) -> Ms {
        self.stage.ledger.stopwatch.now()
    }
}

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
