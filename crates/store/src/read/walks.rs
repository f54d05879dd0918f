//! Several walks along indexes as one list: each walk is in order, and so is what comes of them.
//!
//! A list of three states, or of two owners, is as many walks. Each is read in chunks from where it is, so a page costs
//! the same wherever it lies, and how much it looks at is bounded by whoever takes the rows.
//!
//! **Absent:** SQL, and what rows mean.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::ReadError;

/// Rows of one chunk of a walk whose rows are looked through for those that fit.
pub(super) const CHUNK: usize = 256;

/// One walk: what was read ahead, and whether there is more.
struct Walk<K, R> {
    ahead: VecDeque<(K, R)>,
    /// The last that was read; nothing yet.
    read: Option<K>,
    is_over: bool,
}

/// Goes along `count` walks from where each begins, in order (`is_up`: the smallest key first), until `take` says stop.
/// `fetch` reads the next rows of a walk behind a key, `chunk` of them; fewer are the end of it.
pub(super) fn merged<K: Ord + Clone, R>(
    count: usize,
    is_up: bool,
    chunk: usize,
    mut fetch: impl FnMut(usize, Option<&K>) -> Result<Vec<(K, R)>, ReadError>,
    mut take: impl FnMut(K, R) -> Result<ControlFlow<()>, ReadError>,
) -> Result<(), ReadError> {
    let mut walks: Vec<Walk<K, R>> = (0..count)
        .map(|_| Walk {
            ahead: VecDeque::new(),
            read: None,
            is_over: false,
        })
        .collect();
    loop {
        for (ix, walk) in walks.iter_mut().enumerate() {
            if walk.ahead.is_empty() && !walk.is_over {
                let rows = fetch(ix, walk.read.as_ref())?;
                walk.is_over = rows.len() < chunk;
                walk.read = rows.last().map(|(key, _)| key.clone()).or(walk.read.take());
                walk.ahead = rows.into();
            }
        }
        let heads = walks
            .iter()
            .enumerate()
            .filter_map(|(ix, walk)| Some((&walk.ahead.front()?.0, ix)));
        let first = if is_up { heads.min() } else { heads.max() };
        let Some(ix) = first.map(|(_, ix)| ix) else {
            return Ok(());
        };
        if let Some((key, row)) = walks[ix].ahead.pop_front()
            && take(key, row)?.is_break()
        {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_become_one_list_in_either_direction() {
        let lists = [vec![1, 4, 7, 8], vec![2, 3, 9], vec![], vec![5, 6]];
        for is_up in [true, false] {
            let mut found = Vec::new();
            let fetch = |ix: usize, behind: Option<&i32>| {
                let mut list: Vec<i32> = lists[ix].clone();
                if !is_up {
                    list.reverse();
                }
                let is_behind = |one: &i32| match behind {
                    None => true,
                    Some(behind) if is_up => one > behind,
                    Some(behind) => one < behind,
                };
                let rows = list.into_iter().filter(is_behind).take(2);
                Ok(rows.map(|one| (one, ())).collect())
            };
            merged(4, is_up, 2, fetch, |key, ()| {
                found.push(key);
                Ok(if found.len() == 7 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })
            .expect("walks");
            let mut whole: Vec<i32> = (1..=9).collect();
            if !is_up {
                whole.reverse();
            }
            assert_eq!(found, whole[..7]);
        }
    }
}
