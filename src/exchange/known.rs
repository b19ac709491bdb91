//! The keys that frames of each exchange are known to have, for whoever looks out for changes: decoding never looks here.
//!
//! Raw frames as of 2026 and those of earlier forms, with what is nested in them, and the columns that the collector keeps. The keys of levels that
//! are objects count too.

use crate::market::{Exchange, Kind};

/// The keys of an exchange's tickers or order books.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Those that every frame has that gives a record.
    pub belong: &'static [&'static str],
    /// Those that may be there.
    pub others: &'static [&'static str],
}

impl Known {
    /// Whether the key is known.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.belong.contains(&key) || self.others.contains(&key)
    }
}

/// What is known of the frames of one exchange.
#[must_use]
pub const fn known(exchange: Exchange, kind: Kind) -> Known {
    match (exchange, kind) {
        (Exchange::Upbit | Exchange::Bithumb, Kind::Ticker) => UNITS_TICKER,
        (Exchange::Upbit | Exchange::Bithumb, Kind::Orderbook) => UNITS_BOOK,
        (Exchange::Coinone, Kind::Ticker) => COINONE_TICKER,
        (Exchange::Coinone, Kind::Orderbook) => COINONE_BOOK,
        (Exchange::Korbit, Kind::Ticker) => KORBIT_TICKER,
        (Exchange::Korbit, Kind::Orderbook) => KORBIT_BOOK,
        (Exchange::Okx, Kind::Ticker) => OKX_TICKER,
        (Exchange::Okx, Kind::Orderbook) => OKX_BOOK,
        (Exchange::Bybit, Kind::Ticker) => BYBIT_TICKER,
        (Exchange::Bybit, Kind::Orderbook) => BYBIT_BOOK,
        (Exchange::Gateio, Kind::Ticker) => GATEIO_TICKER,
        (Exchange::Gateio, Kind::Orderbook) => GATEIO_BOOK,
        (Exchange::Binance, Kind::Ticker) => BINANCE_TICKER,
        (Exchange::Binance, Kind::Orderbook) => BINANCE_BOOK,
        (Exchange::Kraken, Kind::Ticker) => KRAKEN_TICKER,
        (Exchange::Kraken, Kind::Orderbook) => KRAKEN_BOOK,
    }
}

const UNITS_TICKER: Known = Known {
    belong: &["trade_price", "timestamp"],
    others: &[
        "type",
        "code",
        "market",
        "opening_price",
        "high_price",
        "low_price",
        "prev_closing_price",
        "acc_trade_price",
        "change",
        "change_price",
        "signed_change_price",
        "change_rate",
        "signed_change_rate",
        "ask_bid",
        "trade_volume",
        "acc_trade_volume",
        "trade_date",
        "trade_time",
        "trade_timestamp",
        "acc_ask_volume",
        "acc_bid_volume",
        "acc_trade_price_24h",
        "acc_trade_volume_24h",
        "highest_52_week_price",
        "highest_52_week_date",
        "lowest_52_week_price",
        "lowest_52_week_date",
        "market_state",
        "market_state_for_ios",
        "is_trading_suspended",
        "delisting_date",
        "market_warning",
        "trade_status",
        "stream_type",
    ],
};
const UNITS_BOOK: Known = Known {
    belong: &["orderbook_units", "ask_price", "bid_price", "ask_size", "bid_size"],
    others: &["type", "code", "market", "timestamp", "total_ask_size", "total_bid_size", "stream_type", "level"],
};
const COINONE_TICKER: Known = Known {
    belong: &["last", "timestamp"],
    others: &[
        "response_type",
        "channel",
        "data",
        "quote_currency",
        "target_currency",
        "quote_volume",
        "target_volume",
        "high",
        "low",
        "first",
        "volume_power",
        "ask_best_price",
        "ask_best_qty",
        "bid_best_price",
        "bid_best_qty",
        "id",
        "yesterday_high",
        "yesterday_low",
        "yesterday_first",
        "yesterday_last",
        "yesterday_quote_volume",
        "yesterday_target_volume",
    ],
};
const COINONE_BOOK: Known =
    Known { belong: &["asks", "bids"], others: &["response_type", "channel", "data", "quote_currency", "target_currency", "timestamp", "id", "price", "qty"] };
const KORBIT_TICKER: Known = Known {
    belong: &["close"],
    others: &[
        "type",
        "symbol",
        "timestamp",
        "snapshot",
        "data",
        "open",
        "high",
        "low",
        "prevClose",
        "priceChange",
        "priceChangePercent",
        "volume",
        "quoteVolume",
        "bestAskPrice",
        "bestBidPrice",
        "lastTradedAt",
    ],
};
const KORBIT_BOOK: Known = Known { belong: &["asks", "bids"], others: &["type", "symbol", "timestamp", "snapshot", "data", "price", "qty", "quoteVolume"] };
const OKX_TICKER: Known = Known {
    belong: &["last", "open24h", "high24h", "low24h", "vol24h", "ts"],
    others: &["arg", "channel", "instId", "data", "instType", "lastSz", "askPx", "askSz", "bidPx", "bidSz", "volCcy24h", "sodUtc0", "sodUtc8"],
};
const OKX_BOOK: Known = Known { belong: &["action", "data", "asks", "bids", "ts"], others: &["arg", "channel", "instId", "checksum", "seqId", "prevSeqId"] };
const BYBIT_TICKER: Known = Known {
    belong: &["lastPrice"],
    others: &[
        "topic",
        "ts",
        "type",
        "cs",
        "data",
        "symbol",
        "highPrice24h",
        "lowPrice24h",
        "prevPrice24h",
        "volume24h",
        "turnover24h",
        "price24hPcnt",
        "usdIndexPrice",
    ],
};
const BYBIT_BOOK: Known = Known { belong: &["type", "data", "s", "b", "a", "u"], others: &["topic", "ts", "cts", "seq"] };
const GATEIO_TICKER: Known = Known {
    belong: &["last"],
    others: &[
        "time",
        "time_ms",
        "conn_id",
        "channel",
        "event",
        "result",
        "currency_pair",
        "lowest_ask",
        "highest_bid",
        "change_percentage",
        "base_volume",
        "quote_volume",
        "high_24h",
        "low_24h",
    ],
};
const GATEIO_BOOK: Known =
    Known { belong: &["result", "asks", "bids"], others: &["time", "time_ms", "conn_id", "channel", "event", "t", "lastUpdateId", "s", "l"] };
const BINANCE_TICKER: Known = Known {
    belong: &["c", "E"],
    others: &["stream", "data", "e", "s", "p", "P", "w", "x", "Q", "b", "B", "a", "A", "o", "h", "l", "v", "q", "O", "C", "F", "L", "n"],
};
// Diffs and whole books have no key in common.
const BINANCE_BOOK: Known = Known { belong: &[], others: &["stream", "data", "lastUpdateId", "asks", "bids", "e", "E", "s", "U", "u", "b", "a", "T"] };
const KRAKEN_TICKER: Known = Known {
    belong: &["last"],
    others: &[
        "channel",
        "type",
        "data",
        "symbol",
        "bid",
        "bid_qty",
        "ask",
        "ask_qty",
        "volume",
        "vwap",
        "low",
        "high",
        "change",
        "change_pct",
        "timestamp",
        "trades",
        "volume_usd",
    ],
};
const KRAKEN_BOOK: Known = Known { belong: &["type", "data", "bids", "asks"], others: &["channel", "symbol", "checksum", "timestamp", "price", "qty"] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_stands_once() {
        for exchange in Exchange::ALL {
            for kind in Kind::ALL {
                let Known { belong, others } = known(exchange, kind);
                let mut keys: Vec<_> = belong.iter().chain(others).collect();
                let count = keys.len();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), count, "{exchange} {kind:?}");
            }
        }
    }
}
