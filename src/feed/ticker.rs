//! A coin's ticker: a random walk of the last price with its 24-hour window, as frame, as the collector's cut of it, and as record.

use super::book_wire::Times;
use super::coin::Coin;
use super::number::Number;
use super::rng::Rng;
use super::template::fill;
use super::ticker_model::{self, Told};
use super::ticker_wire::{Role, TickerWire};
use super::{Expected, Moment, Spelling};
use crate::market::Exchange;

/// One coin's ticker at one exchange. Prices in units of the coin's scale.
#[derive(Clone, Debug)]
pub(super) struct Ticker {
    exchange: Exchange,
    wire: &'static TickerWire,
    pub(super) coin: Coin,
    open: i64,
    prev: i64,
    last: i64,
    high: i64,
    low: i64,
    volume: i64,
}

impl Ticker {
    pub(super) fn new(exchange: Exchange, coin: Coin, rng: &mut Rng) -> Self {
        let near = |rng: &mut Rng| coin.start + coin.tick * (rng.below(coin.start / coin.tick / 20) - coin.start / coin.tick / 40);
        let (open, prev, last) = (near(rng), near(rng), near(rng));
        let volume = 20 * coin.quantity_max + rng.below(coin.quantity_max);
        Self { exchange, wire: TickerWire::of(exchange), open, prev, last, high: open.max(last), low: open.min(last), volume, coin }
    }

    /// The next frame, and what must come out of it. A `sparse` one lacks a column.
    pub(super) fn next(&mut self, sparse: bool, spelling: Spelling, moment: Moment, rng: &mut Rng) -> (String, Expected) {
        self.step(rng);
        let missing = [Role::Open, Role::High, Role::Low, Role::Prev, Role::Volume, Role::Change, Role::Rate];
        let absent = sparse.then(|| missing[rng.index(missing.len())]);
        let event_ms = if self.wire.tells(Role::Time) || spelling == Spelling::Raw { moment.times.sent_us / 1_000 } else { moment.input_ms };
        let value = ticker_model::record(self.exchange, &self.coin, &self.told(absent), event_ms);
        let text = self.text(absent, spelling, moment.times, rng);
        (text, Expected::record(self.exchange, &self.coin.symbol, event_ms, false, value))
    }

    /// A frame that changes nothing.
    pub(super) fn idle(&self, spelling: Spelling, moment: Moment, rng: &mut Rng) -> String {
        self.text(None, spelling, moment.times, rng)
    }

    /// The name of the column that holds the last price.
    pub(super) fn price_column(&self) -> &'static str {
        self.wire.column(Role::Trade)
    }

    /// A frame of which the collector leaves a lone time, if that; what it makes of acks.
    pub(super) fn lone_time(&self, times: Times) -> String {
        let mut out = "{".to_owned();
        if self.wire.tells(Role::Time) {
            self.column(self.wire.column(Role::Time), Role::Time, times, &mut out);
        }
        out + "}"
    }

    fn step(&mut self, rng: &mut Rng) {
        let coin = &self.coin;
        // The price stays between half and double the start, so that a feed can run for ever.
        let drift = match self.last {
            last if last > coin.start * 2 => -1,
            last if last < coin.start / 2 => 1,
            _ => 0,
        };
        self.last += coin.tick * (rng.below(11) - 5 + drift);
        if rng.one_in(50) {
            self.open = (self.open + coin.tick * (rng.below(21) - 10)).max(coin.tick);
            (self.high, self.low) = (self.open, self.open);
        }
        self.high = self.high.max(self.last);
        self.low = self.low.min(self.last);
        self.volume += coin.quantity(rng) / 100;
        if self.volume > 50 * coin.quantity_max {
            self.volume = 20 * coin.quantity_max + rng.below(coin.quantity_max);
        }
    }

    /// What the wire says in a column; its rate is in percent where the exchange's is.
    fn number(&self, role: Role) -> Number {
        let price = |units: i64| Number::new(units.into(), self.coin.price_scale);
        let base = price(if self.wire.base == Role::Open { self.open } else { self.prev });
        match role {
            Role::Open => price(self.open),
            Role::Trade | Role::Time => price(self.last),
            Role::High => price(self.high),
            Role::Low => price(self.low),
            Role::Prev => price(self.prev),
            Role::Bid => price(self.last - self.coin.tick),
            Role::Ask => price(self.last + self.coin.tick),
            Role::Volume => Number::new(self.volume.into(), self.coin.quantity_scale),
            Role::Change => price(self.last).minus(base),
            Role::Rate => {
                let change = price(self.last).minus(base);
                let times = if self.wire.percent { 100 } else { 1 };
                Number { units: change.units * times, ..change }.over(base, self.wire.rate_scale).unwrap_or(Number::new(0, 0))
            }
        }
    }

    fn told(&self, absent: Option<Role>) -> Told {
        let told = |role| (self.wire.tells(role) && absent != Some(role)).then(|| self.number(role));
        let rate = told(Role::Rate).map(|rate| Number::new(rate.units, rate.scale + if self.wire.percent { 2 } else { 0 }));
        Told {
            open: told(Role::Open),
            trade: told(Role::Trade),
            high: told(Role::High),
            low: told(Role::Low),
            prev: told(Role::Prev),
            volume: told(Role::Volume),
            change: told(Role::Change),
            rate,
        }
    }

    fn text(&self, absent: Option<Role>, spelling: Spelling, times: Times, rng: &mut Rng) -> String {
        match spelling {
            Spelling::Raw => self.whole(absent, times),
            Spelling::Collector => {
                let mut columns: Vec<_> = self.wire.columns.iter().filter(|(_, role)| absent != Some(*role)).collect();
                rng.shuffle(&mut columns);
                let mut out = String::with_capacity(256);
                for (name, role) in columns {
                    out.push(if out.is_empty() { '{' } else { ',' });
                    self.column(name, *role, times, &mut out);
                }
                out + "}"
            }
        }
    }

    fn column(&self, name: &str, role: Role, times: Times, out: &mut String) {
        let quote = if self.wire.quotes(role) { "\"" } else { "" };
        out.push_str(&format!("\"{name}\":{quote}"));
        if role == Role::Time {
            _ = times.write("ms", out);
        } else {
            self.write(role, out);
        }
        out.push_str(quote);
    }

    fn write(&self, role: Role, out: &mut String) {
        self.number(role).write(self.wire.form(role), out);
    }

    /// The exchange's own frame; what is absent is `null`, or `""` among strings.
    fn whole(&self, absent: Option<Role>, times: Times) -> String {
        let mut out = String::with_capacity(1_024);
        let change = self.number(Role::Change);
        fill(self.wire.frame, &mut out, |name, out| match (name, Role::named(name)) {
            (_, Some(role)) if absent == Some(role) => out.push_str(if self.wire.quoted { "" } else { "null" }),
            (_, Some(role)) => self.write(role, out),
            ("pair", _) => out.push_str(&self.coin.pair),
            ("lower", _) => out.push_str(&self.coin.pair.to_ascii_lowercase()),
            ("word", _) => out.push_str(["FALL", "EVEN", "RISE"][(change.units.signum() + 1) as usize]),
            ("abs", _) => Number::new(change.units.abs(), change.scale).write(self.wire.form(Role::Change), out),
            ("turnover", _) => {
                let scale = self.coin.price_scale + self.coin.quantity_scale;
                Number::new(i128::from(self.last) * i128::from(self.volume), scale).write(self.wire.volume, out);
            }
            _ => _ = times.write(name, out),
        });
        out
    }
}
