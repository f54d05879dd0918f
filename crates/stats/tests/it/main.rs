//! Fifths of the 23,570 customers of a shop, against those that another program told.
//!
//! The corpus is found beside the workspace, or where `RELANCE_CORPORA` says.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its corpus; the crate does not"
)]

use std::path::{Path, PathBuf};

use relance_stats::rfm::{edges, scores};

/// A number of a customer.
type Column = fn(&Customer) -> f64;

struct Customer {
    recency_days: f64,
    orders: f64,
    money: f64,
    expected: [u8; 3],
}

fn corpus() -> Option<Vec<Customer>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let root = std::env::var_os("RELANCE_CORPORA").map_or_else(beside, PathBuf::from);
    let path = root.join("behav-cdnow/rfm_expected.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "{} is missing", path.display());
        eprintln!("skipped: {} is missing", path.display());
        return None;
    };
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name: &str| names.iter().position(|one| *one == name).unwrap();
    let columns = ["recency_days", "orders", "money", "R", "F", "M"].map(place);
    let customer = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields[columns[at]].parse::<f64>().unwrap();
        Customer {
            recency_days: number(0),
            orders: number(1),
            money: number(2),
            expected: [number(3) as u8, number(4) as u8, number(5) as u8],
        }
    };
    Some(lines.map(customer).collect())
}

#[test]
fn every_customer_has_the_expected_scores() {
    let Some(customers) = corpus() else { return };
    assert_eq!(customers.len(), 23_570);
    let of = |value: fn(&Customer) -> f64| -> Vec<f64> { customers.iter().map(value).collect() };
    let told = [
        // The most recent are the best: fewer days, a higher score.
        scores(&of(|one| -one.recency_days)),
        scores(&of(|one| one.orders)),
        scores(&of(|one| one.money)),
    ];
    let mut wrong = [0; 3];
    for (at, customer) in customers.iter().enumerate() {
        for (which, told) in told.iter().enumerate() {
            wrong[which] += usize::from(told[at] != customer.expected[which]);
        }
    }
    assert_eq!(
        wrong,
        [0; 3],
        "customers with another score, of {}",
        customers.len()
    );
}

#[test]
fn edges_part_the_customers_as_expected_but_for_those_on_an_edge() {
    let Some(customers) = corpus() else { return };
    let columns: [(Column, usize); 3] = [
        (|one| one.recency_days, 0),
        (|one| one.orders, 1),
        (|one| one.money, 2),
    ];
    for (value, which) in columns {
        let edges = edges(customers.iter().map(value).collect()).unwrap();
        for customer in &customers {
            let above = edges.iter().filter(|edge| value(customer) > **edge).count() as u8;
            let told = if which == 0 { 5 - above } else { 1 + above };
            let on_edge = edges.contains(&value(customer));
            // Customers alike have one score here; ranked, their fifths are of one size.
            assert!(
                told == customer.expected[which] || on_edge,
                "{which}: {} is {told}, not {}",
                value(customer),
                customer.expected[which]
            );
        }
    }
}
