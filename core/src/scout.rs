//! What each contender can be expected to reach, from quick encodes of a sample.

use rayon::prelude::*;

use crate::attempt::{Contest, IDENTICAL, show};
use crate::candidate::Contender;
use crate::codec::{Draft, Effort, Encoder, Format, Source};
use crate::curve::Curve;
use crate::error::{Result, catch};
use crate::image::ImageBuffer;
use crate::ladder::Method;
use crate::options::Strategy;
use crate::sample::sample;
use crate::score::Reference;
use crate::search::{Goal, first_step};

/// A curve of this picture, and what it promises for the goal.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub curve: Curve,
    /// `None` where the picture is too small for a sample, or its sample could not be encoded.
    pub promise: Option<Promise>,
}

/// The expected outcome of a search.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    pub bytes: f64,
    pub score: f64,
}

impl Estimate {
    /// What is known without a look.
    #[must_use]
    pub fn unseen(contender: &Contender) -> Self {
        let Contender { image, ladder, .. } = contender;
        let curve = Curve::new(ladder.typical, ladder.targets.len(), image.pixel_count());
        Self { curve, promise: None }
    }
}

/// One estimate per contender. A second look is for those that may win: against all in a race, else against the other ways of
/// their own format.
pub fn scout(
    contest: &Contest<'_>,
    contenders: &[Contender],
    image: &ImageBuffer,
    strategy: Strategy,
) -> Result<Vec<Estimate>> {
    let small = sample(image);
    let reference = match &small {
        Some(small) if contest.goal.needs_score() => Some(Reference::new(small, contest.cancel)?),
        _ => None,
    };
    let views = contenders.par_iter().with_max_len(1).map(|contender| {
        // A picture on a background has a sample of its own.
        let same = contender.image.has_alpha() == image.has_alpha();
        let small = if same { small.clone() } else { sample(&contender.image) };
        let view = View { contest, contender, small, reference: reference.as_ref(), seen: Vec::new() };
        view.look(Estimate::unseen(contender))
    });
    let firsts = views.collect::<Result<Vec<_>>>()?;
    let goal = contest.goal;
    // What a sample says of palettes and of lossless files is too rough to beat others.
    let best = |format: Format| {
        let lossy = firsts.iter().filter(|(view, _)| view.contender.method == Method::Lossy);
        let rivals = lossy.filter(|(view, _)| strategy == Strategy::Race || view.contender.format == format);
        let promises = rivals.filter_map(|(_, estimate)| estimate.promise);
        let right = promises.filter(|promise| goal.looks_right(Some(promise.score)));
        right.map(|promise| promise.bytes).min_by(f64::total_cmp)
    };
    let bests: Vec<_> = firsts.iter().map(|(view, _)| best(view.contender.format)).collect();
    let seconds = firsts.into_par_iter().zip(bests).with_max_len(1).map(|((view, estimate), best)| {
        let promise = estimate.promise.zip(best);
        let beaten = promise.is_some_and(|(promise, best)| promise.bytes / doubt(view.contender) > best * BEATEN);
        // Where looks compete, size alone beats nobody.
        if beaten && !goal.best_look { Ok(estimate) } else { view.look(estimate).map(|(_, estimate)| estimate) }
    });
    seconds.collect()
}

/// Whoever, even if its promise errs by as much as it may, is this many times as large as the smallest lossy promise gets no
/// second look: that promise may err too.
const BEATEN: f64 = 1.2;

/// A second look is taken only where the first one was this many points off the floor, or more.
const NEAR: f64 = 2.0;

/// A contender, its sample, and the steps that were looked at.
struct View<'a> {
    contest: &'a Contest<'a>,
    contender: &'a Contender,
    small: Option<ImageBuffer>,
    reference: Option<&'a Reference>,
    seen: Vec<usize>,
}

impl View<'_> {
    /// Looks where `estimate` expects the goal to be met, unless that was seen already.
    fn look(mut self, mut estimate: Estimate) -> Result<(Self, Estimate)> {
        let goal = self.contest.goal;
        let Some(small) = self.small.take() else { return Ok((self, estimate)) };
        let step = first_step(goal, 0.0, &estimate.curve);
        if self.seen.contains(&step) {
            return Ok((self, estimate));
        }
        self.seen.push(step);
        match catch(|| self.glimpse(&small, step)) {
            Err(error) if error.ends_call() => return Err(error),
            // The search will meet the same error on the whole picture, and tell.
            Err(_) => estimate.promise = None,
            Ok((density, score)) => {
                estimate.curve.observe_sample(step, density, score);
                estimate.promise = Some(promise(goal, &estimate.curve));
                let near = goal.min_score.zip(score).is_some_and(|(floor, score)| (score - floor).abs() <= NEAR);
                // Without a sample there is nothing more to see.
                self.small = (!near && goal.needs_score()).then_some(small);
            }
        }
        Ok((self, estimate))
    }

    /// Bits per pixel, and the score where it is asked for.
    fn glimpse(&self, small: &ImageBuffer, step: usize) -> Result<(f64, Option<f64>)> {
        let Contender { format, method, ref ladder, .. } = *self.contender;
        let Draft { encoder, points, bytes } = draft(self.contest.encoder(format), method);
        let file = encoder.encode_source(&Source::new(small), ladder.targets[step])?;
        let density = file.len() as f64 * bytes * 8.0 / small.pixel_count() as f64;
        let score = match self.reference {
            Some(_) if method == Method::Lossless => Some(IDENTICAL),
            Some(reference) => {
                let shown = show(&file, small)?;
                Some(reference.score(&shown, self.contest.cancel)? + points - bias(format))
            }
            None => None,
        };
        Ok((density, score))
    }
}

/// The encoder to look with. Rough is enough where nothing is lost: such files are far ahead or far behind.
fn draft(mut encoder: Encoder<'_>, method: Method) -> Draft<'_> {
    if method != Method::Lossy {
        encoder.effort = Effort::Fast;
    }
    encoder.draft().unwrap_or(Draft { encoder, points: 0.0, bytes: 1.0 })
}

/// Points by which a sample scores higher than the whole near a score of 70, on average (`core/examples/curves.rs`): AVIF
/// 0.1 ± 1.3, WebP −2.9 ± 4.2, JPEG 1.5 ± 0.9. The seams between its blocks are strong edges, which JPEG keeps well and
/// which draw WebP's adaptive quantisation away from the rest.
fn bias(format: Format) -> f64 {
    match format {
        Format::Avif | Format::Png => 0.0,
        Format::Webp => -2.5,
        Format::Jpeg => 1.5,
    }
}

fn promise(goal: Goal, curve: &Curve) -> Promise {
    let step = first_step(goal, 0.0, curve);
    Promise { bytes: curve.bytes_at(step), score: curve.score_at(step) }
}

/// The factor by which a promised size may be too large.
#[must_use]
pub fn doubt(contender: &Contender) -> f64 {
    match (contender.method, contender.format) {
        (Method::Lossy, Format::Webp) => DOUBT_WEBP,
        (Method::Lossy, _) => DOUBT_LOSSY,
        (Method::Palette | Method::Lossless, _) => DOUBT_LOSSLESS,
    }
}

/// Three standard deviations of what a sample says of AVIF and JPEG (its score errs by one point, which is 6 % of the bytes,
/// its size by 5 %); one of WebP, which AVIF leads by more than that on photographs. The seams of a sample cost lossless
/// coders most, who in drawings live from repetition.
const DOUBT_LOSSY: f64 = 1.25;
const DOUBT_WEBP: f64 = 1.3;
const DOUBT_LOSSLESS: f64 = 4.0;
