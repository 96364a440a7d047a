//! The allocator of all Rust code in the addon.

use std::ffi::{c_int, c_long};

/// glibc before 2.38 does not reuse freed aligned blocks for new ones, so that the AV1 decoder's buffers made the process
/// grow with every call.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2.
const PURGE_DELAY: c_int = 15;
/// mimalloc 2's default is 10.
const PURGE_DELAY_MS: c_long = 100;

unsafe extern "C" {
    fn mi_option_set_default(option: c_int, value: c_long);
}

/// Keeps freed pages for a tenth of a second before the system gets them back: after 10 ms every stage of a call faults them
/// in again, which takes a twentieth of its time. `MIMALLOC_PURGE_DELAY` goes before.
pub fn keep_pages() {
    // SAFETY: the option exists in every mimalloc 2, and setting it is a store into an integer.
    unsafe { mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS) }
}
