//! The order of the queue: higher priority first, then lower rank, then older.
//!
//! Ranks lie [`STEP`] apart at first, so that a job moves by taking a number between its new
//! neighbours: one row changes. Only where no number is left between two neighbours, the ranks
//! of one priority are dealt anew. A job that moves past a job of another priority takes that
//! priority: where the user put it is what counts.

use std::collections::{HashMap, HashSet};

/// Distance between the ranks of two jobs that were queued one after the other. 32 jobs fit one
/// after the other into the same gap before ranks are dealt anew.
pub const STEP: i64 = 1 << 32;
/// Ranks stay within these bounds, so that no sum overflows.
const LIMIT: i128 = 1 << 61;

/// Where a queued job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The job's sequence number.
    pub seq: i64,
    /// Higher first.
    pub priority: i64,
    /// Lower first among equal priorities.
    pub rank: i64,
}

/// Where jobs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Before all others.
    Top,
    /// Before the one that stands before the first of them.
    Up,
    /// Behind the one that stands behind the last of them.
    Down,
    /// Behind all others.
    Bottom,
    /// Before the job with this sequence number.
    Before(i64),
}

/// The places that change when the jobs `moving` go `to` somewhere in `queue`, which is in order.
/// Those that are not in the queue are left out. `Up` and `Down` keep the order that the jobs
/// have, the others give them the order of `moving`. `None` when the job to stand before is not
/// in the queue.
pub fn moved(queue: &[Place], moving: &[i64], to: To) -> Option<Vec<Place>> {
    let set: HashSet<i64> = moving.iter().copied().collect();
    let is_moving = |place: &Place| set.contains(&place.seq);
    let mut group: Vec<Place> = queue.iter().copied().filter(is_moving).collect();
    if !matches!(to, To::Up | To::Down) {
        let mut wanted: Vec<i64> = Vec::with_capacity(group.len());
        let mut seen = HashSet::new();
        wanted.extend(moving.iter().copied().filter(|seq| seen.insert(*seq)));
        let index: HashMap<i64, usize> = wanted
            .iter()
            .enumerate()
            .map(|(index, &seq)| (seq, index))
            .collect();
        group.sort_by_key(|place| index[&place.seq]);
    }
    let others_before = |index: usize| queue[..index].iter().filter(|place| !is_moving(place)).count();
    let rest: Vec<Place> = queue.iter().copied().filter(|place| !is_moving(place)).collect();
    let at = match to {
        To::Top => 0,
        To::Bottom => rest.len(),
        To::Up => others_before(queue.iter().position(is_moving).unwrap_or(0)).saturating_sub(1),
        To::Down => {
            let last = queue.iter().rposition(is_moving).unwrap_or(0);
            (others_before(last) + 1).min(rest.len())
        }
        To::Before(seq) => others_before(queue.iter().position(|place| place.seq == seq)?),
    };
    Some(insert(
        queue,
        &rest,
        group,
        at,
        matches!(to, To::Down | To::Bottom),
    ))
}

/// Puts `group` before `rest[at]`; `behind` says that it follows the job before that rather than
/// precedes this one, which decides whose priority it takes when its own does not fit.
fn insert(queue: &[Place], rest: &[Place], mut group: Vec<Place>, at: usize, behind: bool) -> Vec<Place> {
    let Some(first) = group.first().copied() else {
        return Vec::new();
    };
    let before = at.checked_sub(1).and_then(|index| rest.get(index));
    let after = rest.get(at);
    let alike = group.iter().all(|place| place.priority == first.priority);
    let fits = alike
        && before.is_none_or(|place| place.priority >= first.priority)
        && after.is_none_or(|place| place.priority <= first.priority);
    let neighbour = if behind {
        before.or(after)
    } else {
        after.or(before)
    };
    let priority = match neighbour {
        _ if fits => first.priority,
        Some(neighbour) => neighbour.priority,
        None => group
            .iter()
            .map(|place| place.priority)
            .max()
            .unwrap_or(first.priority),
    };
    let low = before
        .filter(|place| place.priority == priority)
        .map(|place| place.rank);
    let high = after
        .filter(|place| place.priority == priority)
        .map(|place| place.rank);
    group.iter_mut().for_each(|place| place.priority = priority);
    let known: HashMap<i64, Place> = queue.iter().map(|place| (place.seq, *place)).collect();
    if let Some(ranks) = ranks_between(low, high, group.len()) {
        for (place, rank) in group.iter_mut().zip(ranks) {
            place.rank = rank;
        }
        group.retain(|place| known.get(&place.seq) != Some(place));
        return group;
    }
    // No number is left: all of this priority are dealt anew.
    rest[..at]
        .iter()
        .chain(&group)
        .chain(&rest[at..])
        .filter(|place| place.priority == priority)
        .zip(1..)
        .map(|(place, number): (&Place, i64)| Place {
            rank: number * STEP,
            ..*place
        })
        .filter(|place| known.get(&place.seq) != Some(place))
        .collect()
}

/// `count` rising ranks between two bounds, or `None` when there are not so many.
fn ranks_between(low: Option<i64>, high: Option<i64>, count: usize) -> Option<Vec<i64>> {
    let (step, count) = (i128::from(STEP), count as i128);
    let (start, gap) = match (low.map(i128::from), high.map(i128::from)) {
        (None, None) => (0, step),
        (Some(low), None) => (low, step),
        (None, Some(high)) => (high - step * (count + 1), step),
        (Some(low), Some(high)) => (low, (high - low) / (count + 1)),
    };
    if gap < 1 || (start + gap * count).abs().max(start.abs()) > LIMIT {
        return None;
    }
    Some((1..=count).map(|number| (start + gap * number) as i64).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queue(priorities: &[i64]) -> Vec<Place> {
        let mut queue: Vec<Place> = priorities
            .iter()
            .zip(1..)
            .map(|(&priority, seq)| Place {
                seq,
                priority,
                rank: seq * STEP,
            })
            .collect();
        sort(&mut queue);
        queue
    }

    fn sort(queue: &mut [Place]) {
        queue.sort_by_key(|place| (-place.priority, place.rank, place.seq));
    }

    fn apply(queue: &mut [Place], changes: &[Place]) {
        for change in changes {
            let place = queue.iter_mut().find(|place| place.seq == change.seq).unwrap();
            *place = *change;
        }
        sort(queue);
    }

    fn seqs(queue: &[Place]) -> Vec<i64> {
        queue.iter().map(|place| place.seq).collect()
    }

    /// What a list of names would look like.
    fn model(queue: &[i64], moving: &[i64], to: To) -> Vec<i64> {
        let mut seen = HashSet::new();
        let mut group: Vec<i64> = moving
            .iter()
            .copied()
            .filter(|seq| queue.contains(seq) && seen.insert(*seq))
            .collect();
        if matches!(to, To::Up | To::Down) {
            group.sort_by_key(|seq| queue.iter().position(|other| other == seq));
        }
        if group.is_empty() {
            return queue.to_vec();
        }
        let mut rest: Vec<i64> = queue.iter().copied().filter(|seq| !group.contains(seq)).collect();
        let before = |seq: &i64| {
            let end = queue.iter().position(|other| other == seq).unwrap();
            queue[..end].iter().filter(|seq| !group.contains(seq)).count()
        };
        let at = match to {
            To::Top => 0,
            To::Bottom => rest.len(),
            To::Up => before(&group[0]).saturating_sub(1),
            To::Down => (before(group.last().unwrap()) + 1).min(rest.len()),
            To::Before(seq) => before(&seq),
        };
        rest.splice(at..at, group);
        rest
    }

    proptest! {
        #[test]
        fn the_queue_is_in_the_order_that_was_asked_for(
            priorities in prop::collection::vec(-2_i64..3, 1..12),
            moves in prop::collection::vec((prop::collection::vec(1_i64..14, 1..4), 0_usize..5, 1_i64..12), 1..30),
        ) {
            let mut queue = queue(&priorities);
            for (moving, to, target) in moves {
                let target = 1 + target % priorities.len() as i64;
                let to = [To::Top, To::Up, To::Down, To::Bottom, To::Before(target)][to];
                let expected = model(&seqs(&queue), &moving, to);
                let changes = moved(&queue, &moving, to).unwrap();
                apply(&mut queue, &changes);
                prop_assert_eq!(seqs(&queue), expected);
            }
        }
    }

    #[test]
    fn one_job_moves_by_one_row() {
        let queue = queue(&[0; 1000]);
        for to in [To::Top, To::Up, To::Down, To::Bottom, To::Before(3)] {
            assert_eq!(moved(&queue, &[500], to).unwrap().len(), 1, "{to:?}");
        }
    }

    #[test]
    fn ranks_are_dealt_anew_when_a_gap_is_used_up() {
        let mut queue = queue(&[0; 100]);
        let mut dealt = 0;
        for seq in 3..=100 {
            let changes = moved(&queue, &[seq], To::Before(2)).unwrap();
            dealt += usize::from(changes.len() > 1);
            apply(&mut queue, &changes);
        }
        let expected: Vec<i64> = std::iter::once(1).chain(3..=100).chain([2]).collect();
        assert_eq!(seqs(&queue), expected);
        assert!((1..10).contains(&dealt), "{dealt}");
    }

    #[test]
    fn a_job_that_passes_another_priority_takes_it() {
        let queue = queue(&[5, 0, 0]);
        let moved_up = moved(&queue, &[3], To::Top).unwrap();
        assert_eq!((moved_up[0].seq, moved_up[0].priority), (3, 5));
        let moved_down = moved(&queue, &[1], To::Down).unwrap();
        assert_eq!((moved_down[0].seq, moved_down[0].priority), (1, 0));
        assert_eq!(moved(&queue, &[2], To::Before(9)), None);
        assert_eq!(moved(&queue, &[9], To::Top), Some(vec![]));
    }
}
