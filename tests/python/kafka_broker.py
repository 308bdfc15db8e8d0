"""A broker that speaks Kafka's protocol: the one that librdkafka carries for its own tests. Says where it
listens, then answers each line of its input, which is a number, with so many of its records.
"""

import json
import sys

from confluent_kafka import Consumer, OFFSET_BEGINNING, Producer, TopicPartition

TOPIC = "events"

producer = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
# Asked for a topic, it makes it.
metadata = producer.list_topics(TOPIC, timeout=30)
[broker] = metadata.brokers.values()
address = f"{broker.host}:{broker.port}"
partitions = sorted(metadata.topics[TOPIC].partitions)
print(json.dumps({"address": address, "partitions": len(partitions)}), flush=True)

consumer = Consumer({"bootstrap.servers": address, "group.id": "test"})
for line in sys.stdin:
    wanted = int(line)
    consumer.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in partitions])
    records = []
    while len(records) < wanted:
        message = consumer.poll(30)
        if message is None:
            break
        records.append(
            {
                "partition": message.partition(),
                "offset": message.offset(),
                "key": message.key().decode(),
                "value": message.value().decode(),
                "headers": {name: value.decode() for name, value in message.headers()},
            }
        )
    consumer.unassign()
    print(json.dumps(records), flush=True)
consumer.close()
