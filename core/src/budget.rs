//! When and on which threads a call runs: one pool per process, a queue in the order of arrival, admission by memory.
//!
//! A desk thread reads headers, answers what needs no pixels, watches deadlines and starts calls; it never decodes or
//! encodes. Calls run as rayon jobs and nothing in them blocks on the desk.
//!
//! A call that may use every thread runs in the shared pool, beside others. rayon cannot limit a codec's own parallel
//! loops inside a shared pool, so a call with a smaller `concurrency` gets a team: a pool of exactly that many threads,
//! kept for the next such call. Teams and the shared pool never run at the same time and teams together never have more
//! threads than the pool, so the process never has more busy threads than it has cores.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cancel::Cancel;
use crate::error::{Error, Result, catch, quiet_thread};
use crate::limits::{
    MAX_POOL_THREADS, MAX_QUEUED_CALLS, MAX_RUNNING_CALLS, MEMORY_IF_UNKNOWN, MEMORY_SHARE, POOL_STACK_BYTES,
};

/// One call, in two steps: a look at the header on the desk thread, then the work on pool threads.
pub trait Call: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Looks at the header: the answer, if that is all it takes, or what the work needs.
    fn admit(&self) -> Result<Admission<Self::Answer>>;

    /// Does the work in the current rayon pool.
    fn work(&self, cancel: &Cancel) -> Result<Self::Answer>;
}

/// What a look at the header tells.
pub enum Admission<T> {
    Answer(T),
    /// Memory in bytes, at the peak, and the most threads (`None`: all).
    Work {
        memory: u64,
        threads: Option<usize>,
    },
}

/// Threads and memory of the process, and the queue in front of them.
pub struct Budget {
    threads: usize,
    memory: u64,
    pool: ThreadPool,
    state: Mutex<State>,
    /// Wakes the desk.
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls whose header was not read yet, in order of arrival.
    arrived: VecDeque<Arc<dyn Ticket>>,
    /// Calls that wait for threads and memory, in order of arrival.
    waiting: VecDeque<Admitted>,
    running: Vec<Admitted>,
    /// Running calls that were settled before their end: by their timeout or their caller.
    rejected: Vec<Arc<dyn Ticket>>,
    idle_teams: Vec<Arc<ThreadPool>>,
    /// Whether some call may have been cancelled, and when the next may time out: without either, nobody looks.
    cancelled: bool,
    next_deadline: Option<Instant>,
}

#[derive(Clone)]
struct Admitted {
    ticket: Arc<dyn Ticket>,
    memory: u64,
    threads: usize,
}

/// A call and the place where its answer goes, whatever its type.
trait Ticket: Send + Sync {
    fn cancel(&self) -> &Cancel;
    /// `None` if the call is settled.
    fn admit(&self) -> Option<(u64, Option<usize>)>;
    fn work(&self);
    /// Settles the call if it is not yet; later settlements change nothing.
    fn reject(&self, error: Error);
}

type Settle<T> = Box<dyn FnOnce(Result<T>) + Send>;

struct Slip<C: Call> {
    call: C,
    cancel: Cancel,
    settle: Mutex<Option<Settle<C::Answer>>>,
}

impl<C: Call> Slip<C> {
    fn settle(&self, answer: Result<C::Answer>) {
        let settle = lock(&self.settle).take();
        if let Some(settle) = settle {
            settle(answer);
        }
    }
}

impl<C: Call> Ticket for Slip<C> {
    fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn admit(&self) -> Option<(u64, Option<usize>)> {
        match catch(|| self.call.admit()) {
            Ok(Admission::Work { memory, threads }) => return Some((memory, threads)),
            Ok(Admission::Answer(answer)) => self.settle(Ok(answer)),
            Err(error) => self.settle(Err(error)),
        }
        None
    }

    fn work(&self) {
        let answer = catch(|| self.call.work(&self.cancel));
        self.settle(answer);
    }

    fn reject(&self, error: Error) {
        self.settle(Err(error));
    }
}

/// What the desk does next.
enum Errand {
    Reject(Arc<dyn Ticket>, Error),
    Admit(Arc<dyn Ticket>),
    Start(Admitted, Option<Arc<ThreadPool>>),
}

impl Budget {
    /// The budget of this process: as many threads as it may really use (affinity and container quota counted), or
    /// `PIXRACE_THREADS` if that is set to a positive integer.
    pub fn global() -> &'static Arc<Self> {
        static GLOBAL: OnceLock<Arc<Budget>> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            let configured = std::env::var("PIXRACE_THREADS").ok().and_then(|threads| threads.parse().ok());
            let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            Self::new(configured.filter(|&threads| threads > 0).unwrap_or_else(available), memory_cap())
        })
    }

    /// A budget of its own, for tests; a process otherwise has one.
    ///
    /// # Panics
    /// If the system refuses threads.
    #[must_use]
    pub fn new(threads: usize, memory: u64) -> Arc<Self> {
        let threads = threads.clamp(1, MAX_POOL_THREADS);
        let budget = Arc::new(Self {
            threads,
            memory,
            pool: build_pool(threads, "pixrace"),
            state: Mutex::default(),
            bell: Condvar::new(),
        });
        let desk = Arc::downgrade(&budget);
        std::thread::Builder::new()
            .name("pixrace-desk".to_owned())
            .spawn(move || {
                while let Some(budget) = desk.upgrade() {
                    budget.run_errand();
                }
            })
            .expect("the system refuses to start a thread");
        budget
    }

    /// Threads of the pool.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Queues a call. `settle` is called exactly once, on a thread of the budget: with the answer, or with
    /// [`Error::Aborted`] or [`Error::Timeout`] as soon as `cancel` says so, whatever the call is doing then.
    pub fn submit<C: Call>(
        self: &Arc<Self>,
        call: C,
        cancel: Cancel,
        settle: impl FnOnce(Result<C::Answer>) + Send + 'static,
    ) {
        let slip = Slip { call, cancel, settle: Mutex::new(Some(Box::new(settle))) };
        let mut state = self.lock();
        let queued = state.arrived.len() + state.waiting.len();
        if queued >= MAX_QUEUED_CALLS {
            drop(state);
            let (actual, bound) = (queued as u64 + 1, MAX_QUEUED_CALLS as u64);
            slip.reject(Error::LimitExceeded { limit: "queued calls", actual, bound });
            return;
        }
        let deadlines = state.next_deadline.into_iter().chain(slip.cancel.deadline());
        state.next_deadline = deadlines.min();
        state.arrived.push_back(Arc::new(slip));
        drop(state);
        self.bell.notify_one();
    }

    /// Queues a call and waits for its answer on the current thread, which must not be one of the pool.
    pub fn run<C: Call>(self: &Arc<Self>, call: C, cancel: Cancel) -> Result<C::Answer> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(call, cancel, move |answer| {
            // The receiver waits below; it cannot be gone.
            let _: std::result::Result<(), _> = sender.send(answer);
        });
        receiver.recv().unwrap_or_else(|_| Err(Error::internal("the call was lost")))
    }

    /// To be called after [`Cancel::stop`], so that a queued call is dropped at once.
    pub fn notice_cancelled(&self) {
        self.lock().cancelled = true;
        self.bell.notify_one();
    }

    /// Calls that wait or run. For tests and diagnostics.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let state = self.lock();
        state.arrived.len() + state.waiting.len() + state.running.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Does one thing, or waits until there may be one; at most [`DESK_NAP`], so that a dropped budget ends its desk.
    fn run_errand(self: &Arc<Self>) {
        let mut state = self.lock();
        match self.next_errand(&mut state) {
            None => {
                let nap = state
                    .next_deadline
                    .map_or(DESK_NAP, |deadline| deadline.saturating_duration_since(Instant::now()).min(DESK_NAP));
                drop(self.bell.wait_timeout(state, nap));
            }
            Some(Errand::Reject(ticket, error)) => {
                drop(state);
                ticket.reject(error);
            }
            Some(Errand::Admit(ticket)) => {
                drop(state);
                if let Some((memory, threads)) = ticket.admit() {
                    let threads = threads.unwrap_or(self.threads).clamp(1, self.threads);
                    self.lock().waiting.push_back(Admitted { ticket, memory, threads });
                }
            }
            Some(Errand::Start(admitted, team)) => {
                drop(state);
                self.start(admitted, team);
            }
        }
    }

    fn next_errand(&self, state: &mut State) -> Option<Errand> {
        if let Some((ticket, error)) = state.take_stopped() {
            return Some(Errand::Reject(ticket, error));
        }
        if let Some(ticket) = state.arrived.pop_front() {
            return Some(Errand::Admit(ticket));
        }
        let next = state.waiting.front().filter(|next| self.fits(&state.running, next))?.clone();
        state.waiting.pop_front();
        state.running.push(next.clone());
        let team = (next.threads < self.threads).then(|| state.take_team(next.threads));
        Some(Errand::Start(next, team))
    }

    /// Whether `next` may start beside the running calls.
    fn fits(&self, running: &[Admitted], next: &Admitted) -> bool {
        let memory: u64 = running.iter().map(|call| call.memory).sum();
        // A call that needs more than the cap runs alone: slower for all, but it runs.
        let memory_fits = running.is_empty() || memory.saturating_add(next.memory) <= self.memory;
        let whole_pool = |call: &Admitted| call.threads == self.threads;
        let threads_fit = if whole_pool(next) {
            // One more than threads: a thread may have nothing of its own call left to do while another has its last part.
            running.len() < MAX_RUNNING_CALLS.min(self.threads + 1) && running.iter().all(whole_pool)
        } else {
            let busy: usize = running.iter().map(|call| call.threads).sum();
            busy + next.threads <= self.threads
        };
        memory_fits && threads_fit
    }

    fn start(self: &Arc<Self>, admitted: Admitted, team: Option<Arc<ThreadPool>>) {
        let budget = Arc::clone(self);
        let pool = team.clone();
        let work = move || {
            admitted.ticket.work();
            budget.finish(&admitted.ticket, team);
        };
        match pool {
            Some(pool) => pool.spawn(work),
            None => self.pool.spawn(work),
        }
    }

    fn finish(&self, ticket: &Arc<dyn Ticket>, team: Option<Arc<ThreadPool>>) {
        let mut state = self.lock();
        state.running.retain(|call| !Arc::ptr_eq(&call.ticket, ticket));
        state.rejected.retain(|rejected| !Arc::ptr_eq(rejected, ticket));
        state.idle_teams.extend(team);
        // Idle teams together hold no more threads than the pool; the oldest goes first.
        let mut surplus = Vec::new();
        while state.idle_teams.iter().map(|team| team.current_num_threads()).sum::<usize>() > self.threads {
            surplus.push(state.idle_teams.remove(0));
        }
        drop(state);
        drop(surplus);
        self.bell.notify_one();
    }
}

/// Longest sleep of the desk without a deadline.
const DESK_NAP: Duration = Duration::from_secs(5);

impl State {
    /// A call that its caller or the clock has stopped. A queued one leaves the queue; a running one goes on to its next
    /// check, and keeps its memory and threads until then.
    fn take_stopped(&mut self) -> Option<(Arc<dyn Ticket>, Error)> {
        if !self.cancelled && self.next_deadline.is_none_or(|deadline| Instant::now() < deadline) {
            return None;
        }
        let found = self.find_stopped();
        if found.is_none() {
            self.cancelled = false;
            let waiting = self.waiting.iter().map(|call| &call.ticket);
            let tickets = self.arrived.iter().chain(waiting).chain(self.undisturbed());
            self.next_deadline = tickets.filter_map(|ticket| ticket.cancel().deadline()).min();
        }
        found
    }

    fn find_stopped(&mut self) -> Option<(Arc<dyn Ticket>, Error)> {
        let stopped = |ticket: &Arc<dyn Ticket>| ticket.cancel().check().err();
        let ticket = if let Some(index) = self.arrived.iter().position(|ticket| stopped(ticket).is_some()) {
            self.arrived.remove(index)?
        } else if let Some(index) = self.waiting.iter().position(|call| stopped(&call.ticket).is_some()) {
            self.waiting.remove(index)?.ticket
        } else {
            let ticket = self.undisturbed().find(|ticket| stopped(ticket).is_some())?.clone();
            self.rejected.push(ticket.clone());
            ticket
        };
        stopped(&ticket).map(|error| (ticket, error))
    }

    /// Running calls that were not rejected.
    fn undisturbed(&self) -> impl Iterator<Item = &Arc<dyn Ticket>> {
        let running = self.running.iter().map(|call| &call.ticket);
        running.filter(|ticket| !self.rejected.iter().any(|rejected| Arc::ptr_eq(rejected, ticket)))
    }

    fn take_team(&mut self, threads: usize) -> Arc<ThreadPool> {
        let idle = self.idle_teams.iter().position(|team| team.current_num_threads() == threads);
        match idle {
            Some(index) => self.idle_teams.remove(index),
            None => Arc::new(build_pool(threads, "pixrace-team")),
        }
    }
}

fn build_pool(threads: usize, name: &'static str) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |index| format!("{name}-{index}"))
        .stack_size(POOL_STACK_BYTES)
        // A part of a call that panics here is caught by the thread that waits for it.
        .start_handler(|_| quiet_thread())
        .build()
        .expect("the system refuses to start a thread")
}

/// A panic while the lock was held would have been caught elsewhere; the data is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that admitted calls may need together: [`MEMORY_SHARE`] of the machine's or the container's, if smaller.
fn memory_cap() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return MEMORY_IF_UNKNOWN };
    system.refresh_memory();
    let machine = system.total_memory();
    let total = system.cgroup_limits().map_or(machine, |container| container.total_memory.min(machine));
    (total as f64 * MEMORY_SHARE) as u64
}
