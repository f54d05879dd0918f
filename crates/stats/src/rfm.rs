//! Fifths of all customers, by how recent, how many and how dear their orders are.
//!
//! [`edges`] tells where each fifth ends; a later look at one customer needs no more than these four numbers.
//! [`scores`] ranks everyone at once, where fifths must be of one size although many customers are alike.
//!
//! **Absent:** which numbers: days since the last order, orders, their sum, or any others.

/// The number of parts.
pub const FIFTHS: usize = 5;

/// Where the first four fifths of `values` end: the highest value of each. Values that are no numbers are left
/// out. `None` when there are none: nobody has a place among nobody.
///
/// ```
/// let orders = [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 8.0, 13.0];
/// assert_eq!(relance_stats::rfm::edges(orders.to_vec()), Some([1.0, 2.0, 3.0, 5.0]));
/// ```
pub fn edges(mut values: Vec<f64>) -> Option<[f64; FIFTHS - 1]> {
    values.retain(|value| value.is_finite());
    let mut edges = [0.0; FIFTHS - 1];
    let mut rest = values.as_mut_slice();
    let mut passed = 0;
    let count = rest.len();
    for (at, edge) in edges.iter_mut().enumerate() {
        // The last place of the fifth, as far as places divide by five.
        let place = ((at + 1) * count).div_ceil(FIFTHS).checked_sub(1)?;
        let place = place.saturating_sub(passed).min(rest.len().checked_sub(1)?);
        let (_, value, _) = rest.select_nth_unstable_by(place, f64::total_cmp);
        *edge = *value;
        // What lies below is settled: each next edge is sought in what is left, itself included.
        rest = rest.split_at_mut(place).1;
        passed += place;
    }
    Some(edges)
}

/// The fifth of each value, from 1 for the lowest to 5, all fifths of one size (give or take one): of equal
/// values the earlier is the lower.
pub fn scores(values: &[f64]) -> Vec<u8> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Stable: equal values stay in the order given.
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut scores = vec![0; values.len()];
    for (rank, at) in order.into_iter().enumerate() {
        // At most five: a rank is less than their number.
        scores[at] = (rank * FIFTHS / values.len()) as u8 + 1;
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_and_one_and_all_alike() {
        assert_eq!(edges(vec![]), None);
        assert_eq!(edges(vec![f64::NAN]), None);
        assert_eq!(edges(vec![7.0]), Some([7.0; 4]));
        assert_eq!(edges(vec![3.0; 1_000]), Some([3.0; 4]));
        assert_eq!(scores(&[]), Vec::<u8>::new());
        assert_eq!(scores(&[7.0]), [1]);
        assert_eq!(scores(&[2.0, 2.0, 2.0, 2.0, 2.0]), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn edges_are_the_values_at_the_fifths_of_a_sorted_list() {
        for count in 1..60_u32 {
            let values: Vec<f64> = (0..count).map(|n| f64::from(n * 37 % 61)).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let at = |fifth: usize| sorted[(fifth * sorted.len()).div_ceil(FIFTHS) - 1];
            assert_eq!(edges(values), Some([at(1), at(2), at(3), at(4)]), "{count}");
        }
    }
}
