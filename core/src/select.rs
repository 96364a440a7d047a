//! The winner, by one written rule.

use crate::candidate::{Candidate, Outcome};

/// Which candidate is the answer, and whether it satisfies every constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    pub index: usize,
    pub passed: bool,
}

/// Names the answer and sets the outcome of every finished candidate; `None` if no candidate has a file.
///
/// 1. Of the candidates within `max_bytes`, the smallest. Ties go to the earlier one: to the preferred format, and last
///    to the original.
/// 2. If none is within it, the smallest of all, which has not passed.
///
/// A candidate that breaks another promise (a lossless one that is not identical) has no file when it comes here.
pub fn select(candidates: &mut [Candidate], max_bytes: Option<u64>) -> Option<Selection> {
    let index = (0..candidates.len())
        .filter(|&index| candidates[index].data.is_some())
        .min_by_key(|&index| (candidates[index].bytes(), index))?;
    let within = |bytes: u64| max_bytes.is_none_or(|most| bytes <= most);
    for (position, candidate) in candidates.iter_mut().enumerate() {
        if let Some(bytes) = candidate.bytes() {
            candidate.outcome = match position == index {
                _ if !within(bytes) => Outcome::OverBudget,
                true => Outcome::Won,
                false => Outcome::Lost,
            };
        }
    }
    Some(Selection { index, passed: candidates[index].outcome == Outcome::Won })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::Format;

    fn field(sizes: &[Option<usize>]) -> Vec<Candidate> {
        let candidate = |size: &Option<usize>| Candidate {
            data: size.map(|size| Arc::new(vec![0; size])),
            ..Candidate::without_file(Format::Png, Outcome::Failed)
        };
        sizes.iter().map(candidate).collect()
    }

    fn outcomes(candidates: &[Candidate]) -> Vec<Outcome> {
        candidates.iter().map(|candidate| candidate.outcome).collect()
    }

    #[test]
    fn the_smallest_wins_and_ties_go_to_the_earlier() {
        let mut candidates = field(&[None, Some(30), Some(20), Some(20)]);
        assert_eq!(select(&mut candidates, None), Some(Selection { index: 2, passed: true }));
        assert_eq!(outcomes(&candidates), [Outcome::Failed, Outcome::Lost, Outcome::Won, Outcome::Lost]);
    }

    #[test]
    fn the_budget_filters() {
        let mut candidates = field(&[Some(30), Some(20)]);
        assert_eq!(select(&mut candidates, Some(20)), Some(Selection { index: 1, passed: true }));
        assert_eq!(outcomes(&candidates), [Outcome::OverBudget, Outcome::Won]);
    }

    #[test]
    fn an_infeasible_budget_yields_the_smallest_and_says_so() {
        let mut candidates = field(&[Some(30), Some(20)]);
        assert_eq!(select(&mut candidates, Some(19)), Some(Selection { index: 1, passed: false }));
        assert_eq!(outcomes(&candidates), [Outcome::OverBudget; 2]);
        assert_eq!(select(&mut field(&[None]), None), None);
    }
}
