//! The calls that pixrace answers, each as a look at the header and the work behind it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::animation;
use crate::budget::{Admission, Call};
use crate::cancel::Cancel;
use crate::codec::Header;
use crate::decode::{self, Colors};
use crate::error::{Error, Result, catch};
use crate::limits::{CALL_OVERHEAD_BYTES, Limits};
use crate::optimize::{Optimized, memory_needed_for_all, optimize};
use crate::options::Options;
use crate::score::{Reference, comparison_memory, reference_memory};

/// Races the encoders over variants of one input.
pub struct OptimizeCall {
    variants: Vec<Options>,
    input: Mutex<Option<Arc<Vec<u8>>>>,
    header: OnceLock<Header>,
}

impl OptimizeCall {
    #[must_use]
    pub fn new(input: Vec<u8>, variants: Vec<Options>) -> Self {
        Self { variants, input: Mutex::new(Some(Arc::new(input))), header: OnceLock::new() }
    }

    /// The work takes the input out, so that the answer owns it alone and can hand it over without a copy.
    fn take_input(&self) -> Result<Arc<Vec<u8>>> {
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        input.ok_or_else(|| Error::internal("the input was taken before"))
    }
}

impl Call for OptimizeCall {
    type Answer = Vec<Optimized>;

    fn admit(&self) -> Result<Admission<Vec<Optimized>>> {
        // Limits and threads are those of the call.
        let first = self.variants.first().ok_or_else(|| Error::internal("a call without a variant"))?;
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        let header = decode::read_header(&input, first.limits())?;
        for resize in self.variants.iter().filter_map(Options::resize) {
            resize.check(&header, first.limits())?;
        }
        animation::check_limits(&header, first.limits())?;
        let memory = memory_needed_for_all(&header, input.len(), &self.variants);
        self.header.get_or_init(|| header);
        Ok(Admission::Work { memory, threads: first.concurrency() })
    }

    fn work(&self, cancel: &Cancel) -> Result<Vec<Optimized>> {
        let header = self.header.get().ok_or_else(|| Error::internal("the call was not admitted"))?;
        optimize(header, &self.take_input()?, &self.variants, cancel)
    }
}

/// Reads a header. Answered at the desk.
pub struct InspectCall {
    pub input: Vec<u8>,
}

/// What [`InspectCall`] answers.
#[derive(Debug, Clone)]
pub struct Inspected {
    pub header: Header,
    /// Size of the file.
    pub bytes: u64,
}

impl Call for InspectCall {
    type Answer = Inspected;

    fn admit(&self) -> Result<Admission<Inspected>> {
        let header = decode::read_header(&self.input, &Limits::default())?;
        Ok(Admission::Answer(Inspected { header, bytes: self.input.len() as u64 }))
    }

    fn work(&self, _cancel: &Cancel) -> Result<Inspected> {
        Err(Error::internal("inspecting needs no pixels"))
    }
}

/// Compares two files as they are shown.
pub struct ScoreCall {
    pub reference: Vec<u8>,
    pub candidate: Vec<u8>,
}

impl Call for ScoreCall {
    type Answer = f64;

    fn admit(&self) -> Result<Admission<f64>> {
        let [reference, candidate] = self.headers()?;
        for header in [&reference, &candidate] {
            if header.is_high_dynamic_range() {
                let detected = format!("{} with high dynamic range", header.format);
                return Err(Error::UnsupportedInput { detected });
            }
        }
        let (expected, received) = (reference.shown_size(), candidate.shown_size());
        if expected != received {
            return Err(Error::InvalidOption {
                option: "candidate".to_owned(),
                expected: format!("an image of the reference's size, {} × {}", expected.0, expected.1),
                received: format!("{} × {}", received.0, received.1),
            });
        }
        let size = (u64::from(expected.0), u64::from(expected.1));
        let decoding = decode::bytes_per_pixel(&reference) + decode::bytes_per_pixel(&candidate);
        let judging = reference_memory(size) + comparison_memory(size);
        let memory = size.0 * size.1 * decoding + judging + CALL_OVERHEAD_BYTES;
        // One thread does it all, but in the shared pool it can run beside other calls, and in a team it could not.
        Ok(Admission::Work { memory, threads: None })
    }

    fn work(&self, cancel: &Cancel) -> Result<f64> {
        let [reference, candidate] = self.headers()?;
        let show = |header: &Header, data| {
            let Colors { conversion, .. } = Colors::of(header, false);
            catch(|| decode::show(header, data, conversion.as_ref()))
        };
        let (reference, candidate) = (show(&reference, &self.reference)?, show(&candidate, &self.candidate)?);
        Reference::new(&reference, cancel)?.score(&candidate, cancel)
    }
}

impl ScoreCall {
    fn headers(&self) -> Result<[Header; 2]> {
        let limits = Limits::default();
        Ok([decode::read_header(&self.reference, &limits)?, decode::read_header(&self.candidate, &limits)?])
    }
}
