//! Bounds of recency, frequency and money: where the fifths of all customers end.
//!
//! Told once a day at a quiet hour of the workspace's zone, from every contact that ever ordered, and kept as a
//! text of the workspace. Segments that ask for scores are then told anew, like after a change of their definition.
//!
//! **Absent:** what a score is (core), how fifths are told (stats).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use relance_core::condition::Condition;
use relance_core::ids::SegmentId;
use relance_core::rfm::{Rfm, RfmBounds};
use relance_core::time::Zone;
use relance_core::world::Needs;
use relance_engine::arrival::{Arrival, SegmentChanges};
use relance_engine::ports::Asset;
use relance_store::read::{DatedText, ReadError, Reader};
use relance_wire::segments::{read_bounds, write_bounds};
use serde_json::{Value, json};

use crate::backtest::{BacktestProblem, world_of};
use crate::config::Config;
use crate::segments::order::RfmConfig;
use crate::workspace::Workspace;

/// The sort of assets that belong to it.
pub const RFM: &str = "rfm";
/// The asset that holds the bounds in force.
pub const BOUNDS: &str = "bounds";
/// The asset that says when they were told, and of how many customers.
pub const TOLD: &str = "told";
/// The asset that says what an order was when they were told; without it, what it is where nothing is configured.
pub const ORDER: &str = "order";
/// The hour of the workspace's zone from which on the bounds are told anew: nobody is disturbed.
const QUIET_HOUR: i8 = 4;
/// How often it is looked whether it is time.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// Bounds that were told.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// The bounds; `None` while nobody has ordered.
    pub bounds: Option<RfmBounds>,
    /// Contacts that have ordered.
    pub customers: u64,
    /// As of when.
    pub at: Timestamp,
    /// What an order was.
    order: Value,
    /// Segments that ask for scores.
    asking: Vec<SegmentId>,
}

impl Computed {
    /// As the API gives it out.
    pub fn value(&self) -> Value {
        let text = self.bounds.as_ref().map(write_bounds);
        let at = self.at.to_string();
        value(text.as_deref(), self.customers, Some(&at), &self.order)
    }
}

fn value(bounds: Option<&str>, customers: u64, at: Option<&str>, order: &Value) -> Value {
    let bounds = bounds.and_then(|text| read_bounds(text).ok());
    let bounds = bounds.map(|bounds| {
        json!({
            "recency_days": bounds.recency_days,
            "orders": bounds.orders,
            "money": bounds.money,
        })
    });
    json!({ "bounds": bounds, "customers": customers, "at": at, "order": order })
}

/// The bounds in force, as the API gives them out.
pub fn shown(reader: &Reader, config: &Config) -> Result<Value, ReadError> {
    let texts = reader.texts(RFM)?;
    let text = |name: &str| {
        let mut own = texts.iter().filter(|one| one.name == name);
        own.next().map(|one| one.body.as_str())
    };
    let told = text(TOLD).and_then(Told::read);
    let at = told.as_ref().map(|told| told.at.to_string());
    let customers = told.map_or(0, |told| told.customers);
    let order = config.rfm.value();
    Ok(value(text(BOUNDS), customers, at.as_deref(), &order))
}

/// Whether an order is something else than when bounds were told: who belongs must be told anew.
fn order_changed(texts: &[DatedText], order: &Value) -> bool {
    let told = texts.iter().find(|one| one.name == ORDER);
    match told {
        Some(told) => {
            let now = order.to_string();
            told.body != now
        }
        None => *order != RfmConfig::default().value(),
    }
}

/// When bounds were told last.
struct Told {
    at: Timestamp,
    customers: u64,
}

impl Told {
    fn read(text: &str) -> Option<Self> {
        let (at, customers) = text.split_once(' ')?;
        Some(Self {
            at: at.parse().ok()?,
            customers: customers.parse().ok()?,
        })
    }

    fn text(&self) -> String {
        format!("{} {}", self.at, self.customers)
    }
}

/// Tells the bounds from everybody's orders. Reads only; grows with those who ordered, not with all that happened.
pub fn compute(
    reader: &Reader,
    config: &Config,
    now: Timestamp,
) -> Result<Computed, BacktestProblem> {
    let world = world_of(reader, config)?;
    let settings = config.rfm.settings();
    let rule = Rfm {
        event: settings.order_event,
        sum: settings.order_sum,
        recency: None,
        frequency: None,
        monetary: None,
        group: None,
    };
    let mut asking = Vec::new();
    for segment in world.segments() {
        let mut asks = false;
        if let Some(condition) = segment.condition() {
            condition.visit(&mut |one| asks |= matches!(one, Condition::Rfm(_)));
        }
        if asks {
            asking.push(segment.id.clone());
        }
    }
    let needs = Needs {
        history: [rule.event.clone()].into(),
        ..Needs::default()
    };
    let mut customers = Vec::new();
    reader
        .scanner(needs)?
        .each_having(&rule.event, |snapshot| {
            if !snapshot.contact.erased
                && let Some(orders) = rule.orders(snapshot.history.of(&rule.event), now)
            {
                customers.push((orders.days(now), f64::from(orders.count), orders.sum));
            }
            ControlFlow::Continue(())
        })?;
    Ok(Computed {
        bounds: bounds(&customers),
        customers: customers.len() as u64,
        at: now,
        order: config.rfm.value(),
        asking,
    })
}

/// Where the fifths of customers end.
fn bounds(customers: &[(f64, f64, f64)]) -> Option<RfmBounds> {
    let edges = |of: fn(&(f64, f64, f64)) -> f64| {
        let values: Vec<f64> = customers.iter().map(of).collect();
        relance_stats::rfm::edges(values)
    };
    Some(RfmBounds {
        recency_days: edges(|one| one.0)?,
        orders: edges(|one| one.1)?,
        money: edges(|one| one.2)?,
    })
}

/// What puts bounds in force, in one commit: where they and what an order is are the same as before, only when
/// they were told.
pub fn arrivals(reader: &Reader, computed: &Computed) -> Result<Vec<Arrival>, ReadError> {
    let told = Told {
        at: computed.at,
        customers: computed.customers,
    };
    let asset = |name: &str, body: Option<String>| {
        Arrival::Asset(Asset {
            kind: RFM.to_owned(),
            name: name.to_owned(),
            body,
        })
    };
    let mut arrivals = vec![asset(TOLD, Some(told.text()))];
    let texts = reader.texts(RFM)?;
    let before = texts.iter().find(|one| one.name == BOUNDS);
    let changed = order_changed(&texts, &computed.order);
    if changed {
        arrivals.push(asset(ORDER, Some(computed.order.to_string())));
    }
    // Of another order there may be none yet: the old bounds stay, and nobody has scores.
    let old = before.filter(|_| changed);
    let old = old.and_then(|one| read_bounds(&one.body).ok());
    let Some(bounds) = computed.bounds.or(old) else {
        return Ok(arrivals);
    };
    let text = write_bounds(&bounds);
    if !changed && before.is_some_and(|one| one.body == text) {
        return Ok(arrivals);
    }
    arrivals.push(asset(BOUNDS, Some(text)));
    arrivals.push(Arrival::Segments(SegmentChanges {
        rfm: Some(bounds),
        ..SegmentChanges::default()
    }));
    Ok(arrivals)
}

/// Tells the bounds of a running workspace anew.
pub async fn refresh(workspace: &Arc<Workspace>) -> Result<Computed, RefreshProblem> {
    // Not between the plan of a scenario and its commit, and not twice at once.
    let _turn = workspace.applying.lock().await;
    let reading = workspace.clone();
    let told = tokio::task::spawn_blocking(move || {
        let computed = compute(&reading.reader, &reading.config(), reading.clock.now())?;
        let arrivals = arrivals(&reading.reader, &computed).map_err(BacktestProblem::Read)?;
        Ok::<_, BacktestProblem>((computed, arrivals))
    });
    let (computed, arrivals) = match told.await {
        Ok(told) => told?,
        Err(_) => return Err(BacktestProblem::Stopped.into()),
    };
    workspace.submit(arrivals, 1_024).await?;
    Ok(computed)
}

/// Why bounds were not told.
#[derive(Debug, thiserror::Error)]
pub enum RefreshProblem {
    /// The workspace cannot be read.
    #[error(transparent)]
    Read(#[from] BacktestProblem),
    /// The engine did not take them.
    #[error(transparent)]
    Refused(#[from] relance_engine::arrival::Refusal),
}

/// Tells the bounds once a day while the workspace runs and some segment asks for scores.
pub fn keep(workspace: &Arc<Workspace>) {
    let weak = Arc::downgrade(workspace);
    tokio::spawn(async move {
        let mut starts = true;
        loop {
            if !std::mem::take(&mut starts) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let Some(workspace) = weak.upgrade() else {
                return;
            };
            if !workspace.is_first() {
                continue;
            }
            let looking = workspace.clone();
            let due = tokio::task::spawn_blocking(move || is_due(&looking)).await;
            if !matches!(due, Ok(Ok(true))) {
                continue;
            }
            match refresh(&workspace).await {
                Ok(computed) => tracing::info!(
                    customers = computed.customers,
                    segments = computed.asking.len(),
                    "bounds of recency, frequency and money were told"
                ),
                Err(error) => tracing::warn!(%error, "bounds were not told; tried again soon"),
            }
        }
    });
}

fn is_due(workspace: &Workspace) -> Result<bool, ReadError> {
    let reader = &workspace.reader;
    let mut asks = reader.segments()?.into_iter().filter_map(|row| row.text);
    // A word that may stand elsewhere too costs a look at the orders, once a day.
    if !asks.any(|text| text.contains("rfm")) {
        return Ok(false);
    }
    let texts = reader.texts(RFM)?;
    if order_changed(&texts, &workspace.config().rfm.value()) {
        return Ok(true);
    }
    let told = texts.iter().find(|one| one.name == TOLD);
    let last = told.and_then(|one| Told::read(&one.body));
    let Ok(zone) = Zone::parse(&workspace.config().workspace.zone) else {
        return Ok(false);
    };
    Ok(is_time(
        last.map(|told| told.at),
        workspace.clock.now(),
        &zone,
    ))
}

/// Whether bounds are told anew: never told, or not since this morning's quiet hour.
fn is_time(last: Option<Timestamp>, now: Timestamp, zone: &Zone) -> bool {
    let Some(last) = last else {
        return true;
    };
    let local = zone.local(now);
    let day: Date = if local.hour() >= QUIET_HOUR {
        local.date()
    } else {
        match local.date().yesterday() {
            Ok(day) => day,
            Err(_) => return false,
        }
    };
    let told = zone.local(last);
    told < day.at(QUIET_HOUR, 0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_told_once_a_day_from_the_quiet_hour_on() {
        let zone = Zone::parse("Europe/Moscow").unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2026-11-22T01:30:00Z");
        // 04:30 in Moscow.
        assert!(is_time(None, now, &zone));
        assert!(is_time(Some(at("2026-11-21T01:10:00Z")), now, &zone));
        assert!(!is_time(Some(at("2026-11-22T01:05:00Z")), now, &zone));
        let before = at("2026-11-22T00:30:00Z");
        assert!(!is_time(Some(at("2026-11-21T01:10:00Z")), before, &zone));
        assert!(is_time(Some(at("2026-11-20T01:10:00Z")), before, &zone));
    }

    #[test]
    fn when_they_were_told_comes_back() {
        let told = Told {
            at: "2026-11-22T01:30:00Z".parse().unwrap(),
            customers: 42,
        };
        let read = Told::read(&told.text()).unwrap();
        assert_eq!((read.at, read.customers), (told.at, told.customers));
        assert!(Told::read("x").is_none());
    }
}
