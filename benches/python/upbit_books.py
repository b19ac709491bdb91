#!/usr/bin/env python3
"""The work of the hub on Upbit's order books, done in Python with json and pydantic: envelope bytes to record bytes, exact decimals.

    pip install pydantic
    cargo build --release
    python3 benches/python/upbit_books.py

The hub writes the envelopes that its own figure is taken from (`bench --write-input`) and the records that must come of them (`replay`). Every record
that comes out here is held against the hub's before anything is timed; then the two take turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pydantic

REGIONS = {"korea": "Korea", "asia": "Asia", "ne": "NE"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FUTURE_MAX_MS = 3_600_000


class Envelope(pydantic.BaseModel):
    region: str
    market: str
    symbol: str
    data: list[str]


class Unit(pydantic.BaseModel):
    ask_price: Decimal
    bid_price: Decimal
    ask_size: Decimal
    bid_size: Decimal


class Frame(pydantic.BaseModel):
    timestamp: int
    orderbook_units: list[Unit]


class Record(pydantic.BaseModel):
    region: str
    market: str
    coin_symbol: str
    highest_bid: Decimal | None
    lowest_ask: Decimal | None
    spread: Decimal | None
    total_bid_volume: Decimal
    total_ask_volume: Decimal
    timestamp: str

    def text(self) -> str:
        return (
            f'{{"region":"{self.region}","market":"{self.market}","coin_symbol":"{self.coin_symbol}",'
            f'"highest_bid":{plain(self.highest_bid)},"lowest_ask":{plain(self.lowest_ask)},"spread":{plain(self.spread)},'
            f'"total_bid_volume":{plain(self.total_bid_volume)},"total_ask_volume":{plain(self.total_ask_volume)},'
            f'"timestamp":"{self.timestamp}"}}'
        )


def plain(value: Decimal | None) -> str:
    """Without exponent and superfluous zeros, with at least one decimal."""
    if value is None:
        return "null"
    text = f"{value.normalize():f}"
    return text if "." in text else text + ".0"


def process(value: bytes, timestamp_ms: int) -> list[tuple[str, int, str]]:
    """Envelope in; key, timestamp and text of each record out."""
    envelope = Envelope.model_validate(json.loads(value))
    region, market, symbol = REGIONS[envelope.region], envelope.market.upper(), envelope.symbol.upper()
    records = []
    for text in envelope.data:
        frame = Frame.model_validate(json.loads(text, parse_float=Decimal))
        bids = {unit.bid_price: unit.bid_size for unit in frame.orderbook_units if unit.bid_price and unit.bid_size}
        asks = {unit.ask_price: unit.ask_size for unit in frame.orderbook_units if unit.ask_price and unit.ask_size}
        bid, ask = max(bids, default=None), min(asks, default=None)
        record = Record(
            region=region,
            market=market,
            coin_symbol=symbol,
            highest_bid=bid,
            lowest_ask=ask,
            spread=ask - bid if bids and asks else None,
            total_bid_volume=sum(bids.values(), Decimal()),
            total_ask_volume=sum(asks.values(), Decimal()),
            timestamp=(EPOCH + timedelta(milliseconds=frame.timestamp)).strftime("%Y-%m-%d %H:%M:%S.%f+00:00"),
        )
        kafka_ms = timestamp_ms if frame.timestamp > timestamp_ms + FUTURE_MAX_MS else frame.timestamp
        records.append((f"{market}:{symbol}", kafka_ms, record.text()))
    return records


def check(envelopes: list[tuple[bytes, int]], records: Path) -> int:
    """Holds every record against the hub's; gives how many there are."""
    found = [record for envelope in envelopes for record in process(*envelope)]
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    expected = [(line["key"], line["timestamp_ms"], line["value"]) for line in lines]
    for number, (ours, hubs) in enumerate(zip(found, expected)):
        if ours != hubs:
            sys.exit(f"record {number} is different:\n  here: {ours}\n  hub:  {hubs}")
    if len(found) != len(expected):
        sys.exit(f"{len(found)} records here, {len(expected)} of the hub")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hub", default="target/release/market-hub", help="the hub's binary")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        envelopes_file, records_file, figures = (Path(folder) / name for name in ("envelopes", "records", "figures"))

        def hub(*arguments: str) -> None:
            subprocess.run([options.hub, *arguments], check=True, stdout=subprocess.DEVNULL)

        hub("bench", "--write-input", str(envelopes_file))
        hub("replay", str(envelopes_file), "--out", str(records_file))
        lines = [json.loads(line) for line in envelopes_file.read_text().splitlines()]
        envelopes = [(line["value"].encode(), line["timestamp_ms"]) for line in lines]
        frames = check(envelopes, records_file)
        here, there = [], []
        for turn in range(options.turns):
            begin = time.thread_time_ns()
            for envelope in envelopes:
                process(*envelope)
            here.append((time.thread_time_ns() - begin) / frames)
            hub("bench", "--only", "core", "--turns", "3", "--json", str(figures))
            rows = json.loads(figures.read_text())["rows"]
            there.append(next(row["median"] for row in rows if row["name"] == "UPBIT orderbook" and row["unit"] == "ns"))
            print(f"turn {turn + 1} of {options.turns}: {here[-1]:.0f} and {there[-1]:.0f} ns a frame", file=sys.stderr)
    python, hub_ns = statistics.median(here), statistics.median(there)
    print(f"Python {sys.version.split()[0]}, pydantic {pydantic.VERSION}; {frames} records, all as the hub's")
    print(f"ns a frame, medians of {options.turns} turns: Python {python:.0f}, hub {hub_ns:.0f}, ratio {python / hub_ns:.1f}")


if __name__ == "__main__":
    main()
