#!/usr/bin/env python3
"""Upbit's order books from topic to topic in Python: what `upbit_books.py` does with an envelope, between a consumer and a producer.

    pip install pydantic confluent-kafka
    cargo bench --bench throughput -- books --turns 3 --program "python3 benches/python/books_through_kafka.py"

Takes the arguments of the bench's pass-through. Runs until it is killed.
"""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from upbit_books import process

COMMIT_SECONDS = 0.1


def main(brokers: str, group: str, _low_latency: str, lane: str) -> None:
    source, target, partition = lane.split(" ")[:3]
    partition = int(partition)
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 16384,
        "fetch.queue.backoff.ms": 5,
    })
    consumer.assign([TopicPartition(source, partition, OFFSET_BEGINNING)])
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "acks": "all", "linger.ms": 5, "batch.size": 1_000_000})
    position, committed_at = None, time.monotonic()
    while True:
        for message in consumer.consume(64, 0.01):
            if message.error():
                sys.exit(str(message.error()))
            _, timestamp_ms = message.timestamp()
            for key, kafka_ms, text in process(message.value(), timestamp_ms):
                send(producer, target, partition, key, kafka_ms, text)
            position = message.offset() + 1
        producer.poll(0)
        if position is not None and time.monotonic() - committed_at > COMMIT_SECONDS:
            committed_at = time.monotonic()
            consumer.commit(offsets=[TopicPartition(source, partition, position)], asynchronous=True)


def send(producer: Producer, topic: str, partition: int, key: str, timestamp_ms: int, text: str) -> None:
    while True:
        try:
            producer.produce(topic, text, key, partition, timestamp=timestamp_ms)
            return
        except BufferError:
            producer.poll(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
