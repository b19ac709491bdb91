//! How each exchange writes order books: one row an exchange, one function for all.

use super::ladder::{ASK, BID, Levels, SIDES};
use super::number::{Form, Number};
use super::template::fill;
use super::{clock, coin::Coin};
use crate::market::Exchange;

/// Where the event time of a book frame comes from (contract, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// The frame's time of sending, in milliseconds.
    Sent,
    /// The time of the change itself, a little earlier, in milliseconds.
    Changed,
    /// The time of sending, in microseconds.
    Micros,
    /// None in the frame: the input record's timestamp counts.
    Input,
}

/// One exchange's book channel.
#[derive(Debug)]
pub(super) struct BookWire {
    pub(super) frame: &'static str,
    /// One level: `$p`, `$q`, `$n` orders. Where the frame has `$units`, one unit: `$ap`, `$aq`, `$bp`, `$bq`.
    level: &'static str,
    price: Form,
    quantity: Form,
    pub(super) time: Time,
    /// Levels a side of a whole book or snapshot.
    pub(super) depth: usize,
    /// Levels a side that change from one frame to the next, about.
    pub(super) changes: usize,
    /// What `$type` says of a snapshot and of a delta; `None` where every frame is a whole book.
    pub(super) words: Option<[&'static str; 2]>,
    asks_worst_first: bool,
    /// Text in a frame, and what to write for it so that a price is no number.
    pub(super) bad_price: (&'static str, &'static str),
    /// Text in a frame, and what to write for it so that a side or a key is missing.
    pub(super) no_side: (&'static str, &'static str),
}

const UNIT: &str = r#"{"ask_price":$ap,"bid_price":$bp,"ask_size":$aq,"bid_size":$bq}"#;
const OBJECT: &str = r#"{"price":"$p","qty":"$q"}"#;
const PAIR: &str = r#"["$p","$q"]"#;
const BAD_KEY: (&str, &str) = (r#""price":"#, r#""price":"abc","was":"#);
const BAD_ELEMENT: (&str, &str) = (r#"[[""#, r#"[["abc","1"],[""#);
const NO_ASKS: (&str, &str) = (r#""asks":"#, r#""tasks":"#);

const UPBIT: BookWire = BookWire {
    frame: r#"{"type":"orderbook","code":"$pair","timestamp":$ms,"total_ask_size":$asksum,"total_bid_size":$bidsum,"orderbook_units":[$units],"stream_type":"REALTIME","level":0}"#,
    level: UNIT,
    price: Form::Java,
    quantity: Form::Full,
    time: Time::Sent,
    depth: 30,
    changes: 3,
    words: None,
    asks_worst_first: false,
    bad_price: (r#""ask_price":"#, r#""ask_price":"abc","was":"#),
    no_side: (r#""bid_price":"#, r#""bid_prize":"#),
};

const BITHUMB: BookWire = BookWire {
    frame: r#"{"type":"orderbook","code":"$pair","total_ask_size":$asksum,"total_bid_size":$bidsum,"orderbook_units":[$units],"level":1,"timestamp":$us,"stream_type":"REALTIME"}"#,
    price: Form::Short,
    quantity: Form::Short,
    time: Time::Micros,
    depth: 15,
    changes: 2,
    ..UPBIT
};

const COINONE: BookWire = BookWire {
    frame: r#"{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"$pair","timestamp":$ms,"id":"$id","asks":[$asks],"bids":[$bids]}}"#,
    level: OBJECT,
    price: Form::Short,
    quantity: Form::Short,
    time: Time::Sent,
    depth: 16,
    changes: 2,
    words: None,
    asks_worst_first: true,
    bad_price: BAD_KEY,
    no_side: NO_ASKS,
};

const KORBIT: BookWire = BookWire {
    frame: r#"{"symbol":"$pair","timestamp":$ms,"type":"orderbook","data":{"timestamp":$changed,"asks":[$asks],"bids":[$bids]}}"#,
    time: Time::Changed,
    depth: 30,
    asks_worst_first: false,
    ..COINONE
};

const OKX: BookWire = BookWire {
    frame: r#"{"arg":{"channel":"books","instId":"$pair"},"action":"$type","data":[{"asks":[$asks],"bids":[$bids],"ts":"$ms","checksum":0,"seqId":$seq,"prevSeqId":$prev}]}"#,
    level: r#"["$p","$q","0","$n"]"#,
    price: Form::Short,
    quantity: Form::Short,
    time: Time::Sent,
    depth: 400,
    changes: 10,
    words: Some(["snapshot", "update"]),
    asks_worst_first: false,
    bad_price: BAD_ELEMENT,
    no_side: NO_ASKS,
};

const BYBIT: BookWire = BookWire {
    frame: r#"{"topic":"orderbook.$depth.$pair","ts":$ms,"type":"$type","data":{"s":"$pair","b":[$bids],"a":[$asks],"u":$seq,"seq":$id},"cts":$changed}"#,
    level: PAIR,
    time: Time::Changed,
    depth: 50,
    changes: 4,
    words: Some(["snapshot", "delta"]),
    no_side: (r#""b":"#, r#""z":"#),
    ..OKX
};

const GATEIO: BookWire = BookWire {
    frame: r#"{"time":$seconds,"time_ms":$ms,"channel":"spot.order_book","event":"update","result":{"t":$changed,"lastUpdateId":$seq,"s":"$pair","l":"$depth","bids":[$bids],"asks":[$asks]}}"#,
    time: Time::Changed,
    depth: 100,
    changes: 5,
    words: None,
    no_side: NO_ASKS,
    ..BYBIT
};

const BINANCE: BookWire = BookWire {
    frame: r#"{"stream":"$lower@depth20","data":{"lastUpdateId":$seq,"bids":[$bids],"asks":[$asks]}}"#,
    price: Form::Fixed(8),
    quantity: Form::Full,
    time: Time::Input,
    depth: 20,
    changes: 4,
    ..GATEIO
};

/// Binance's other channel: changes only, of the whole book.
pub(super) const BINANCE_DIFF: BookWire = BookWire {
    frame: r#"{"stream":"$lower@depth","data":{"e":"depthUpdate","E":$ms,"s":"$pair","U":$first,"u":$seq,"b":[$bids],"a":[$asks]}}"#,
    time: Time::Sent,
    no_side: (r#""b":"#, r#""z":"#),
    ..BINANCE
};

const KRAKEN: BookWire = BookWire {
    frame: r#"{"channel":"book","type":"$type","data":[{"symbol":"$pair","bids":[$bids],"asks":[$asks],"checksum":$checksum,"timestamp":"$rfc"}]}"#,
    level: r#"{"price":$p,"qty":$q}"#,
    price: Form::Full,
    quantity: Form::Full,
    time: Time::Micros,
    depth: 10,
    changes: 5,
    words: Some(["snapshot", "update"]),
    bad_price: BAD_KEY,
    ..OKX
};

impl BookWire {
    /// The exchange's usual channel.
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

    /// The frame's text. Levels are written in the order given; `meta` writes every name that is not about levels or times.
    pub(super) fn write(&self, coin: &Coin, levels: &Levels, times: Times, meta: impl Fn(&str, &mut String)) -> String {
        let mut out = String::with_capacity(256 + self.level.len() * 2 * (levels[BID].len() + levels[ASK].len()));
        fill(self.frame, &mut out, |name, out| match name {
            "pair" => out.push_str(&coin.pair),
            "lower" => out.push_str(&coin.pair.to_ascii_lowercase()),
            "asks" => self.side(coin, &levels[ASK], self.asks_worst_first, out),
            "bids" => self.side(coin, &levels[BID], false, out),
            "units" => self.units(coin, levels, out),
            "asksum" => self.sum(coin, &levels[ASK], out),
            "bidsum" => self.sum(coin, &levels[BID], out),
            _ if times.write(name, out) => {}
            _ => meta(name, out),
        });
        out
    }

    fn side(&self, coin: &Coin, levels: &[(i64, i64)], reversed: bool, out: &mut String) {
        for at in 0..levels.len() {
            let (key, quantity) = levels[if reversed { levels.len() - 1 - at } else { at }];
            out.push_str(if at == 0 { "" } else { "," });
            fill(self.level, out, |name, out| match name {
                "p" => Number::new(key.abs().into(), coin.price_scale).write(self.price, out),
                "q" => Number::new(quantity.into(), coin.quantity_scale).write(self.quantity, out),
                _ => out.push_str(&if quantity == 0 { 0 } else { 1 + quantity % 7 }.to_string()),
            });
        }
    }

    /// The i-th ask beside the i-th bid; the shorter side is filled up with price 0 and size 0.
    fn units(&self, coin: &Coin, levels: &Levels, out: &mut String) {
        for at in 0..SIDES.map(|side| levels[side].len()).into_iter().max().unwrap_or(0) {
            out.push_str(if at == 0 { "" } else { "," });
            fill(self.level, out, |name, out| {
                let side = if name.starts_with('a') { ASK } else { BID };
                let (key, quantity) = levels[side].get(at).copied().unwrap_or((0, 0));
                match name {
                    "ap" | "bp" if key == 0 => out.push('0'),
                    "ap" | "bp" => Number::new(key.abs().into(), coin.price_scale).write(self.price, out),
                    _ if quantity == 0 => out.push('0'),
                    _ => Number::new(quantity.into(), coin.quantity_scale).write(self.quantity, out),
                }
            });
        }
    }

    fn sum(&self, coin: &Coin, levels: &[(i64, i64)], out: &mut String) {
        let sum = levels.iter().map(|&(_, quantity)| i128::from(quantity)).sum();
        Number::new(sum, coin.quantity_scale).write(self.quantity, out);
    }
}

/// The times of one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When it was sent, in microseconds.
    pub(super) sent_us: i64,
    /// When what it tells happened, in milliseconds; not later.
    pub(super) changed_ms: i64,
}

impl Times {
    /// Writes a time by its name in a template; false where the name is not one of a time.
    pub(super) fn write(self, name: &str, out: &mut String) -> bool {
        let number = match name {
            "rfc" => {
                out.push_str(&clock::rfc3339(self.sent_us));
                return true;
            }
            "ms" => self.sent_us / 1_000,
            "us" => self.sent_us,
            "seconds" => self.sent_us / 1_000_000,
            "changed" => self.changed_ms,
            // A counter made of the milliseconds and three digits more, as at Coinone.
            "id" => self.sent_us / 1_000 * 1_000 + 1,
            _ => return false,
        };
        out.push_str(&number.to_string());
        true
    }

    /// The event time in microseconds, by the channel's source.
    pub(super) const fn event_us(self, time: Time, input_ms: i64) -> i64 {
        match time {
            Time::Sent => self.sent_us / 1_000 * 1_000,
            Time::Changed => self.changed_ms * 1_000,
            Time::Micros => self.sent_us,
            Time::Input => input_ms * 1_000,
        }
    }
}
