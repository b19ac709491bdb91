//! A kept book against the contract's section 6 said again, in integers and ordered maps, plain and slow.

use super::*;
use crate::decimal::{Amount, Decimal, Total};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Price to quantity, both whole numbers.
type Prices = BTreeMap<u64, u64>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Venue {
    Okx,
    Bybit,
    Kraken,
    Binance,
}

/// Depth of the Binance books of these tests.
const BINANCE_DEPTH: usize = 7;

#[derive(Clone, Debug)]
struct Step {
    snapshot: bool,
    id: Option<i64>,
    previous: Option<i64>,
    /// Whether the frame's checksum is the right one; `None` where it has none.
    checksum: Option<bool>,
    bids: Vec<(u64, u64)>,
    asks: Vec<(u64, u64)>,
}

#[derive(Debug, Default)]
struct Model {
    bids: Prices,
    asks: Prices,
    live: bool,
    last: Option<i64>,
    depth: usize,
}

impl Model {
    fn new(least: usize) -> Self {
        Self { depth: least, ..Self::default() }
    }

    /// Whether the frame is stale, and if not, whether it shows a gap.
    fn apply(&mut self, venue: Venue, step: &Step, least: usize) -> Option<bool> {
        let mut gap = false;
        if step.snapshot {
            self.bids = entering(&step.bids);
            self.asks = entering(&step.asks);
            self.live = venue != Venue::Binance;
            self.last = None;
            let longer = self.bids.len().max(self.asks.len());
            // Depths on offer beyond the configured one.
            self.depth = if longer <= least { least } else { [25, 100, 500, 1_000].into_iter().find(|&depth| depth >= longer).unwrap_or(1_000) };
        } else {
            let (id, previous) = (step.id, step.previous);
            let reset = venue == Venue::Okx && previous.is_some() && previous == self.last && id < previous;
            let numbered = venue != Venue::Kraken;
            if numbered && !reset && id.is_some() && self.last.is_some() && id <= self.last {
                return None;
            }
            let missing = match venue {
                Venue::Okx => previous.is_some() && previous != self.last,
                Venue::Bybit => id.is_none() || self.last.is_none() || id != self.last.map(|last| last + 1),
                Venue::Kraken | Venue::Binance => false,
            };
            gap = missing && (self.live || self.last.is_some());
            self.live &= !missing;
            let bids = set(&mut self.bids, &step.bids);
            let asks = set(&mut self.asks, &step.asks);
            if !self.live {
                self.asks.retain(|ask, _| asks.contains(ask) || bids.iter().all(|bid| bid < ask));
                self.bids.retain(|bid, _| bids.contains(bid) || asks.iter().all(|ask| ask > bid));
            }
        }
        if venue != Venue::Kraken {
            self.last = step.id.or(self.last);
        }
        let depth = match venue {
            Venue::Kraken => self.depth,
            Venue::Binance => BINANCE_DEPTH,
            Venue::Okx | Venue::Bybit => usize::MAX,
        };
        while self.bids.len() > depth {
            self.bids.pop_first();
        }
        while self.asks.len() > depth {
            self.asks.pop_last();
        }
        Some(gap)
    }

    /// The checksum that the exchange would send for this book.
    fn checksum(&self, venue: Venue) -> Option<Checksum> {
        let (bids, asks) = (self.bids.iter().rev(), self.asks.iter());
        match venue {
            Venue::Okx => {
                let (bids, asks): (Vec<_>, Vec<_>) = (bids.take(25).collect(), asks.take(25).collect());
                let turns = (0..25).flat_map(|at| [bids.get(at), asks.get(at)]).flatten();
                let text: Vec<_> = turns.map(|(price, quantity)| format!("{price}:{quantity}")).collect();
                Some(Checksum::Okx(i64::from(crc32fast::hash(text.join(":").as_bytes()) as i32)))
            }
            Venue::Kraken => {
                let text: String = asks.take(10).chain(bids.take(10)).map(|(price, quantity)| format!("{price}{quantity}")).collect();
                Some(Checksum::Kraken(i64::from(crc32fast::hash(text.as_bytes()))))
            }
            Venue::Bybit | Venue::Binance => None,
        }
    }

    fn summary(&self) -> Summary {
        let total = |prices: &Prices| prices.values().fold(Total::ZERO, |total, &quantity| total.plus(amount(quantity)));
        Summary {
            best_bid: self.bids.last_key_value().map(|(&price, _)| amount(price)),
            best_ask: self.asks.first_key_value().map(|(&price, _)| amount(price)),
            total_bids: total(&self.bids),
            total_asks: total(&self.asks),
        }
    }
}

/// Of equal prices the last counts.
fn entering(levels: &[(u64, u64)]) -> Prices {
    let last: Prices = levels.iter().copied().collect();
    last.into_iter().filter(|&(price, quantity)| price > 0 && quantity > 0).collect()
}

/// Sets the levels and returns the prices that were set, and not removed.
fn set(prices: &mut Prices, levels: &[(u64, u64)]) -> BTreeSet<u64> {
    levels.iter().for_each(|(price, _)| _ = prices.remove(price));
    let entering = entering(levels);
    let names = entering.keys().copied().collect();
    prices.extend(entering);
    names
}

fn amount(value: u64) -> Amount {
    Decimal::from_integer(value).amount().unwrap()
}

fn levels(levels: &[(u64, u64)]) -> Vec<Level> {
    levels.iter().map(|&(price, quantity)| Level { price: amount(price), quantity: amount(quantity) }).collect()
}

fn held(side: &Side) -> Prices {
    let whole = |amount: Amount| (amount.units() / 10_u128.pow(18)) as u64;
    side.best_first().map(|level| (whole(level.price), whole(level.quantity))).collect()
}

fn frame(venue: Venue, step: &Step, checksum: Option<Checksum>) -> Frame {
    let sequence = match venue {
        Venue::Okx => Sequence::Linked { id: step.id, previous: step.previous },
        Venue::Bybit => Sequence::Counted(step.id),
        Venue::Kraken => Sequence::Unnumbered,
        Venue::Binance => Sequence::Growing(step.id),
    };
    let action = if step.snapshot { Action::Snapshot } else { Action::Delta };
    Frame { action, sequence, checksum, bids: levels(&step.bids), asks: levels(&step.asks), ..Frame::default() }
}

fn rules(venue: Venue, least: usize) -> BookRules {
    let depth = match venue {
        Venue::Kraken => Depth::Subscribed(least),
        Venue::Binance => Depth::Fixed(BINANCE_DEPTH),
        Venue::Okx | Venue::Bybit => Depth::Unlimited,
    };
    let decimals = (venue == Venue::Kraken).then_some(PairDecimals { price: 0, quantity: 0 });
    BookRules { depth, can_be_live: venue != Venue::Binance, decimals, checksum_suffices: true }
}

fn check(venue: Venue, least: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let rules = rules(venue, least);
    let (mut book, mut model, mut texts) = (Book::new(rules.depth), Model::new(least), Texts::default());
    for (index, step) in steps.iter().enumerate() {
        let expected = model.apply(venue, step, least);
        let fits = step.checksum.filter(|_| expected.is_some() && model.checksum(venue).is_some());
        let checksum = step.checksum.and_then(|fits| match (model.checksum(venue)?, fits) {
            (right, true) => Some(right),
            (Checksum::Okx(right), false) => Some(Checksum::Okx(right + 1)),
            (Checksum::Kraken(right), false) => Some(Checksum::Kraken(right + (1 << 32))),
        });
        match fits {
            Some(false) => model.live = false,
            Some(true) if venue == Venue::Kraken && model.depth == 10 => model.live = true,
            _ => {}
        }
        let applied = book.apply(&frame(venue, step, checksum), &rules, &mut texts);
        let expected = expected.map_or(Applied::Stale, |gap| Applied::Changed { gap, checksum: fits });
        prop_assert_eq!(applied, expected, "step {}: {:?}", index, step);
        prop_assert_eq!(book.is_live(), model.live, "step {}: {:?}", index, step);
        prop_assert_eq!((held(&book.bids), held(&book.asks)), (model.bids.clone(), model.asks.clone()), "step {}: {:?}", index, step);
        prop_assert_eq!(book.summary(), model.summary());
    }
    Ok(())
}

/// Bids and asks overlap, so that books cross; 3 in 10 levels are removals; ids are close together.
fn step(count: usize) -> impl Strategy<Value = Step> {
    let side = |prices: std::ops::Range<u64>| prop::collection::vec((prices, prop_oneof![3 => Just(0_u64), 7 => 1..50_u64]), 0..count);
    let id = || prop::option::weighted(0.9, 1..12_i64);
    (prop::bool::weighted(0.15), id(), id(), prop::option::of(prop::bool::weighted(0.7)), side(0..60), side(25..90))
        .prop_map(|(snapshot, id, previous, checksum, bids, asks)| Step { snapshot, id, previous, checksum, bids, asks })
}

/// Ids that mostly fit, as those of a real feed: the random ones are nearly always a gap.
fn in_sequence(mut steps: Vec<Step>) -> Vec<Step> {
    let mut last = 100;
    for step in &mut steps {
        if let (Some(id @ 3..), Some(_)) = (step.id, step.previous) {
            step.previous = Some(last);
            step.id = Some(if id == 11 { last - 50 } else { last + 1 });
        }
        last = step.id.unwrap_or(last);
    }
    steps
}

fn venue() -> impl Strategy<Value = Venue> {
    prop_oneof![Just(Venue::Okx), Just(Venue::Bybit), Just(Venue::Kraken), Just(Venue::Binance)]
}

proptest! {
    #[test]
    fn a_kept_book_is_what_the_contract_says(venue in venue(), least in prop_oneof![Just(10_usize), 1..30_usize], steps in prop::collection::vec(step(8), 0..30)) {
        check(venue, least, &steps)?;
        check(venue, least, &in_sequence(steps))?;
    }
}

proptest! {
    // Side checks its total after every level in debug builds, which is slow in books of hundreds.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn so_is_one_of_large_frames(venue in venue(), steps in prop::collection::vec(step(130), 0..10)) {
        check(venue, 10, &in_sequence(steps))?;
    }
}

#[test]
fn a_kraken_book_takes_the_depth_that_holds_its_snapshot() {
    let rules = rules(Venue::Kraken, 10);
    let mut book = Book::new(rules.depth);
    let mut snapshot = |bids: u64, asks: u64| {
        let side = |from: u64, count: u64| (from..from + count).map(|price| (price, 1)).collect();
        let step = Step { snapshot: true, id: None, previous: None, checksum: None, bids: side(1, bids), asks: side(10_000, asks) };
        book.apply(&frame(Venue::Kraken, &step, None), &rules, &mut Texts::default());
        let Depth::Subscribed(depth) = book.depth else { panic!("a Kraken book is subscribed with a depth") };
        (depth, book.bids.len(), book.asks.len())
    };
    assert_eq!(snapshot(10, 3), (10, 10, 3));
    assert_eq!(snapshot(11, 3), (25, 11, 3));
    assert_eq!(snapshot(3, 26), (100, 3, 26));
    assert_eq!(snapshot(500, 101), (500, 500, 101));
    assert_eq!(snapshot(501, 501), (1_000, 501, 501));
    assert_eq!(snapshot(1_200, 5), (1_000, 1_000, 5));
    assert_eq!(snapshot(2, 2), (10, 2, 2), "a smaller one brings the configured depth back");
}

#[test]
fn a_checksum_makes_a_book_live_at_depth_10_and_where_it_may() {
    for (least, checksum_suffices, live) in [(10, true, true), (25, true, false), (10, false, false)] {
        let rules = BookRules { checksum_suffices, ..rules(Venue::Kraken, least) };
        let mut book = Book::new(rules.depth);
        let step = Step { snapshot: false, id: None, previous: None, checksum: None, bids: vec![(5, 1)], asks: vec![(6, 2)] };
        let checksum = Some(Checksum::Kraken(crc32fast::hash(b"6251").into()));
        let applied = book.apply(&frame(Venue::Kraken, &step, checksum), &rules, &mut Texts::default());
        assert_eq!((applied, book.is_live()), (Applied::Changed { gap: false, checksum: Some(true) }, live));
    }
}
