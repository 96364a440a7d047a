//! libaom's worker threads as jobs of the current rayon pool.
//!
//! libaom divides a frame among workers and lets the application replace what a worker is (`aom_util/aom_thread.h`). Its own
//! are threads. Here a worker is a job: `launch` offers it to the pool of the calling thread, and `sync` runs it right there
//! if no pool thread has taken it yet. So no thread is ever made, and a pool of one thread works as well as any other.
//!
//! A thread that would have to wait in `sync` first runs what else it has on offer: with four tiles on two threads it would
//! otherwise wait for the third tile while nobody encodes the fourth.
//!
//! This cannot deadlock. `sync` only ever waits for a job that is running on another thread, and a running job is C code
//! that never comes back to rayon. In libaom 3.11 with row-mt off, jobs of one frame wait for each other in three stages:
//! deblocking, CDEF and loop restoration. All three take their rows from a queue in which a row stands behind the rows that
//! it waits for (`enqueue_lf_jobs`, `get_cdef_row_next_job`, `enqueue_lr_jobs`), so whoever has to wait, waits for a row
//! that a running job has already taken. Tiles, the CDEF search and the packing of tiles wait for nothing. The decoder shares
//! these three stages with the encoder (`av1/common/thread_common.c`), and its tiles come from one queue
//! (`get_dec_job_info`) and wait for nothing either; its row-mt is off too.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};

type Hook = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;

/// `AVxWorker` of `aom_thread.h`, field by field. Only the thread that encodes the frame touches `status`.
#[repr(C)]
struct Worker {
    /// `AVxWorkerImpl`, opaque to libaom: a reference count of the [`Job`], null before `reset` and after `end`.
    job: *const Job,
    status: c_int,
    thread_name: *const c_char,
    hook: Option<Hook>,
    data1: *mut c_void,
    data2: *mut c_void,
    had_error: c_int,
}

/// `AVxWorkerStatus`.
const NOT_OK: c_int = 0;
const OK: c_int = 1;
const WORKING: c_int = 2;

/// `AVxWorkerInterface` of `aom_thread.h`.
#[repr(C)]
struct Interface {
    init: unsafe extern "C" fn(*mut Worker),
    reset: unsafe extern "C" fn(*mut Worker) -> c_int,
    sync: unsafe extern "C" fn(*mut Worker) -> c_int,
    launch: unsafe extern "C" fn(*mut Worker),
    execute: unsafe extern "C" fn(*mut Worker),
    end: unsafe extern "C" fn(*mut Worker),
}

// SAFETY: as `aom_thread.h` of libaom 3.11 declares it. The binding leaves this header out.
unsafe extern "C" {
    fn aom_set_worker_interface(interface: *const Interface) -> c_int;
}

/// Makes every libaom encoder and decoder of this process use the jobs of this module. To be called before the first is made.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    static INTERFACE: Interface = Interface { init, reset, sync, launch, execute, end };
    INSTALLED.call_once(|| {
        // SAFETY: libaom copies the functions out of a valid struct. `Once` keeps the call on one thread, and no encoder
        // or decoder exists yet, because this crate calls `install` before it makes one.
        unsafe { aom_set_worker_interface(&raw const INTERFACE) };
    });
}

/// What a worker has to do.
struct Job {
    state: Mutex<State>,
    /// Rings when a run has ended.
    ended: Condvar,
}

enum State {
    Idle,
    /// Nobody has taken it yet.
    Offered(WorkerPointer),
    Running,
}

struct WorkerPointer(*mut Worker);

// SAFETY: libaom keeps a worker alive and does not touch its fields between `launch` and the end of `sync` or `end`, so
// whoever takes the pointer out of `State::Offered` has the worker to itself until it sets `State::Idle`.
unsafe impl Send for WorkerPointer {}

impl Job {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the job if it is still on offer.
    fn run_if_offered(&self) {
        let mut state = self.lock();
        if !matches!(*state, State::Offered(_)) {
            return;
        }
        let State::Offered(worker) = std::mem::replace(&mut *state, State::Running) else { return };
        drop(state);
        // SAFETY: the pointer was on offer, so the worker is alive and ours alone until the state is idle again.
        unsafe { execute(worker.0) };
        *self.lock() = State::Idle;
        self.ended.notify_all();
    }

    /// Sees to it that the job is done: here, or by the thread that has it.
    fn finish(&self) {
        self.run_if_offered();
        if matches!(*self.lock(), State::Running) {
            run_all_offered();
        }
        let mut state = self.lock();
        while !matches!(*state, State::Idle) {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

thread_local! {
    /// Jobs that this thread offered and may have to run itself: of one frame, since nothing else runs while it encodes.
    static OFFERED: RefCell<Vec<Arc<Job>>> = const { RefCell::new(Vec::new()) };
}

/// Runs what nobody has taken, the latest offer first: the pool takes the oldest.
fn run_all_offered() {
    // Not borrowed while a job runs.
    while let Some(job) = OFFERED.with_borrow_mut(Vec::pop) {
        job.run_if_offered();
    }
}

/// The worker's job, if it has one: the first worker of a frame is never reset, libaom calls its hook directly.
///
/// # Safety
/// `worker` must be valid, and `init` must have been called.
unsafe fn job<'a>(worker: *mut Worker) -> Option<&'a Job> {
    // SAFETY: valid by the caller's promise; the pointer is null or a reference count that only `end` gives back.
    unsafe { (*worker).job.as_ref() }
}

unsafe extern "C" fn init(worker: *mut Worker) {
    let (hook, data) = (None, ptr::null_mut());
    let blank = Worker {
        job: ptr::null(),
        status: NOT_OK,
        thread_name: ptr::null(),
        hook,
        data1: data,
        data2: data,
        had_error: 0,
    };
    // SAFETY: libaom passes memory for one worker; what was there needs no drop.
    unsafe { worker.write(blank) };
}

unsafe extern "C" fn reset(worker: *mut Worker) -> c_int {
    // SAFETY: libaom passes a worker that went through `init`, from the thread that encodes the frame.
    unsafe {
        if let Some(job) = job(worker) {
            job.finish();
        } else {
            let job = Job { state: Mutex::new(State::Idle), ended: Condvar::new() };
            (*worker).job = Arc::into_raw(Arc::new(job));
        }
        (*worker).had_error = 0;
        (*worker).status = OK;
    }
    1
}

unsafe extern "C" fn sync(worker: *mut Worker) -> c_int {
    // SAFETY: libaom passes a worker that went through `init`, from the thread that encodes the frame. After `finish` no
    // other thread has the worker.
    unsafe {
        if let Some(job) = job(worker) {
            job.finish();
            (*worker).status = OK;
        }
        c_int::from((*worker).had_error == 0)
    }
}

unsafe extern "C" fn launch(worker: *mut Worker) {
    // SAFETY: libaom passes a worker that went through `init`, from the thread that encodes the frame. A job's pointer came
    // from `Arc::into_raw` and `end` has not given it back, so one more count may be taken for the closure.
    unsafe {
        let Some(job) = job(worker) else { return };
        job.finish();
        (*worker).status = WORKING;
        *job.lock() = State::Offered(WorkerPointer(worker));
        // Outside a pool `spawn` would start the global one; `sync` does the work then.
        if rayon::current_thread_index().is_some() {
            Arc::increment_strong_count((*worker).job);
            let job = Arc::from_raw((*worker).job);
            OFFERED.with_borrow_mut(|offered| offered.push(Arc::clone(&job)));
            // One that comes too late finds nothing on offer, or a later launch of the same job: both are well.
            rayon::spawn(move || job.run_if_offered());
        }
    }
}

unsafe extern "C" fn execute(worker: *mut Worker) {
    // SAFETY: the calling thread has the worker to itself, and libaom set hook and data to match.
    unsafe {
        if let Some(hook) = (*worker).hook {
            let failed = hook((*worker).data1, (*worker).data2) == 0;
            (*worker).had_error |= c_int::from(failed);
        }
    }
}

unsafe extern "C" fn end(worker: *mut Worker) {
    // SAFETY: libaom passes a worker that went through `init`, from the thread that encodes the frame. The count that
    // `reset` gave away is taken back once, because the pointer is null afterwards.
    unsafe {
        if let Some(job) = job(worker) {
            job.finish();
            OFFERED.with_borrow_mut(|offered| offered.retain(|other| !ptr::eq(&raw const **other, job)));
            drop(Arc::from_raw((*worker).job));
            (*worker).job = ptr::null();
        }
        (*worker).status = NOT_OK;
    }
}
