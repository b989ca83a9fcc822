//! What a scenario works with: a server, a receiver, and the book of everything that was published.

use std::ops::Range;
use std::time::Duration;

use super::calls::{Calls, Fate};
use super::client::Connection;
use super::clock::{NS_PER_S, now_ns};
use super::cluster::wait_for_balance;
use super::fill::{Gate, fill};
use super::group::Group;
use super::ledger::Told;
use super::load::{Load, Pace, Stream};
use super::phase::{Phase, Reading};
use super::plan::{Plan, Scenario};
use super::postgres::Postgres;
use super::process::{CpuTimes, Process};
use super::receiver::conduct::Conduct;
use super::receiver::process::ReceiverProcess;
use super::record::{Record, Verdict};
use super::request::Letterhead;
use super::server::{DataDirectory, ServerProcess};
use super::tenants::{Made, Tenants};
use super::told::count_deliveries;
use crate::cmd::Failure;
use crate::telemetry::note;

/// Time without any delivery's end after which what is owed is left alone.
const STALL_NS: u64 = 30 * NS_PER_S;
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The server counts as quiet when it used less than 1 % of a core for this long.
const QUIET_FOR: Duration = Duration::from_millis(200);
const QUIET_NS: u64 = 2_000_000;
/// Housekeeping after a load is part of its cost; more than this is a load of its own.
const SETTLE_NS_MAX: u64 = 10 * NS_PER_S;
/// Deliveries that may be owed while a store is filled: above it the backlog is read back from disk, which takes longer.
const OWED_MAX: u64 = 8_000;
/// The stored events lie in so many workspaces of one webhook each.
const STORED_WORKSPACES: u32 = 16;

pub(super) struct Rig<'p> {
    pub(super) plan: &'p Plan,
    pub(super) data: DataDirectory,
    pub(super) receiver: ReceiverProcess,
    pub(super) server: ServerProcess,
    /// Further ones on the same database.
    others: Vec<ServerProcess>,
    pub(super) letterhead: Letterhead,
    pub(super) calls: Calls,
    pub(super) records: Vec<Record>,
    /// Records of the phase that is under way, as far as they were asked for.
    fresh: Vec<Record>,
    pub(super) control: Connection,
    /// What processes of the server told that have been killed since.
    told_before: Told,
    webhooks: u32,
}

/// What a phase waits for after its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Every delivery has ended, and the housekeeping is done.
    AllEnded,
    /// Every delivery of the group that is measured has arrived.
    MeasuredArrived,
    /// Nothing: what follows is measured at once.
    Published,
}

/// Whether everything owed was settled in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    Yes,
    No,
}

impl<'p> Rig<'p> {
    pub(super) async fn start(plan: &'p Plan, scenario: Scenario) -> Result<Self, Failure> {
        let data = DataDirectory::make(plan, scenario.name(), plan.afterwards)?;
        let receiver = ReceiverProcess::start()?;
        let server = ServerProcess::start(&data).await?;
        let mut letterhead =
            Letterhead::new(server.operator, server.operator_key.clone(), plan.payload_bytes);
        let mut others = Vec::new();
        for number in 1..plan.nodes {
            others.push(server.beside(&data, number).await?);
        }
        letterhead.others = others.iter().map(|server| server.operator).collect();
        wait_for_balance(&letterhead).await?;
        Ok(Self {
            plan,
            data,
            receiver,
            control: Connection::new(server.operator),
            server,
            others,
            letterhead,
            calls: Calls::default(),
            records: Vec::new(),
            fresh: Vec::new(),
            told_before: Told::default(),
            webhooks: 0,
        })
    }

    /// Makes workspaces and webhooks; returns their routes' positions in the book.
    pub(super) async fn add(&mut self, tenants: Tenants) -> Result<Range<u32>, Failure> {
        let base = self.receiver.base_url();
        let url = move |target| format!("{base}/{target}");
        let Made { routes, secrets } = tenants.make(&self.letterhead, self.webhooks, url).await?;
        self.receiver.trust(&secrets)?;
        let position = |count: usize| u32::try_from(count).expect("as many as there are webhooks");
        self.webhooks += position(secrets.len());
        let first = position(self.calls.routes.len());
        self.calls.routes.extend(routes);
        Ok(first..position(self.calls.routes.len()))
    }

    /// Numbers of the webhooks of routes that were added together.
    pub(super) fn targets(&self, routes: Range<u32>) -> Range<u32> {
        let route = |position: u32| &self.calls.routes[usize::try_from(position).expect("32 bits fit")];
        route(routes.start).targets.start..route(routes.end - 1).targets.end
    }

    /// Stores events and delivers them before anything is measured.
    pub(super) async fn store(&mut self, events: u64) -> Result<(), Failure> {
        if events == 0 {
            return Ok(());
        }
        note(&format!("  storing {events} events, each delivered to one webhook\n"));
        let tenants = Tenants::single(STORED_WORKSPACES);
        let routes = self.add(tenants).await?;
        self.fill(routes, events, 0).await?;
        if self.drain().await? == Drained::No {
            return Err(Failure::new("the stored events could not all be delivered"));
        }
        self.clear().await
    }

    /// Publishes events in batches as fast as they are delivered, where so many deliveries are owed besides.
    pub(super) async fn fill(
        &mut self,
        routes: Range<u32>,
        events: u64,
        besides: u64,
    ) -> Result<(), Failure> {
        let gate = OwedGate { letterhead: self.letterhead.clone(), total: events, besides };
        fill(&self.letterhead, routes, events, gate, &mut self.calls).await
    }

    pub(super) fn stream(&self, routes: Range<u32>, pace: Pace) -> Stream {
        Stream { routes, pace, connections: self.plan.connections }
    }

    /// Publishes at a pace, waits until everything owed is settled, and reads what it cost.
    pub(super) async fn measure(
        &mut self,
        name: &'static str,
        routes: Range<u32>,
        pace: Pace,
    ) -> Result<Phase, Failure> {
        let stream = self.stream(routes, pace);
        self.measure_until(Until::AllEnded, name, vec![stream]).await
    }

    pub(super) async fn measure_until(
        &mut self,
        until: Until,
        name: &'static str,
        streams: Vec<Stream>,
    ) -> Result<Phase, Failure> {
        note(&format!("  {name}\n"));
        let load = Load { letterhead: self.letterhead.clone(), streams };
        let first = self.calls.next_number();
        let before = self.reading()?;
        load.run(&mut self.calls).await?;
        let published_ns = now_ns();
        let drained = match until {
            Until::AllEnded => {
                let drained = self.drain().await?;
                self.settle().await?;
                drained
            }
            Until::MeasuredArrived => self.await_measured(first).await?,
            Until::Published => Drained::Yes,
        };
        self.finish_phase(name, first, before, published_ns, drained).await
    }

    /// Waits until the deliveries that are measured have arrived, of event `first` and all after it.
    pub(super) async fn await_measured(&mut self, first: u64) -> Result<Drained, Failure> {
        let promised: u64 = self
            .calls
            .among(first..self.calls.next_number())
            .iter()
            .map(|call| match call.fate {
                Fate::Acknowledged(receipt) if self.calls.is_measured(call) => receipt.deliveries,
                _ => 0,
            })
            .sum();
        let (mut arrived, mut since_ns) = (0, now_ns());
        loop {
            let mut records = self.receiver.take()?;
            let before = arrived;
            let verified = records.iter().filter(|record| record.verdict == Verdict::Verified);
            let calls =
                verified.filter(|record| record.number >= first).map(|record| self.calls.get(record.number));
            arrived += calls.flatten().filter(|call| self.calls.is_measured(call)).count() as u64;
            self.fresh.append(&mut records);
            if arrived >= promised {
                return Ok(Drained::Yes);
            }
            if arrived > before {
                since_ns = now_ns();
            } else if now_ns() - since_ns > STALL_NS {
                return Ok(Drained::No);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until everything owed is settled, outside of any phase.
    pub(super) async fn clear(&mut self) -> Result<(), Failure> {
        self.drain().await?;
        self.settle().await?;
        self.records.append(&mut self.receiver.take()?);
        Ok(())
    }

    /// Reads what a phase cost that began with event `first` and the reading `before`.
    pub(super) async fn finish_phase(
        &mut self,
        name: &'static str,
        first: u64,
        before: Reading,
        published_ns: u64,
        drained: Drained,
    ) -> Result<Phase, Failure> {
        let after = self.reading()?;
        let mut records = std::mem::take(&mut self.fresh);
        records.append(&mut self.receiver.take()?);
        let answered = records.iter().filter(|record| record.verdict == Verdict::Verified);
        let last_arrival_ns = answered.clone().map(|record| record.at_ns).max().unwrap_or(published_ns);
        let arrived = answered.count() as u64;
        self.records.append(&mut records);
        let (mut resident_kib, mut peak_kib) = self.server_process().memory_kib()?;
        for other in &self.others {
            let (resident, peak) = Process { pid: other.pid() }.memory_kib()?;
            (resident_kib, peak_kib) = (resident_kib.max(resident), peak_kib.max(peak));
        }
        Ok(Phase {
            name,
            numbers: first..self.calls.next_number(),
            published_ns,
            last_arrival_ns,
            arrived,
            drained,
            resident_kib,
            peak_kib,
            before,
            after,
        })
    }

    pub(super) fn reading(&self) -> Result<Reading, Failure> {
        Ok(Reading {
            at_ns: now_ns(),
            server: self.servers_cpu()?,
            receiver: Process { pid: self.receiver.pid() }.cpu()?,
            generator: Process::own().cpu()?,
            database: self.data.database.as_ref().map(Postgres::counters).transpose()?,
            disk_bytes: self.data.bytes()?,
        })
    }

    /// Of all servers together.
    fn servers_cpu(&self) -> Result<CpuTimes, Failure> {
        self.others.iter().try_fold(self.server_process().cpu()?, |sum, other| {
            Ok(sum.and(Process { pid: other.pid() }.cpu()?))
        })
    }

    pub(super) fn server_process(&self) -> Process {
        Process { pid: self.server.pid() }
    }

    /// Waits until every delivery that the server created has ended, for as long as any ends.
    pub(super) async fn drain(&mut self) -> Result<Drained, Failure> {
        let (mut most, mut since_ns) = (0, now_ns());
        loop {
            let told = self.counted().await?;
            let ended = told.delivered + told.failed;
            if ended >= told.created {
                return Ok(Drained::Yes);
            }
            if ended > most {
                (most, since_ns) = (ended, now_ns());
            } else if now_ns() - since_ns > STALL_NS {
                return Ok(Drained::No);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the server has done its housekeeping, so that it is counted where it was caused.
    pub(super) async fn settle(&self) -> Result<(), Failure> {
        let end_ns = now_ns() + SETTLE_NS_MAX;
        let database_ns = || self.data.database.as_ref().map_or(Ok(0), Postgres::cpu_ns);
        while now_ns() < end_ns {
            let (before, database_before) = (self.servers_cpu()?, database_ns()?);
            tokio::time::sleep(QUIET_FOR).await;
            let spent = self.servers_cpu()?.since(&before).total_ns;
            if spent + database_ns()?.saturating_sub(database_before) < QUIET_NS {
                break;
            }
        }
        Ok(())
    }

    /// Kills the server where it is and starts it again on the same data, with the receiver answering.
    pub(super) async fn restart(&mut self) -> Result<u64, Failure> {
        self.told_before = self.counted().await?;
        let data = &self.data;
        self.server.kill()?;
        self.records.append(&mut self.receiver.take()?);
        self.receiver.conduct(Conduct::Answer)?;
        let started_ns = now_ns();
        self.server = ServerProcess::start(data).await?;
        (self.letterhead.operator, self.letterhead.key) =
            (self.server.operator, self.server.operator_key.clone());
        self.control = Connection::new(self.server.operator);
        Ok(started_ns)
    }

    /// What all processes of the server have counted.
    pub(super) async fn counted(&mut self) -> Result<Told, Failure> {
        let mut told = Told::counted(&mut self.control, &self.letterhead).await?.plus(self.told_before);
        for other in &self.letterhead.others {
            told = told.plus(Told::counted(&mut Connection::new(*other), &self.letterhead).await?);
        }
        Ok(told)
    }

    /// What the server tells at the end, lists included.
    pub(super) async fn told(&mut self) -> Result<Told, Failure> {
        let mut told = self.counted().await?;
        let mut workspaces: Vec<(&str, Group)> =
            self.calls.routes.iter().map(|route| (route.workspace.as_str(), route.group)).collect();
        workspaces.sort_unstable_by_key(|(workspace, _)| *workspace);
        workspaces.dedup();
        let is_mixed = workspaces.iter().any(|(_, group)| *group == Group::Neighbour);
        for (workspace, group) in workspaces {
            let (control, by) = (&mut self.control, &self.letterhead);
            let pending = count_deliveries(control, by, workspace, "pending").await?;
            let dropped = count_deliveries(control, by, workspace, "dropped").await?;
            told.pending += pending;
            told.dropped += dropped;
            if group == Group::Measured {
                told.left_measured += pending + dropped;
            }
            if is_mixed && group == Group::Measured {
                told.left_measured += count_deliveries(control, by, workspace, "failed").await?;
            }
        }
        // Without neighbours the counter says it, of any number of deliveries.
        told.left_measured += if is_mixed { 0 } else { told.failed };
        Ok(told)
    }
}

/// Lets a store be filled as fast as its events are delivered.
struct OwedGate {
    letterhead: Letterhead,
    total: u64,
    /// What may be owed besides, for it waits for something else.
    besides: u64,
}

impl Gate for OwedGate {
    async fn pass(&self, connection: &mut Connection, published: u64) -> Result<(), Failure> {
        if published % (self.total / 10).max(1) < 500 {
            note(&format!("    {published} of {}\n", self.total));
        }
        loop {
            let told = Told::counted(connection, &self.letterhead).await?;
            if told.created.saturating_sub(told.delivered + told.failed) <= OWED_MAX + self.besides {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
