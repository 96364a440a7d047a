//! The budget's promises, with calls that do no image work: order of arrival, memory, threads, cancelling, panics. Every
//! call records when it worked; the tests look at what overlapped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use pixrace::budget::{Admission, Budget, Call};
use pixrace::cancel::Cancel;
use pixrace::error::{Error, Result};

type Work = Box<dyn Fn(&Cancel) -> Result<usize> + Send + Sync>;

struct Probe {
    memory: u64,
    threads: Option<usize>,
    work: Work,
}

impl Call for Probe {
    type Answer = usize;

    fn admit(&self) -> Result<Admission<usize>> {
        Ok(Admission::Work { memory: self.memory, threads: self.threads })
    }

    fn work(&self, cancel: &Cancel) -> Result<usize> {
        (self.work)(cancel)
    }
}

fn probe(
    memory: u64,
    threads: Option<usize>,
    work: impl Fn(&Cancel) -> Result<usize> + Send + Sync + 'static,
) -> Probe {
    Probe { memory, threads, work: Box::new(work) }
}

fn submit(budget: &Arc<Budget>, call: Probe, cancel: Cancel) -> Receiver<Result<usize>> {
    let (sender, receiver) = channel();
    budget.submit(call, cancel, move |answer| sender.send(answer).unwrap());
    receiver
}

/// A counter of what is inside, and the most that ever was.
#[derive(Default)]
struct Gauge {
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    fn hold(&self, amount: usize) {
        let inside = self.inside.fetch_add(amount, Ordering::SeqCst) + amount;
        self.most.fetch_max(inside, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        self.inside.fetch_sub(amount, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[test]
fn first_come_first_served() {
    let budget = Budget::new(1, u64::MAX);
    let order = Arc::new(Mutex::new(Vec::new()));
    let answers: Vec<_> = (0..20)
        .map(|number| {
            let order = Arc::clone(&order);
            let call = probe(1, None, move |_| {
                order.lock().unwrap().push(number);
                Ok(number)
            });
            submit(&budget, call, Cancel::new(None))
        })
        .collect();
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.recv().unwrap(), Ok(number));
    }
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

/// Calls of 40 bytes under a cap of 100: two at a time. One of 500 runs too, and alone.
#[test]
fn memory_admits() {
    let budget = Budget::new(4, 100);
    let gauge = Arc::new(Gauge::default());
    let answers: Vec<_> = [40, 40, 40, 500, 40, 40]
        .map(|memory| {
            let gauge = Arc::clone(&gauge);
            let call = probe(memory as u64, Some(1), move |_| {
                gauge.hold(memory);
                Ok(memory)
            });
            submit(&budget, call, Cancel::new(None))
        })
        .into();
    for answer in &answers {
        answer.recv().unwrap().unwrap();
    }
    // 500 and nothing beside it; without it never more than two of 40.
    assert_eq!(gauge.most(), 500);
    let gauge = Arc::new(Gauge::default());
    let answers: Vec<_> = (0..8)
        .map(|_| {
            let gauge = Arc::clone(&gauge);
            let call = probe(40, Some(1), move |_| {
                gauge.hold(40);
                Ok(0)
            });
            submit(&budget, call, Cancel::new(None))
        })
        .collect();
    for answer in &answers {
        answer.recv().unwrap().unwrap();
    }
    assert_eq!(gauge.most(), 80);
}

/// Whatever mixture of thread counts is in flight, never more than four threads work, and no call has more than it asked for.
#[test]
fn threads_are_bounded() {
    let budget = Budget::new(4, u64::MAX);
    let gauge = Arc::new(Gauge::default());
    let answers: Vec<_> = [2, 1, 3, 4, 2, 2, 1, 1, 4, 9]
        .map(|threads| {
            let gauge = Arc::clone(&gauge);
            let call = probe(1, Some(threads), move |_| {
                let pool = rayon::current_num_threads();
                rayon::scope(|scope| {
                    for _ in 0..2 * pool {
                        scope.spawn(|_| gauge.hold(1));
                    }
                });
                Ok(pool)
            });
            (threads.min(4), submit(&budget, call, Cancel::new(None)))
        })
        .into();
    for (threads, answer) in &answers {
        assert_eq!(answer.recv().unwrap(), Ok(*threads));
    }
    assert_eq!(gauge.most(), 4);
}

/// Both threads wait for parts of their calls; a third call runs on one of them meanwhile.
#[test]
fn a_thread_that_waits_takes_another_call() {
    const HANG: Duration = Duration::from_secs(10);
    let budget = Budget::new(2, u64::MAX);
    let done = Arc::new(AtomicUsize::new(0));
    let waits = || {
        let done = Arc::clone(&done);
        probe(1, None, move |_| {
            let started = Instant::now();
            while done.load(Ordering::SeqCst) == 0 && started.elapsed() < HANG {
                rayon::yield_now();
            }
            Ok(done.load(Ordering::SeqCst))
        })
    };
    let waiting = [submit(&budget, waits(), Cancel::new(None)), submit(&budget, waits(), Cancel::new(None))];
    let third = probe(1, None, {
        let done = Arc::clone(&done);
        move |_| Ok(done.fetch_add(1, Ordering::SeqCst))
    });
    assert_eq!(submit(&budget, third, Cancel::new(None)).recv().unwrap(), Ok(0));
    assert_eq!(waiting.map(|answer| answer.recv().unwrap()), [Ok(1), Ok(1)]);
}

#[test]
fn a_cancelled_call_in_the_queue_never_works() {
    let budget = Budget::new(1, 10);
    let (started, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (inside, outside) = (Arc::clone(&started), Arc::clone(&release));
    let blocker = probe(10, None, move |_| {
        inside.wait();
        outside.wait();
        Ok(1)
    });
    let first = submit(&budget, blocker, Cancel::new(None));
    started.wait();
    let worked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&worked);
    let cancel = Cancel::new(None);
    let work = move |_: &Cancel| Ok(count.fetch_add(1, Ordering::SeqCst));
    let second = submit(&budget, probe(10, None, work), cancel.clone());
    cancel.stop();
    budget.notice_cancelled();
    // Answered while the first call still runs.
    assert_eq!(second.recv().unwrap(), Err(Error::Aborted));
    let after = Duration::from_millis(10);
    let late = submit(&budget, probe(10, None, |_| Ok(2)), Cancel::new(Some(after)));
    assert_eq!(late.recv().unwrap(), Err(Error::Timeout { after }));
    release.wait();
    assert_eq!(first.recv().unwrap(), Ok(1));
    assert_eq!(worked.load(Ordering::SeqCst), 0);
}

/// The answer comes when the clock says so, while the work goes on to its next check; its memory stays counted till then.
#[test]
fn a_running_call_is_answered_at_its_deadline() {
    let budget = Budget::new(2, 10);
    let release = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&release);
    let work = move |cancel: &Cancel| {
        inside.wait();
        cancel.check().map(|()| 1)
    };
    let after = Duration::from_millis(10);
    let answer = submit(&budget, probe(10, None, work), Cancel::new(Some(after)));
    assert_eq!(answer.recv().unwrap(), Err(Error::Timeout { after }));
    assert_eq!(budget.in_flight(), 1);
    release.wait();
    assert_eq!(submit(&budget, probe(10, None, |_| Ok(3)), Cancel::new(None)).recv().unwrap(), Ok(3));
}

#[test]
fn a_panic_is_an_answer_and_the_budget_goes_on() {
    let budget = Budget::new(2, 100);
    for threads in [None, Some(1)] {
        let answer = submit(&budget, probe(60, threads, |_| panic!("on purpose")), Cancel::new(None)).recv().unwrap();
        assert_eq!(answer, Err(Error::Internal { message: "on purpose".to_owned() }));
        let next = submit(&budget, probe(60, threads, |_| Ok(7)), Cancel::new(None)).recv().unwrap();
        assert_eq!(next, Ok(7));
    }
}

#[test]
fn the_queue_is_bounded() {
    let budget = Budget::new(1, 1);
    let release = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&release);
    let blocker = probe(1, None, move |_| {
        inside.wait();
        Ok(0)
    });
    let first = submit(&budget, blocker, Cancel::new(None));
    let bound = pixrace::limits::MAX_QUEUED_CALLS;
    // One more than the bound and the blocker: at least one does not fit.
    let queued: Vec<_> =
        (0..bound + 2).map(|_| submit(&budget, probe(1, None, |_| Ok(0)), Cancel::new(None))).collect();
    let (last, others) = queued.split_last().unwrap();
    let refused = last.recv().unwrap();
    assert!(matches!(refused, Err(Error::LimitExceeded { limit: "queued calls", .. })), "{refused:?}");
    release.wait();
    assert_eq!(first.recv().unwrap(), Ok(0));
    let answers = others.iter().map(|answer| answer.recv().unwrap());
    assert!(answers.flatten().count() >= bound);
}
