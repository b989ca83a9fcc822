//! The executor: one thread, tasks in groups that can be killed, and an order of polling that the seed decides.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Wake, Waker};

use signalpost_core::ports::LocalBoxFuture;

use crate::chance::Chance;
use crate::clock::SimClock;

/// Tasks that live and die together: the world's own are group 0, each process has one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group(pub(crate) u32);

impl Group {
    pub(crate) const WORLD: Self = Self(0);
}

/// Why a run could not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// Nothing can run and nobody waits for an instant.
    Idle,
    /// Something runs on and on while time stands still.
    Spinning,
    /// More virtual time has passed than the run can need.
    Endless,
}

/// Polls in one instant of virtual time, far above what any honest burst needs.
const POLLS_AN_INSTANT_MAX: u64 = 100_000;

#[derive(Clone)]
pub(crate) struct Executor(Rc<Inner>);

struct Inner {
    clock: SimClock,
    ready: Arc<Mutex<Ready>>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    last_task: Cell<u64>,
    order: RefCell<Chance>,
    fuses: RefCell<BTreeMap<Group, Fuse>>,
    /// Groups that stand still, with those of their tasks that were woken meanwhile.
    frozen: RefCell<BTreeMap<Group, BTreeSet<u64>>>,
}

/// Something that happens when tasks of a group have been polled so many times.
struct Fuse {
    polls: u64,
    burnt: Box<dyn FnOnce()>,
}

struct Task {
    group: Group,
    /// Absent while it is being polled.
    future: Option<LocalBoxFuture<'static, ()>>,
    waker: Waker,
}

/// Tasks that were woken, each once.
#[derive(Default)]
struct Ready {
    queue: Vec<u64>,
    queued: BTreeSet<u64>,
}

struct TaskWaker {
    task: u64,
    ready: Arc<Mutex<Ready>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = lock(&self.ready);
        if ready.queued.insert(self.task) {
            ready.queue.push(self.task);
        }
    }
}

fn lock(ready: &Mutex<Ready>) -> MutexGuard<'_, Ready> {
    ready.lock().expect("nobody panics while waking")
}

impl Executor {
    pub(crate) fn new(clock: SimClock, order: Chance) -> Self {
        Self(Rc::new(Inner {
            clock,
            ready: Arc::default(),
            tasks: RefCell::default(),
            last_task: Cell::new(0),
            order: RefCell::new(order),
            fuses: RefCell::default(),
            frozen: RefCell::default(),
        }))
    }

    pub(crate) fn spawn(&self, group: Group, future: impl Future<Output = ()> + 'static) {
        let task = self.0.last_task.get() + 1;
        self.0.last_task.set(task);
        let waker = Waker::from(Arc::new(TaskWaker { task, ready: Arc::clone(&self.0.ready) }));
        let future: LocalBoxFuture<'static, ()> = Box::pin(future);
        self.0.tasks.borrow_mut().insert(task, Task { group, future: Some(future), waker: waker.clone() });
        waker.wake();
    }

    /// Drops every task of a group wherever it is. Not to be called from within that group.
    pub(crate) fn kill(&self, group: Group) {
        self.0.frozen.borrow_mut().remove(&group);
        let mut dead = Vec::new();
        self.0.tasks.borrow_mut().retain(|_, task| {
            let lives = task.group != group;
            if !lives {
                dead.push(task.future.take());
            }
            lives
        });
        // Dropped out here: a dropped future may wake or spawn others.
        drop(dead);
    }

    /// Polls no task of a group until [`Self::thaw`]; time goes on without it.
    pub(crate) fn freeze(&self, group: Group) {
        self.0.frozen.borrow_mut().entry(group).or_default();
    }

    pub(crate) fn is_frozen(&self, group: Group) -> bool {
        self.0.frozen.borrow().contains_key(&group)
    }

    pub(crate) fn thaw(&self, group: Group) {
        let woken = self.0.frozen.borrow_mut().remove(&group).unwrap_or_default();
        let tasks = self.0.tasks.borrow();
        let wakers = woken.iter().filter_map(|task| Some(tasks.get(task)?.waker.clone()));
        wakers.collect::<Vec<_>>().into_iter().for_each(Waker::wake);
    }

    /// Calls `burnt` once tasks of this group have been polled so many times more, one at least: between that poll and any
    /// other, which is at whatever await it came to. Takes the place of a fuse that has not burnt down.
    pub(crate) fn light_fuse(&self, group: Group, polls: u64, burnt: impl FnOnce() + 'static) {
        let fuse = Fuse { polls: polls.max(1), burnt: Box::new(burnt) };
        self.0.fuses.borrow_mut().insert(group, fuse);
    }

    pub(crate) fn put_out_fuse(&self, group: Group) {
        self.0.fuses.borrow_mut().remove(&group);
    }

    /// Runs until `main` has ended, but no longer than so much virtual time, and leaves whatever else there is where it stands.
    pub(crate) fn run(&self, longest_us: u64, main: impl Future<Output = ()> + 'static) -> Result<(), Stuck> {
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        self.spawn(Group::WORLD, async move {
            main.await;
            end.set(true);
        });
        let mut polls = 0;
        while !ended.get() {
            if self.poll_one() {
                polls += 1;
            } else if self.0.clock.advance() {
                polls = 0;
            } else {
                return Err(Stuck::Idle);
            }
            if polls > POLLS_AN_INSTANT_MAX {
                return Err(Stuck::Spinning);
            }
            if self.0.clock.now_us() > longest_us {
                return Err(Stuck::Endless);
            }
        }
        Ok(())
    }

    /// Drops all tasks: they hold this executor, which holds them.
    pub(crate) fn clear(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
        self.0.fuses.borrow_mut().clear();
    }

    /// Polls one woken task, whichever chance picks; `false` when there is none.
    fn poll_one(&self) -> bool {
        let Some(id) = self.take_ready() else { return false };
        if self.is_put_off(id) {
            return true;
        }
        let taken = {
            let mut tasks = self.0.tasks.borrow_mut();
            tasks.get_mut(&id).and_then(|task| Some((task.future.take()?, task.waker.clone(), task.group)))
        };
        let Some((mut future, waker, group)) = taken else { return true };
        let pending = future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        let mut tasks = self.0.tasks.borrow_mut();
        if !pending {
            tasks.remove(&id);
        } else if let Some(task) = tasks.get_mut(&id) {
            task.future = Some(future);
        }
        drop(tasks);
        self.burn_fuse(group);
        true
    }

    /// Whether a task stands still, and then notes that it was woken.
    fn is_put_off(&self, id: u64) -> bool {
        let mut frozen = self.0.frozen.borrow_mut();
        let Some(group) = self.0.tasks.borrow().get(&id).map(|task| task.group) else { return false };
        frozen.get_mut(&group).is_some_and(|woken| {
            woken.insert(id);
            true
        })
    }

    fn burn_fuse(&self, polled: Group) {
        let burnt = {
            let mut fuses = self.0.fuses.borrow_mut();
            let Some(lit) = fuses.get_mut(&polled) else { return };
            lit.polls -= 1;
            if lit.polls > 0 {
                return;
            }
            fuses.remove(&polled)
        };
        if let Some(fuse) = burnt {
            (fuse.burnt)();
        }
    }

    fn take_ready(&self) -> Option<u64> {
        let mut ready = lock(&self.0.ready);
        if ready.queue.is_empty() {
            return None;
        }
        let place = self.0.order.borrow_mut().index(ready.queue.len());
        let task = ready.queue.swap_remove(place);
        ready.queued.remove(&task);
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_US: u64 = 60_000_000;

    fn executor(seed: u64) -> (Executor, SimClock) {
        let clock = SimClock::default();
        (Executor::new(clock.clone(), Chance::new(seed, "order")), clock)
    }

    #[test]
    fn time_jumps_from_timer_to_timer() {
        let (executor, clock) = executor(1);
        let seen = Rc::new(RefCell::new(Vec::new()));
        for us in [3_000_000u64, 1_000_000, 2_000_000] {
            let (seen, clock) = (Rc::clone(&seen), clock.clone());
            executor.spawn(Group::WORLD, async move {
                clock.sleep_us(us).await;
                seen.borrow_mut().push(clock.now_us());
            });
        }
        let end = clock.sleep_us(10_000_000);
        assert_eq!(executor.run(LONG_US, end), Ok(()));
        assert_eq!(*seen.borrow(), [1_000_000, 2_000_000, 3_000_000]);
        assert_eq!(clock.now_us(), 10_000_000);
    }

    #[test]
    fn the_seed_decides_the_order_of_polling() {
        let order_of = |seed| {
            let (executor, clock) = executor(seed);
            let seen = Rc::new(RefCell::new(Vec::new()));
            for number in 0..10 {
                let seen = Rc::clone(&seen);
                executor.spawn(Group::WORLD, async move { seen.borrow_mut().push(number) });
            }
            assert_eq!(executor.run(LONG_US, clock.sleep_us(1)), Ok(()));
            seen.take()
        };
        assert_eq!(order_of(1), order_of(1));
        assert_ne!(order_of(1), order_of(2));
    }

    #[test]
    fn a_killed_group_runs_no_further_and_nobody_waits_for_ever() {
        let (executor, clock) = executor(1);
        let seen = Rc::new(Cell::new(0));
        let (count, slept) = (Rc::clone(&seen), clock.clone());
        executor.spawn(Group(1), async move {
            loop {
                slept.sleep_us(10).await;
                count.set(count.get() + 1);
            }
        });
        let killer = executor.clone();
        let main = async move {
            clock.sleep_us(35).await;
            killer.kill(Group(1));
            clock.sleep_us(100).await;
        };
        assert_eq!(executor.run(LONG_US, main), Ok(()));
        assert_eq!(seen.get(), 3);
        assert_eq!(executor.run(LONG_US, std::future::pending()), Err(Stuck::Idle));
    }

    #[test]
    fn a_group_that_stands_still_goes_on_where_it_was() {
        let (executor, clock) = executor(1);
        let seen = Rc::new(Cell::new(0));
        let (count, slept) = (Rc::clone(&seen), clock.clone());
        executor.spawn(Group(1), async move {
            loop {
                slept.sleep_us(10).await;
                count.set(count.get() + 1);
            }
        });
        let (still, slept) = (executor.clone(), clock.clone());
        let main = async move {
            slept.sleep_us(35).await;
            still.freeze(Group(1));
            slept.sleep_us(100).await;
        };
        assert_eq!(executor.run(LONG_US, main), Ok(()));
        assert_eq!(seen.get(), 3);
        executor.thaw(Group(1));
        assert_eq!(executor.run(LONG_US, clock.sleep_us(25)), Ok(()));
        assert_eq!(seen.get(), 3 + 1 + 2, "the sleep that was over meanwhile, and two more");
    }

    #[test]
    fn a_fuse_burns_down_with_the_polls_of_its_group_alone() {
        let (executor, clock) = executor(1);
        let seen = Rc::new(Cell::new(0));
        for group in [Group(1), Group(2)] {
            let (count, slept) = (Rc::clone(&seen), clock.clone());
            executor.spawn(group, async move {
                loop {
                    slept.sleep_us(10).await;
                    count.set(count.get() + u64::from(group.0));
                }
            });
        }
        let killer = executor.clone();
        executor.light_fuse(Group(2), 4, move || killer.kill(Group(2)));
        assert_eq!(executor.run(LONG_US, clock.sleep_us(95)), Ok(()));
        assert_eq!(seen.get(), 9 + 3 * 2, "the first poll only begins to sleep");
    }
}
