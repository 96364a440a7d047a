//! The winner, by one written rule.

use std::cmp::Ordering;

use crate::candidate::{Candidate, Outcome};
use crate::search::Goal;

/// Which candidate is the answer, and whether it satisfies every constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    pub index: usize,
    pub passed: bool,
}

/// Names the answer and sets the outcome of every finished candidate; `None` if no candidate has a file.
///
/// 1. Of the candidates that meet the goal, the smallest; where the goal is the best look within a size, the one with the
///    highest score. Ties go to the earlier one: to the preferred format, and last to the original.
/// 2. If none meets it, of those within `max_bytes` the one with the highest score, else the smallest; neither has passed.
pub fn select(candidates: &mut [Candidate], goal: Goal) -> Option<Selection> {
    let file = |candidate: &Candidate| candidate.bytes().map(|bytes| (bytes, candidate.judged));
    let better = |a: usize, b: usize| match (file(&candidates[a]), file(&candidates[b])) {
        (Some(a), Some(b)) => goal.compare(a, b),
        _ => Ordering::Equal,
    };
    let finished = (0..candidates.len()).filter(|&index| candidates[index].data.is_some());
    let index = finished.min_by(|&a, &b| better(a, b).then(a.cmp(&b)))?;
    for (position, candidate) in candidates.iter_mut().enumerate() {
        let Some((bytes, score)) = file(candidate) else { continue };
        candidate.outcome = match (goal.fits(bytes), goal.looks_right(score)) {
            (false, _) => Outcome::OverBudget,
            (true, false) => Outcome::BelowScore,
            (true, true) if position == index => Outcome::Won,
            (true, true) => Outcome::Lost,
        };
    }
    Some(Selection { index, passed: candidates[index].outcome == Outcome::Won })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::Format;

    fn field(files: &[Option<(usize, f64)>]) -> Vec<Candidate> {
        let candidate = |file: &Option<(usize, f64)>| Candidate {
            data: file.map(|(size, _)| Arc::new(vec![0; size])),
            judged: file.map(|(_, score)| score),
            ..Candidate::without_file(Format::Png, Outcome::Failed)
        };
        files.iter().map(candidate).collect()
    }

    fn outcomes(candidates: &[Candidate]) -> Vec<Outcome> {
        candidates.iter().map(|candidate| candidate.outcome).collect()
    }

    #[test]
    fn the_smallest_wins_and_ties_go_to_the_earlier() {
        let mut candidates = field(&[None, Some((30, 9.0)), Some((20, 8.0)), Some((20, 7.0))]);
        assert_eq!(select(&mut candidates, Goal::default()), Some(Selection { index: 2, passed: true }));
        assert_eq!(outcomes(&candidates), [Outcome::Failed, Outcome::Lost, Outcome::Won, Outcome::Lost]);
    }

    #[test]
    fn both_constraints_filter() {
        let goal = Goal { min_score: Some(70.0), max_bytes: Some(30), best_look: false, ..Goal::default() };
        let mut candidates = field(&[Some((40, 80.0)), Some((30, 70.0)), Some((20, 69.9))]);
        assert_eq!(select(&mut candidates, goal), Some(Selection { index: 1, passed: true }));
        assert_eq!(outcomes(&candidates), [Outcome::OverBudget, Outcome::Won, Outcome::BelowScore]);
    }

    #[test]
    fn a_budget_alone_buys_the_best_look() {
        let goal = Goal { min_score: None, max_bytes: Some(30), best_look: true, ..Goal::default() };
        let mut candidates = field(&[Some((31, 99.0)), Some((30, 80.0)), Some((20, 79.0)), Some((29, 80.0))]);
        assert_eq!(select(&mut candidates, goal), Some(Selection { index: 3, passed: true }));
    }

    #[test]
    fn infeasible_goals_yield_the_best_that_fits_else_the_smallest() {
        let goal = Goal { min_score: Some(90.0), max_bytes: Some(30), best_look: false, ..Goal::default() };
        let mut candidates = field(&[Some((31, 99.0)), Some((30, 80.0)), Some((20, 79.0))]);
        assert_eq!(select(&mut candidates, goal), Some(Selection { index: 1, passed: false }));
        assert_eq!(outcomes(&candidates), [Outcome::OverBudget, Outcome::BelowScore, Outcome::BelowScore]);
        let mut candidates = field(&[Some((50, 99.0)), Some((40, 80.0))]);
        assert_eq!(select(&mut candidates, goal), Some(Selection { index: 1, passed: false }));
        assert_eq!(outcomes(&candidates), [Outcome::OverBudget; 2]);
        assert_eq!(select(&mut field(&[None]), goal), None);
    }
}
