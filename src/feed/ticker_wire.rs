//! How each exchange writes tickers, and which columns of them the collector keeps: one row an exchange.

use super::number::Form;
use crate::market::Exchange;

/// What a ticker column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Open,
    Trade,
    High,
    Low,
    Prev,
    Volume,
    Change,
    /// Change as a fraction or in percent.
    Rate,
    /// Best prices: the collector keeps them, the contract does not read them.
    Bid,
    Ask,
    Time,
}

impl Role {
    /// The role that a template's name stands for.
    pub(super) fn named(name: &str) -> Option<Self> {
        let names = [
            ("open", Self::Open),
            ("trade", Self::Trade),
            ("high", Self::High),
            ("low", Self::Low),
            ("prev", Self::Prev),
            ("volume", Self::Volume),
            ("change", Self::Change),
            ("rate", Self::Rate),
            ("bid", Self::Bid),
            ("ask", Self::Ask),
        ];
        names.into_iter().find(|(text, _)| *text == name).map(|(_, role)| role)
    }
}

/// One exchange's ticker channel.
#[derive(Debug)]
pub(super) struct TickerWire {
    pub(super) frame: &'static str,
    /// The columns that the collector keeps.
    pub(super) columns: &'static [(&'static str, Role)],
    /// Prices, volume and rate are strings.
    pub(super) quoted: bool,
    pub(super) price: Form,
    pub(super) volume: Form,
    pub(super) rate: Form,
    /// Decimals of the rate as told.
    pub(super) rate_scale: u32,
    /// The rate is in percent.
    pub(super) percent: bool,
    /// What the exchange reckons its change from.
    pub(super) base: Role,
}

const UPBIT: TickerWire = TickerWire {
    frame: r#"{"type":"ticker","code":"$pair","opening_price":$open,"high_price":$high,"low_price":$low,"trade_price":$trade,"prev_closing_price":$prev,"acc_trade_price":$turnover,"change":"$word","change_price":$abs,"signed_change_price":$change,"signed_change_rate":$rate,"ask_bid":"BID","trade_volume":0.00100000,"acc_trade_volume":$volume,"trade_date":"20260101","trade_time":"010203","trade_timestamp":$changed,"highest_52_week_price":$high,"highest_52_week_date":"2026-01-01","lowest_52_week_price":$low,"lowest_52_week_date":"2025-12-31","market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":null,"market_warning":"NONE","timestamp":$ms,"acc_trade_price_24h":$turnover,"acc_trade_volume_24h":$volume,"stream_type":"REALTIME"}"#,
    columns: &[
        ("opening_price", Role::Open),
        ("high_price", Role::High),
        ("low_price", Role::Low),
        ("trade_price", Role::Trade),
        ("prev_closing_price", Role::Prev),
        ("signed_change_price", Role::Change),
        ("signed_change_rate", Role::Rate),
        ("acc_trade_volume_24h", Role::Volume),
        ("timestamp", Role::Time),
    ],
    quoted: false,
    price: Form::ZeroExponent,
    volume: Form::Full,
    rate: Form::Short,
    rate_scale: 10,
    percent: false,
    base: Role::Prev,
};

const BITHUMB: TickerWire = TickerWire { price: Form::Short, volume: Form::Short, rate_scale: 8, ..UPBIT };

const COINONE: TickerWire = TickerWire {
    frame: r#"{"response_type":"DATA","channel":"TICKER","data":{"quote_currency":"KRW","target_currency":"$pair","timestamp":$ms,"quote_volume":"$turnover","target_volume":"$volume","high":"$high","low":"$low","first":"$open","last":"$trade","volume_power":"100","ask_best_price":"$ask","ask_best_qty":"0.01","bid_best_price":"$bid","bid_best_qty":"0.02","id":"$id","yesterday_last":"$prev"}}"#,
    columns: &[
        ("high", Role::High),
        ("last", Role::Trade),
        ("timestamp", Role::Time),
        ("first", Role::Open),
        ("yesterday_last", Role::Prev),
        ("target_volume", Role::Volume),
        ("low", Role::Low),
    ],
    quoted: true,
    price: Form::Short,
    volume: Form::Short,
    ..UPBIT
};

const KORBIT: TickerWire = TickerWire {
    frame: r#"{"symbol":"$pair","timestamp":$ms,"type":"ticker","data":{"open":"$open","high":"$high","low":"$low","close":"$trade","prevClose":"$prev","priceChange":"$change","priceChangePercent":"$rate","volume":"$volume","quoteVolume":"$turnover","bestAskPrice":"$ask","bestBidPrice":"$bid","lastTradedAt":$changed}}"#,
    columns: &[
        ("timestamp", Role::Time),
        ("high", Role::High),
        ("open", Role::Open),
        ("priceChangePercent", Role::Rate),
        ("low", Role::Low),
        ("close", Role::Trade),
        ("volume", Role::Volume),
        ("priceChange", Role::Change),
        ("prevClose", Role::Prev),
    ],
    rate_scale: 2,
    percent: true,
    ..COINONE
};

const OKX: TickerWire = TickerWire {
    frame: r#"{"arg":{"channel":"tickers","instId":"$pair"},"data":[{"instType":"SPOT","instId":"$pair","last":"$trade","lastSz":"0.001","askPx":"$ask","askSz":"0.01","bidPx":"$bid","bidSz":"0.02","open24h":"$open","high24h":"$high","low24h":"$low","sodUtc0":"$open","sodUtc8":"$open","volCcy24h":"$turnover","vol24h":"$volume","ts":"$ms"}]}"#,
    columns: &[("high24h", Role::High), ("last", Role::Trade), ("low24h", Role::Low), ("open24h", Role::Open), ("ts", Role::Time), ("vol24h", Role::Volume)],
    base: Role::Open,
    ..COINONE
};

const BYBIT: TickerWire = TickerWire {
    frame: r#"{"topic":"tickers.$pair","ts":$ms,"type":"snapshot","cs":$id,"data":{"symbol":"$pair","lastPrice":"$trade","highPrice24h":"$high","lowPrice24h":"$low","prevPrice24h":"$prev","volume24h":"$volume","turnover24h":"$turnover","price24hPcnt":"$rate","usdIndexPrice":""}}"#,
    columns: &[
        ("highPrice24h", Role::High),
        ("lastPrice", Role::Trade),
        ("lowPrice24h", Role::Low),
        ("prevPrice24h", Role::Prev),
        ("price24hPcnt", Role::Rate),
        ("ts", Role::Time),
        ("volume24h", Role::Volume),
    ],
    rate_scale: 4,
    ..COINONE
};

const GATEIO: TickerWire = TickerWire {
    frame: r#"{"time":$seconds,"time_ms":$ms,"channel":"spot.tickers","event":"update","result":{"currency_pair":"$pair","last":"$trade","lowest_ask":"$ask","highest_bid":"$bid","change_percentage":"$rate","base_volume":"$volume","quote_volume":"$turnover","high_24h":"$high","low_24h":"$low"}}"#,
    columns: &[
        ("base_volume", Role::Volume),
        ("change_percentage", Role::Rate),
        ("high_24h", Role::High),
        ("highest_bid", Role::Bid),
        ("last", Role::Trade),
        ("low_24h", Role::Low),
        ("time_ms", Role::Time),
    ],
    rate_scale: 4,
    percent: true,
    ..COINONE
};

const BINANCE: TickerWire = TickerWire {
    frame: r#"{"stream":"$lower@ticker","data":{"e":"24hrTicker","E":$ms,"s":"$pair","p":"$change","P":"$rate","w":"$open","x":"$prev","c":"$trade","Q":"0.00100000","b":"$bid","B":"0.02000000","a":"$ask","A":"0.01000000","o":"$open","h":"$high","l":"$low","v":"$volume","q":"$turnover","O":$changed,"C":$ms,"F":1,"L":2,"n":2}}"#,
    columns: &[
        ("E", Role::Time),
        ("p", Role::Change),
        ("P", Role::Rate),
        ("x", Role::Prev),
        ("c", Role::Trade),
        ("o", Role::Open),
        ("h", Role::High),
        ("l", Role::Low),
        ("v", Role::Volume),
    ],
    price: Form::Fixed(8),
    volume: Form::Full,
    rate: Form::Full,
    rate_scale: 3,
    percent: true,
    base: Role::Open,
    ..COINONE
};

const KRAKEN: TickerWire = TickerWire {
    frame: r#"{"channel":"ticker","type":"update","data":[{"symbol":"$pair","bid":$bid,"bid_qty":0.02000000,"ask":$ask,"ask_qty":0.01000000,"last":$trade,"volume":$volume,"vwap":$trade,"low":$low,"high":$high,"change":$change,"change_pct":$rate,"trades":12,"timestamp":"$rfc"}]}"#,
    columns: &[
        ("volume", Role::Volume),
        ("last", Role::Trade),
        ("ask", Role::Ask),
        ("low", Role::Low),
        ("change_pct", Role::Rate),
        ("high", Role::High),
        ("change", Role::Change),
    ],
    quoted: false,
    price: Form::Full,
    volume: Form::Full,
    rate: Form::Full,
    rate_scale: 2,
    percent: true,
    base: Role::Open,
};

impl TickerWire {
    /// The exchange's channel.
    pub(super) const fn of(exchange: Exchange) -> &'static Self {
        match exchange {
            Exchange::Upbit => &UPBIT,
            Exchange::Bithumb => &BITHUMB,
            Exchange::Coinone => &COINONE,
            Exchange::Korbit => &KORBIT,
            Exchange::Okx => &OKX,
            Exchange::Bybit => &BYBIT,
            Exchange::Gateio => &GATEIO,
            Exchange::Binance => &BINANCE,
            Exchange::Kraken => &KRAKEN,
        }
    }

    /// Whether values of this role are strings. A time may be one where prices are not, and the other way round.
    pub(super) fn quotes(&self, role: Role) -> bool {
        if role == Role::Time { self.frame.contains(r#""$ms""#) } else { self.quoted }
    }

    /// How values of this role are spelled.
    pub(super) const fn form(&self, role: Role) -> Form {
        match role {
            Role::Volume => self.volume,
            Role::Rate => self.rate,
            _ => self.price,
        }
    }

    /// Whether the collector keeps a column of this role.
    pub(super) fn tells(&self, role: Role) -> bool {
        self.columns.iter().any(|(_, told)| *told == role)
    }

    /// The name of the column of this role.
    pub(super) fn column(&self, role: Role) -> &'static str {
        self.columns.iter().find(|(_, told)| *told == role).map_or("", |(name, _)| name)
    }
}
