//! `rfm-bounds/1`: where the fifths of all customers end, as the workspace keeps it.

use relance_core::rfm::RfmBounds;
use serde::{Deserialize, Serialize};

/// The format that is written.
const FORMAT: &str = "rfm-bounds/1";

/// A text that holds no bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoundsProblem {
    /// It has another shape.
    #[error("bounds of recency, frequency and money cannot be read: {0}; compute them anew")]
    Shape(String),
    /// It is of another version.
    #[error("bounds have the format {0:?}, this version reads {FORMAT}; compute them anew")]
    Format(String),
    /// Edges are out of order.
    #[error("bounds of {0} do not ascend; compute them anew")]
    Order(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: String,
    recency_days: [f64; 4],
    orders: [f64; 4],
    money: [f64; 4],
}

/// The text that keeps bounds.
pub fn write_bounds(bounds: &RfmBounds) -> String {
    let stored = Stored {
        format: FORMAT.to_owned(),
        recency_days: bounds.recency_days,
        orders: bounds.orders,
        money: bounds.money,
    };
    // Plain numbers in a plain shape: there is nothing that could fail.
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Reads what [`write_bounds`] wrote.
///
/// # Errors
/// When it is not that.
pub fn read_bounds(text: &str) -> Result<RfmBounds, BoundsProblem> {
    let stored: Stored =
        serde_json::from_str(text).map_err(|error| BoundsProblem::Shape(error.to_string()))?;
    if stored.format != FORMAT {
        return Err(BoundsProblem::Format(
            stored.format.chars().take(40).collect(),
        ));
    }
    let edges = [
        ("recency", stored.recency_days),
        ("frequency", stored.orders),
        ("money", stored.money),
    ];
    for (name, edges) in edges {
        if !edges.iter().all(|edge| edge.is_finite()) || !edges.is_sorted() {
            return Err(BoundsProblem::Order(name));
        }
    }
    Ok(RfmBounds {
        recency_days: stored.recency_days,
        orders: stored.orders,
        money: stored.money,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_come_back_as_they_were_written() {
        let bounds = RfmBounds {
            recency_days: [141.0, 432.0, 485.0, 512.0],
            orders: [1.0, 1.0, 2.0, 4.0],
            money: [15.36, 31.35, 59.925, 133.95],
        };
        assert_eq!(read_bounds(&write_bounds(&bounds)), Ok(bounds));
        let broken = write_bounds(&bounds).replace("141.0", "900.0");
        assert_eq!(read_bounds(&broken), Err(BoundsProblem::Order("recency")));
        assert!(matches!(read_bounds("{}"), Err(BoundsProblem::Shape(_))));
        let other = write_bounds(&bounds).replace("/1", "/2");
        assert!(matches!(read_bounds(&other), Err(BoundsProblem::Format(_))));
    }
}
