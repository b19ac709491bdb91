//! The coins that a feed trades: names, decimals, ticks and where their random walks start.

use super::rng::Rng;
use crate::market::{Exchange, Region};

/// One coin on one exchange. Prices and quantities are integers: units of 10^-scale.
#[derive(Clone, Debug)]
pub(super) struct Coin {
    /// As records write it.
    pub(super) symbol: String,
    /// As the exchange calls the pair.
    pub(super) pair: String,
    pub(super) price_scale: u32,
    pub(super) quantity_scale: u32,
    /// Prices are multiples of it.
    pub(super) tick: i64,
    /// Price at the start; a multiple of the tick.
    pub(super) start: i64,
    /// Largest quantity of a level; at most 14 digits, so that sums of them survive a 64-bit float.
    pub(super) quantity_max: i64,
    /// Whether Kraken's checksum can be checked: its pair is in the contract's table of decimals.
    pub(super) checksummed: bool,
}

/// A coin in the three currencies: (scale, tick, start) of its price, and the quantity scale at Kraken, which are the decimals of
/// `wire/kraken.md`.
struct Row {
    symbol: &'static str,
    won: (u32, i64, i64),
    tether: (u32, i64, i64),
    dollar: (u32, i64, i64),
    kraken_quantity_scale: u32,
    /// In whole coins.
    quantity_max: i64,
}

#[rustfmt::skip]
const ROWS: [Row; 6] = [
    Row { symbol: "BTC", won: (0, 1_000, 116_539_000), tether: (1, 1, 840_057), dollar: (1, 1, 837_443), kraken_quantity_scale: 8, quantity_max: 3 },
    Row { symbol: "ETH", won: (0, 1_000, 3_715_000), tether: (2, 1, 266_214), dollar: (2, 1, 265_977), kraken_quantity_scale: 8, quantity_max: 40 },
    Row { symbol: "XRP", won: (0, 1, 3_051), tether: (4, 1, 21_934), dollar: (5, 1, 219_287), kraken_quantity_scale: 8, quantity_max: 50_000 },
    Row { symbol: "ALGO", won: (1, 1, 2_625), tether: (5, 1, 18_842), dollar: (5, 1, 18_837), kraken_quantity_scale: 8, quantity_max: 90_000 },
    Row { symbol: "USDG", won: (1, 1, 13_914), tether: (4, 1, 10_001), dollar: (4, 1, 9_998), kraken_quantity_scale: 5, quantity_max: 90_000 },
    Row { symbol: "MATIC", won: (1, 1, 7_880), tether: (4, 1, 5_663), dollar: (4, 1, 5_660), kraken_quantity_scale: 8, quantity_max: 90_000 },
];

/// What stands behind every further coin; such pairs are in no table of decimals.
const OTHER: Row = Row { symbol: "COIN", won: (0, 10, 17_120), tether: (3, 1, 12_345), dollar: (4, 1, 123_450), kraken_quantity_scale: 8, quantity_max: 5_000 };

impl Coin {
    /// The coin at `index`: BTC, ETH, XRP, ALGO, USDG, MATIC, then COIN6, COIN7, ...
    pub(super) fn new(exchange: Exchange, index: usize) -> Self {
        let row = ROWS.get(index).unwrap_or(&OTHER);
        let symbol = if index < ROWS.len() { row.symbol.to_owned() } else { format!("{}{index}", row.symbol) };
        let (price_scale, tick, start) = match (exchange.region(), exchange) {
            (Region::Korea, _) => row.won,
            (_, Exchange::Kraken) => row.dollar,
            _ => row.tether,
        };
        let quantity_scale = match exchange {
            Exchange::Bithumb => 4,
            Exchange::Kraken => row.kraken_quantity_scale,
            _ => 8,
        };
        let pair = match exchange {
            Exchange::Upbit | Exchange::Bithumb => format!("KRW-{symbol}"),
            Exchange::Coinone => symbol.clone(),
            Exchange::Korbit => format!("{}_krw", symbol.to_ascii_lowercase()),
            Exchange::Okx => format!("{symbol}-USDT"),
            Exchange::Bybit | Exchange::Binance => format!("{symbol}USDT"),
            Exchange::Gateio => format!("{symbol}_USDT"),
            Exchange::Kraken => format!("{symbol}/USD"),
        };
        let quantity_max = row.quantity_max * 10_i64.pow(quantity_scale);
        Self { symbol, pair, price_scale, quantity_scale, tick, start, quantity_max, checksummed: index < ROWS.len() }
    }

    /// The size of an order: now and then dust, now and then round, else anything.
    pub(super) fn quantity(&self, rng: &mut Rng) -> i64 {
        match rng.below(8) {
            0 => 1 + rng.below(10_000.min(self.quantity_max)),
            1 | 2 => (1 + rng.below(999)) * (self.quantity_max / 1_000),
            _ => 1 + rng.below(self.quantity_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_on_the_tick_and_sums_of_quantities_survive_a_float() {
        for exchange in Exchange::ALL {
            for index in 0..8 {
                let coin = Coin::new(exchange, index);
                assert_eq!(coin.start % coin.tick, 0, "{coin:?}");
                assert!(coin.quantity_max < 10_i64.pow(13), "{coin:?}: 100 levels must stay below 10^15 units");
            }
        }
        assert_eq!(Coin::new(Exchange::Korbit, 7).pair, "coin7_krw");
    }
}
