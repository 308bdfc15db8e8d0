-- What a payment must show before it is confirmed, what it has shown, and events about a chain
-- itself.

-- The highest covered block that the node called safe.
ALTER TABLE chains ADD COLUMN safe BIGINT;

-- The tag that must have reached a payment, and the proof that it needs.
ALTER TABLE order_options ADD COLUMN finality_tag TEXT;
UPDATE order_options SET finality_tag = 'finalized' WHERE finalized_tag = 1;
ALTER TABLE order_options DROP COLUMN finalized_tag;
ALTER TABLE order_options ADD COLUMN proof TEXT NOT NULL DEFAULT 'none';

-- What was shown of each payment, and the evidence.
ALTER TABLE transfers ADD COLUMN proof TEXT NOT NULL DEFAULT 'none';
CREATE TABLE payment_proofs (
    payment_id TEXT NOT NULL PRIMARY KEY REFERENCES transfers (payment_id),
    bundle TEXT NOT NULL,
    proved_at BIGINT NOT NULL
);
CREATE INDEX transfers_unproved ON transfers (chain_id, block_number)
    WHERE canonical = 1 AND proof = 'none';

-- The event log, now also of chains: an event is of an order or of a chain.
CREATE TABLE events_of_all (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT REFERENCES orders (id),
    order_seq BIGINT,
    chain_id BIGINT,
    kind TEXT NOT NULL,
    payment_id TEXT,
    status TEXT,
    flags TEXT,
    received TEXT,
    counted TEXT,
    confirmed TEXT,
    excess TEXT,
    detail TEXT,
    happened_at BIGINT NOT NULL,
    UNIQUE (order_id, order_seq),
    CHECK ((order_id IS NULL) <> (chain_id IS NULL))
);
INSERT INTO events_of_all (seq, id, order_id, order_seq, kind, payment_id, status, flags, received,
    counted, confirmed, excess, happened_at)
    SELECT seq, id, order_id, order_seq, kind, payment_id, status, flags, received, counted,
        confirmed, excess, happened_at FROM events;
DROP TABLE events;
ALTER TABLE events_of_all RENAME TO events;
