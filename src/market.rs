//! What is traded where: regions, exchanges, kinds and the six streams, as types and tables (contract, section 1).
//!
//! Owns every name that is fixed by the contract. Never parses a frame.

use std::fmt;

/// One of the three regions; each has a ticker and an order-book stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    /// Upbit, Bithumb, Coinone, Korbit.
    Korea,
    /// OKX, Bybit, Gate.io.
    Asia,
    /// Binance, Kraken.
    Ne,
}

impl Region {
    /// All regions, in the order of the contract.
    pub const ALL: [Self; 3] = [Self::Korea, Self::Asia, Self::Ne];

    /// The region as records write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Korea => "Korea",
            Self::Asia => "Asia",
            Self::Ne => "NE",
        }
    }

    /// Reads an envelope's `region`, in any letter case (ASCII).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.as_str().eq_ignore_ascii_case(text))
    }

    /// The region's exchanges in the order of their partitions: the exchange at index `p` is expected on partition `p`.
    #[must_use]
    pub const fn exchanges(self) -> &'static [Exchange] {
        match self {
            Self::Korea => &[Exchange::Upbit, Exchange::Bithumb, Exchange::Coinone, Exchange::Korbit],
            Self::Asia => &[Exchange::Okx, Exchange::Bybit, Exchange::Gateio],
            Self::Ne => &[Exchange::Binance, Exchange::Kraken],
        }
    }
}

/// One of the nine exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Exchange {
    Upbit,
    Bithumb,
    Coinone,
    Korbit,
    Okx,
    Bybit,
    Gateio,
    Binance,
    Kraken,
}

impl Exchange {
    /// How many exchanges there are; `exchange as usize` is below it.
    pub const COUNT: usize = Self::ALL.len();

    /// All exchanges, by region and partition.
    pub const ALL: [Self; 9] = [Self::Upbit, Self::Bithumb, Self::Coinone, Self::Korbit, Self::Okx, Self::Bybit, Self::Gateio, Self::Binance, Self::Kraken];

    /// The market name as records write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upbit => "UPBIT",
            Self::Bithumb => "BITHUMB",
            Self::Coinone => "COINONE",
            Self::Korbit => "KORBIT",
            Self::Okx => "OKX",
            Self::Bybit => "BYBIT",
            Self::Gateio => "GATEIO",
            Self::Binance => "BINANCE",
            Self::Kraken => "KRAKEN",
        }
    }

    /// Reads an envelope's `market`, in any letter case (ASCII); `DIGITALX` is Korbit's new name (contract, section 2).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("DIGITALX") {
            return Some(Self::Korbit);
        }
        Self::ALL.into_iter().find(|exchange| exchange.as_str().eq_ignore_ascii_case(text))
    }

    /// The region whose topics carry this exchange.
    #[must_use]
    pub const fn region(self) -> Region {
        match self {
            Self::Upbit | Self::Bithumb | Self::Coinone | Self::Korbit => Region::Korea,
            Self::Okx | Self::Bybit | Self::Gateio => Region::Asia,
            Self::Binance | Self::Kraken => Region::Ne,
        }
    }

    /// The partition of the region's topics on which this exchange is expected.
    #[must_use]
    pub const fn partition(self) -> i32 {
        match self {
            Self::Upbit | Self::Okx | Self::Binance => 0,
            Self::Bithumb | Self::Bybit | Self::Kraken => 1,
            Self::Coinone | Self::Gateio => 2,
            Self::Korbit => 3,
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the frames of a stream tell: 24-hour tickers or order books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Kind {
    Ticker,
    Orderbook,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Ticker, Self::Orderbook];

    /// The kind as settings and reports spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticker => "ticker",
            Self::Orderbook => "orderbook",
        }
    }
}

/// One (region, kind): an input topic, an output topic and a consumer group. There are six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream {
    /// Where the exchanges are.
    pub region: Region,
    /// What their frames tell.
    pub kind: Kind,
}

impl Stream {
    /// How many streams there are; [`Stream::index`] is below it.
    pub const COUNT: usize = Self::ALL.len();

    /// All streams: region by region, tickers first.
    pub const ALL: [Self; 6] = [
        Self { region: Region::Korea, kind: Kind::Ticker },
        Self { region: Region::Korea, kind: Kind::Orderbook },
        Self { region: Region::Asia, kind: Kind::Ticker },
        Self { region: Region::Asia, kind: Kind::Orderbook },
        Self { region: Region::Ne, kind: Kind::Ticker },
        Self { region: Region::Ne, kind: Kind::Orderbook },
    ];

    /// The stream's place in [`Stream::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.region as usize * 2 + self.kind as usize
    }

    /// The name in settings and reports: `korea-ticker`, `asia-orderbook`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        ["korea-ticker", "korea-orderbook", "asia-ticker", "asia-orderbook", "ne-ticker", "ne-orderbook"][self.index()]
    }

    /// Reads [`Stream::name`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == text)
    }

    /// The deployed name of the input topic. `kora` is spelled so on purpose.
    #[must_use]
    pub const fn input_topic(self) -> &'static str {
        [
            "koraSocketDataIn-ticker",
            "koraSocketDataIn-Orderbook",
            "asiaSocketDataIn-ticker",
            "asiaSocketDataIn-Orderbook",
            "neSocketDataIn-ticker",
            "neSocketDataIn-Orderbook",
        ][self.index()]
    }

    /// The deployed name of the output topic.
    #[must_use]
    pub const fn output_topic(self) -> &'static str {
        [
            "Region.Korea_TickerPreprocessing",
            "Region.Korea_OrderbookPreprocessing",
            "Region.Asia_TickerPreprocessing",
            "Region.Asia_OrderbookPreprocessing",
            "Region.NE_TickerPreprocessing",
            "Region.NE_OrderbookPreprocessing",
        ][self.index()]
    }

    /// The deployed name of the consumer group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        ["Ticker_group_id_Korea", "Orderbook_group_id_Korea", "Ticker_group_id_Asia", "Orderbook_group_id_Asia", "Ticker_group_id_NE", "Orderbook_group_id_NE"]
            [self.index()]
    }

    /// How many partitions the contract gives the stream's topics: one an exchange.
    #[must_use]
    pub const fn partitions(self) -> i32 {
        self.region.exchanges().len() as i32
    }

    /// The exchange that the contract puts on `partition`; `None` beyond the contract's partitions.
    #[must_use]
    pub fn exchange_at(self, partition: i32) -> Option<Exchange> {
        usize::try_from(partition).ok().and_then(|index| self.region.exchanges().get(index).copied())
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_agree_with_each_other() {
        for (index, stream) in Stream::ALL.into_iter().enumerate() {
            assert_eq!(stream.index(), index);
            assert_eq!(Stream::parse(stream.name()), Some(stream));
        }
        for exchange in Exchange::ALL {
            let stream = Stream { region: exchange.region(), kind: Kind::Ticker };
            assert_eq!(stream.exchange_at(exchange.partition()), Some(exchange));
            assert_eq!(Exchange::parse(&exchange.as_str().to_lowercase()), Some(exchange));
        }
        assert_eq!(Stream::ALL.iter().map(|stream| stream.partitions()).sum::<i32>(), 18);
    }

    #[test]
    fn names_are_matched_without_case_and_ascii_only() {
        assert_eq!(Region::parse("kOREA"), Some(Region::Korea));
        assert_eq!(Exchange::parse("DigitalX"), Some(Exchange::Korbit));
        assert_eq!(Exchange::parse("\u{212a}RAKEN"), None, "a Kelvin sign is no K");
    }
}
