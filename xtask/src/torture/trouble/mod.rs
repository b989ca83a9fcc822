//! Makes the trouble that was drawn, and writes down what was done and when.

mod clock;
mod files;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use signalpost_testkit::{Server, wait_for};

use super::chronicle::End;
use super::chronicles::Chronicles;
use super::disk::Room;
use super::faults::Faults;
use super::plan::{Card, Kind};
use super::publish::Pulse;
use super::stage::Stage;
use super::stopwatch::{Ms, Span};
use crate::release::START_TIMEOUT;

/// Attempts in flight end within their timeout; the rest of stopping is quick.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Until publishers have met a disk that is full, or has room again.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) struct Trouble<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) chronicles: Chronicles,
    pub(super) faults: Arc<Faults>,
    pub(super) pulse: Arc<Pulse>,
    /// Which of the servers are.
    running: Vec<bool>,
}

impl<'a> Trouble<'a> {
    /// The stage's servers are running and ready.
    pub(super) fn new(stage: &'a mut Stage, faults: Arc<Faults>, pulse: Arc<Pulse>) -> Self {
        let nodes = stage.servers.len();
        Self { stage, chronicles: Chronicles::of(nodes), faults, pulse, running: vec![true; nodes] }
    }

    /// Makes one trouble. The processes may be running afterwards or not.
    pub(super) fn make(&mut self, card: Card) -> Result<(), String> {
        let node = card.node;
        if self.nodes() > 1 && card.wakes_others() {
            self.launch_all()?;
        }
        match card.kind {
            Kind::Kill | Kind::KillLate => self.live(node, card.life_ms).and_then(|()| self.kill(node)),
            Kind::KillTwice => {
                self.live(node, card.life_ms)?;
                self.kill(node)?;
                self.live(node, card.for_ms)?;
                self.kill(node)
            }
            Kind::KillAllButOne => self.kill_all_but(card),
            Kind::Stop => self.stop(card),
            Kind::StopKilled => {
                self.live_ready(node, card.life_ms)?;
                self.server(node).signal("TERM")?;
                sleep(card.for_ms);
                self.kill_while_stopping(node)
            }
            Kind::Freeze => self.freeze(card).and_then(|()| self.server(node).signal("CONT")),
            Kind::FreezeKilled => self.freeze(card).and_then(|()| self.kill(node)),
            Kind::FreezeBeyondLease => self.freeze_beyond_lease(card),
            Kind::ClockStep | Kind::ClockFast => self.bend_time(card),
            Kind::ReceiverGone => self.send_receivers_away(card),
            Kind::DiskNearlyFull => self.fill_disk(card, Room::Little),
            Kind::DiskFull => self.fill_disk(card, Room::None),
            Kind::Unwritable => self.refuse_writing(),
            Kind::WrongMode => self.shut_out(card),
            Kind::DatabaseCrash | Kind::DatabaseStop => self.take_database_away(card),
        }
    }

    /// Brings every server up for good.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.all_ready(0)
    }

    fn nodes(&self) -> usize {
        self.stage.servers.len()
    }

    fn server(&mut self, node: usize) -> &mut Server {
        &mut self.stage.servers[node]
    }

    /// Launches if nothing runs, and lets it live: the random moment is what is tested, there is no condition to wait for.
    fn live(&mut self, node: usize, life_ms: u64) -> Result<(), String> {
        if !self.running[node] {
            self.launch(node)?;
        }
        sleep(life_ms);
        Ok(())
    }

    fn live_ready(&mut self, node: usize, life_ms: u64) -> Result<(), String> {
        self.live(node, 0)?;
        self.server(node).wait_ready(START_TIMEOUT)?;
        sleep(life_ms);
        Ok(())
    }

    fn launch_all(&mut self) -> Result<(), String> {
        (0..self.nodes()).try_for_each(|node| self.live(node, 0))
    }

    fn all_ready(&mut self, life_ms: u64) -> Result<(), String> {
        self.launch_all()?;
        (0..self.nodes()).try_for_each(|node| self.live_ready(node, 0))?;
        sleep(life_ms);
        Ok(())
    }

    fn launch(&mut self, node: usize) -> Result<(), String> {
        self.server(node).launch()?;
        self.running[node] = true;
        let launched = self.now();
        let outages = &mut self.chronicles.node(node).outages;
        if let Some(outage) = outages.last_mut().filter(|outage| outage.launched == Ms::MAX) {
            outage.launched = launched;
        }
        Ok(())
    }

    fn kill(&mut self, node: usize) -> Result<(), String> {
        let killed = self.now();
        let server = self.server(node);
        if let Some(status) = server.kill_unless_ended()? {
            let said = server.log_tail();
            self.faults.add(format!("the server ended by itself with {status}: {said}"));
        }
        self.note_end(node, killed, End::Killed);
        Ok(())
    }

    fn note_end(&mut self, node: usize, at: Ms, end: End) {
        self.running[node] = false;
        self.chronicles.node(node).note_end(at, end);
    }

    /// One goes on with what all had.
    fn kill_all_but(&mut self, card: Card) -> Result<(), String> {
        self.launch_all()?;
        sleep(card.life_ms);
        (0..self.nodes()).filter(|node| *node != card.node).try_for_each(|node| self.kill(node))
    }

    /// A kill of a process that was told to stop, and may have ended before.
    fn kill_while_stopping(&mut self, node: usize) -> Result<(), String> {
        let killed = self.now();
        let ended = self.server(node).kill_unless_ended()?;
        if let Some(status) = ended.filter(|status| !status.success()) {
            self.faults.add(format!("told to stop, the server ended with {status}"));
        }
        self.note_end(node, killed, ended.map_or(End::Killed, |_| End::InOrder));
        Ok(())
    }

    /// In order: nothing is in flight afterwards, so nothing that comes twice is explained by it.
    fn stop(&mut self, card: Card) -> Result<(), String> {
        let node = card.node;
        self.live_ready(node, card.life_ms)?;
        match self.server(node).stop(STOP_TIMEOUT) {
            Ok(status) if status.success() => {}
            Ok(status) => self.faults.add(format!("told to stop, the server ended with {status}")),
            Err(error) => {
                self.faults.add(format!("told to stop: {error}"));
                return self.kill(node);
            }
        }
        let now = self.now();
        self.note_end(node, now, End::InOrder);
        Ok(())
    }

    fn freeze(&mut self, card: Card) -> Result<(), String> {
        self.live(card.node, card.life_ms)?;
        let from = self.now();
        self.server(card.node).signal("STOP")?;
        sleep(card.for_ms);
        let to = self.now();
        self.chronicles.note_freeze(card.node, Span::new(from, to));
        Ok(())
    }

    /// The others take over what one has that stands still; sometimes one of them is killed and launched meanwhile.
    fn freeze_beyond_lease(&mut self, card: Card) -> Result<(), String> {
        self.all_ready(card.life_ms)?;
        let from = self.now();
        self.server(card.node).signal("STOP")?;
        sleep(card.for_ms - card.for_ms / 4);
        if card.choice.is_multiple_of(2) {
            let other = (card.node + 1) % self.nodes();
            self.kill(other)?;
            self.launch(other)?;
        }
        sleep(card.for_ms / 4);
        let to = self.now();
        self.chronicles.note_freeze(card.node, Span::new(from, to));
        self.server(card.node).signal("CONT")
    }

    fn send_receivers_away(&mut self, card: Card) -> Result<(), String> {
        self.live_ready(card.node, card.life_ms)?;
        let from = self.now();
        self.stage.send_receivers_away();
        sleep(card.for_ms);
        self.stage.bring_receivers_back()?;
        self.chronicles.note_gone(Span::new(from, self.now()));
        self.chronicles.counts_of_all().receiver_absences += 1;
        Ok(())
    }

    /// The database ends while the servers work, stays away for a while, and comes back; the servers go on by themselves.
    fn take_database_away(&mut self, card: Card) -> Result<(), String> {
        self.all_ready(card.life_ms)?;
        let from = self.now();
        let failed = |error| format!("the database: {error}");
        let Some(database) = &mut self.stage.database else { return Ok(()) };
        let ended = if card.kind == Kind::DatabaseCrash { database.crash() } else { database.stop() };
        ended.map_err(failed)?;
        sleep(card.for_ms);
        database.launch().map_err(failed)?;
        self.all_ready(0)?;
        self.chronicles.note_starved(Span::new(from, self.now()));
        self.chronicles.counts_of_all().database_absences += 1;
        let accepted = self.pulse.acknowledged.load(Ordering::SeqCst);
        self.notice(&self.pulse.acknowledged, accepted, "to be accepted once the database is back");
        Ok(())
    }

    fn notice(&self, counter: &AtomicU64, before: u64, what: &str) {
        let waited =
            wait_for(&format!("an event {what}"), NOTICE_TIMEOUT, || counter.load(Ordering::SeqCst) > before);
        if let Err(error) = waited {
            self.faults.add(format!("{error}: {}", self.stage.servers[0].log_tail()));
        }
    }

    fn now(&self) -> Ms {
        self.stage.ledger.stopwatch.now()
    }
}

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
