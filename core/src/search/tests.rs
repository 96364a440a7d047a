use std::cell::Cell;

use super::*;
use crate::curve::Knot;
use crate::error::Error;

const fn knot(step: f64, score: f64, bits_per_pixel: f64) -> Knot {
    Knot { step, score, bits_per_pixel }
}

const TYPICAL: [Knot; 3] = [knot(0.0, 20.0, 0.2), knot(60.0, 65.0, 1.0), knot(99.0, 92.0, 4.0)];
const PIXELS: u64 = 100_000;

/// A picture that is `lead` steps ahead of the typical one, with a wave on its score that breaks its order.
struct Picture {
    lead: f64,
    wave: f64,
    encodes: Cell<u32>,
}

impl Picture {
    fn new(lead: f64, wave: f64) -> Self {
        Self { lead, wave, encodes: Cell::new(0) }
    }

    fn file(&self, step: usize) -> (u64, f64) {
        let x = step as f64 + self.lead;
        let wave = self.wave * (step as f64 * 1.3).sin();
        (((0.2 + (x / 30.0).exp() / 8.0) * PIXELS as f64 / 8.0) as u64, 20.0 + 0.72 * x + wave)
    }

    fn search(&self, goal: Goal) -> Found<usize> {
        let mut curve = Curve::new(&TYPICAL, 100, PIXELS);
        search(self, goal, Patience { aim: 0.4, enough: 0.4, beaten: 1.2 }, &mut curve, None).unwrap()
    }
}

impl Subject for Picture {
    type File = usize;
    fn encode(&self, step: usize) -> Result<usize> {
        self.encodes.set(self.encodes.get() + 1);
        Ok(step)
    }
    fn bytes(&self, &step: &usize) -> u64 {
        self.file(step).0
    }
    fn judge(&self, &step: &usize) -> Result<Verdict> {
        let score = self.file(step).1;
        Ok(Verdict { score, judged: score })
    }
}

fn floor(min_score: f64) -> Goal {
    Goal { min_score: Some(min_score), ..Goal::default() }
}

fn budget(max_bytes: u64) -> Goal {
    Goal { max_bytes: Some(max_bytes), best_look: true, ..Goal::default() }
}

#[test]
fn finds_the_smallest_file_above_a_floor() {
    let mut total = 0;
    for lead in [-15.0, -6.0, 0.0, 3.0, 11.0, 25.0] {
        for wave in [0.0, 0.4] {
            let picture = Picture::new(lead, wave);
            let found = picture.search(floor(70.0));
            let steps = (0..100).map(|step| picture.file(step));
            let best = steps.filter(|file| file.1 >= 70.0).map(|file| file.0).min().unwrap();
            assert!(found.best.score.unwrap() >= 70.0, "lead {lead} wave {wave}: {:?}", found.best);
            assert!(found.best.bytes as f64 <= best as f64 * 1.03, "lead {lead}: {} against {best}", found.best.bytes);
            assert_eq!(found.encodes, picture.encodes.get());
            total += found.encodes;
        }
    }
    assert!(total <= 3 * 12, "{total} encodes for 12 searches");
}

/// Seed fault 2: a budget far below the first probe is met, and used.
#[test]
fn meets_every_budget_that_some_step_meets() {
    let picture = Picture::new(0.0, 0.0);
    for step in [0, 3, 20, 50, 80, 99] {
        let most = picture.file(step).0;
        let found = picture.search(budget(most));
        assert!(found.best.bytes <= most);
        assert!(found.best.bytes as f64 >= 0.95 * most as f64, "{} of {most}", found.best.bytes);
        assert!(found.best.score.is_some());
    }
}

#[test]
fn both_constraints_hold_or_the_best_that_fits_is_found() {
    let picture = Picture::new(0.0, 0.0);
    let met = picture.search(Goal { max_bytes: Some(30_000), ..floor(70.0) });
    assert!(met.best.bytes <= 30_000 && met.best.score.unwrap() >= 70.0);
    let most = picture.file(40).0;
    let missed = picture.search(Goal { max_bytes: Some(most), ..floor(70.0) });
    assert!(missed.best.bytes <= most && missed.best.bytes as f64 > 0.9 * most as f64);
    assert!(missed.encodes <= MAX_ENCODES);
}

#[test]
fn what_cannot_be_reached_ends_with_the_nearest() {
    let picture = Picture::new(-60.0, 0.0);
    let found = picture.search(floor(80.0));
    assert_eq!((found.best.step, found.encodes <= MAX_ENCODES), (99, true));
    let found = picture.search(budget(1));
    assert_eq!(found.best.step, 0);
}

/// A rival that is smaller than any file of this ladder that passes ends the search early.
#[test]
fn a_hopeless_search_ends_early() {
    let picture = Picture::new(-20.0, 0.0);
    let mut curve = Curve::new(&TYPICAL, 100, PIXELS);
    let patience = Patience { aim: 0.4, enough: 0.4, beaten: 1.2 };
    let found = search(&picture, floor(70.0), patience, &mut curve, Some(100)).unwrap();
    assert_eq!((picture.encodes.get(), found.best.score), (1, None));
    // A rival that is nearly as large is no reason not to judge.
    let mut curve = Curve::new(&TYPICAL, 100, PIXELS);
    let rival = found.best.bytes * 9 / 10;
    let found = search(&picture, floor(70.0), patience, &mut curve, Some(rival)).unwrap();
    assert_eq!((picture.encodes.get(), found.best.score.is_some()), (2, true));
}

/// On trust the first guess is the answer, and nobody pretends to know its score.
#[test]
fn on_trust_nothing_is_judged() {
    let picture = Picture::new(-6.0, 0.4);
    let found = picture.search(Goal { on_trust: true, ..floor(70.0) });
    assert_eq!((found.encodes, found.best.score), (1, None));
    let goal = Goal { on_trust: true, ..floor(70.0) };
    assert!(goal.looks_right(None) && !goal.looks_right(Some(69.9)) && !goal.judges() && goal.needs_score());
}

/// The guard fails closed: a file that cannot be judged is no result.
#[test]
fn a_failed_judgement_is_no_pass() {
    struct Unjudged;
    impl Subject for Unjudged {
        type File = usize;
        fn encode(&self, step: usize) -> Result<usize> {
            Ok(step)
        }
        fn bytes(&self, _: &usize) -> u64 {
            1
        }
        fn judge(&self, _: &usize) -> Result<Verdict> {
            Err(Error::internal("no decoder"))
        }
    }
    let mut curve = Curve::new(&TYPICAL, 100, PIXELS);
    let patience = Patience { aim: 0.4, enough: 0.4, beaten: 1.2 };
    assert!(search(&Unjudged, floor(0.0), patience, &mut curve, None).is_err());
    assert!(!floor(0.0).looks_right(None));
}
