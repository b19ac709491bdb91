//! The order of a lane's frames, symbol by symbol: whether one tells of an earlier time than the one before, or gives the same record once more.
//! Counts alone come of it: nothing is dropped or put in order.

use std::collections::HashMap;

use crate::envelope::Symbol;
use crate::event_time::EventTime;
use crate::market::Exchange;

/// How many symbols are followed; frames of more are not looked at.
const SYMBOLS_MAX: usize = 10_000;

/// How a frame stands to the one before of its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It tells of a later time, or of the same with another record, or is the first.
    Next,
    /// It tells of an earlier time.
    Early,
    /// Its record is the same.
    Repeated,
}

#[derive(Debug, Default)]
struct Last {
    time: Option<EventTime>,
    record: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Order {
    places: HashMap<Vec<u8>, usize>,
    last: Vec<Last>,
    key: Vec<u8>,
}

impl Order {
    /// Where frames of the symbol are followed; once an envelope.
    pub(super) fn of(&mut self, exchange: Exchange, symbol: &Symbol) -> Option<usize> {
        self.key.clear();
        self.key.push(exchange as u8);
        self.key.extend_from_slice(symbol.as_bytes());
        if let Some(&place) = self.places.get(&self.key) {
            return Some(place);
        }
        if self.last.len() == SYMBOLS_MAX {
            return None;
        }
        self.places.insert(self.key.clone(), self.last.len());
        self.last.push(Last::default());
        Some(self.last.len() - 1)
    }

    /// Takes the next record of a symbol, with the time that its frame tells.
    pub(super) fn take(&mut self, place: usize, time: EventTime, record: &[u8]) -> Place {
        let last = &mut self.last[place];
        match last.time {
            Some(before) if time < before => return Place::Early,
            Some(before) if time == before && last.record == record => return Place::Repeated,
            _ => {}
        }
        last.time = Some(time);
        last.record.clear();
        last.record.extend_from_slice(record);
        Place::Next
    }

    /// Forgets all: what is read next may have been read before.
    pub(super) fn forget(&mut self) {
        self.last.iter_mut().for_each(|last| last.time = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symbol_has_an_order_of_its_own() {
        let mut order = Order::default();
        let symbol = |text: &str| Symbol::parse(text.as_bytes()).expect("a symbol");
        let btc = order.of(Exchange::Okx, &symbol("BTC")).expect("room");
        let eth = order.of(Exchange::Okx, &symbol("ETH")).expect("room");
        assert_eq!(order.of(Exchange::Okx, &symbol("btc")), Some(btc));
        let mut take = |place, micros, record: &str| order.take(place, EventTime::from_micros(micros), record.as_bytes());
        assert_eq!([take(btc, 5, "a"), take(eth, 4, "a"), take(btc, 5, "a"), take(btc, 5, "b")], [Place::Next, Place::Next, Place::Repeated, Place::Next]);
        assert_eq!([take(btc, 4, "b"), take(btc, 5, "b"), take(btc, 6, "b")], [Place::Early, Place::Repeated, Place::Next], "an early one changes nothing");
        order.forget();
        assert_eq!(order.take(btc, EventTime::from_micros(1), b"b"), Place::Next);
    }

    #[test]
    fn symbols_without_end_take_no_memory_without_end() {
        let mut order = Order::default();
        let places = (0..SYMBOLS_MAX + 2).filter_map(|index| order.of(Exchange::Okx, &Symbol::parse(format!("S{index}").as_bytes()).expect("a symbol")));
        assert_eq!(places.count(), SYMBOLS_MAX);
    }
}
