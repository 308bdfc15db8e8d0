-- Orders, what the chains say about them, and what was told to the outside.
--
-- One dialect for SQLite and PostgreSQL: TEXT and BIGINT only. Addresses and hashes are lower-case
-- hex with 0x, amounts decimal strings, times Unix milliseconds, booleans 0 and 1.

-- Numbers without gaps. A writer takes them in its transaction, so the row's lock makes the order
-- of numbers the order of commits.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('events', 0);

-- How far each chain is covered. The tip is the cursor.
CREATE TABLE chains (
    chain_id BIGINT NOT NULL PRIMARY KEY,
    tip_number BIGINT NOT NULL,
    tip_hash TEXT NOT NULL,
    tip_parent_hash TEXT NOT NULL,
    tip_timestamp BIGINT NOT NULL,
    finalized BIGINT,
    covered_time BIGINT NOT NULL,
    node_head BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The recent blocks of each chain, in which forks are found.
CREATE TABLE blocks (
    chain_id BIGINT NOT NULL REFERENCES chains (chain_id),
    number BIGINT NOT NULL,
    hash TEXT NOT NULL,
    parent_hash TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    PRIMARY KEY (chain_id, number)
);

-- What the merchant expects, and the snapshot of what has become of it.
CREATE TABLE orders (
    id TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    request_digest TEXT NOT NULL,
    amount TEXT NOT NULL,
    tolerance TEXT NOT NULL,
    late_policy TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    cancelled_at BIGINT,
    status TEXT NOT NULL,
    flags TEXT NOT NULL,
    received TEXT NOT NULL,
    counted TEXT NOT NULL,
    confirmed TEXT NOT NULL,
    excess TEXT NOT NULL,
    version BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    updated_at BIGINT NOT NULL
);
CREATE INDEX orders_by_status ON orders (status, seq);
CREATE INDEX orders_open_by_deadline ON orders (expires_at)
    WHERE status IN ('awaiting_payment', 'partially_paid');

-- The ways in which an order may be paid, with the rules that were promised with it.
CREATE TABLE order_options (
    order_id TEXT NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL,
    chain_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    symbol TEXT NOT NULL,
    decimals BIGINT NOT NULL,
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    factory TEXT,
    treasury TEXT,
    min_confirmations BIGINT NOT NULL,
    finalized_tag BIGINT NOT NULL CHECK (finalized_tag IN (0, 1)),
    PRIMARY KEY (order_id, position)
);
CREATE INDEX order_options_by_address ON order_options (address);

CREATE TABLE order_metadata (
    order_id TEXT NOT NULL REFERENCES orders (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (order_id, name)
);

-- The addresses to which payments are expected. seq is that of the order's first event, so that a
-- reader can read on.
CREATE TABLE watched_addresses (
    address TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    seq BIGINT NOT NULL,
    PRIMARY KEY (address, order_id)
);
CREATE INDEX watched_addresses_by_seq ON watched_addresses (seq);

-- Every transfer to an order's address that was ever on a chain. Those that left their chain
-- (canonical = 0) stay as history.
CREATE TABLE transfers (
    chain_id BIGINT NOT NULL,
    block_hash TEXT NOT NULL,
    log_index BIGINT NOT NULL,
    payment_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL REFERENCES orders (id),
    block_number BIGINT NOT NULL,
    block_timestamp BIGINT NOT NULL,
    tx_hash TEXT NOT NULL,
    token TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    amount TEXT NOT NULL,
    canonical BIGINT NOT NULL CHECK (canonical IN (0, 1)),
    confirmed_at_tip BIGINT,
    state TEXT NOT NULL,
    is_late BIGINT NOT NULL CHECK (is_late IN (0, 1)),
    detected_at BIGINT NOT NULL,
    reverted_at BIGINT,
    PRIMARY KEY (chain_id, block_hash, log_index)
);
CREATE INDEX transfers_by_order ON transfers (order_id);
CREATE INDEX transfers_by_transaction ON transfers (tx_hash);
CREATE INDEX transfers_by_height ON transfers (chain_id, block_number) WHERE canonical = 1;
CREATE INDEX transfers_unconfirmed ON transfers (chain_id, order_id)
    WHERE canonical = 1 AND state = 'seen';

-- What happened, in the order in which it was committed: the outbox.
CREATE TABLE events (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL REFERENCES orders (id),
    order_seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payment_id TEXT,
    status TEXT NOT NULL,
    flags TEXT NOT NULL,
    received TEXT NOT NULL,
    counted TEXT NOT NULL,
    confirmed TEXT NOT NULL,
    excess TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    UNIQUE (order_id, order_seq)
);

-- Keys to the API: only the SHA-256 of what the client sends is kept.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
