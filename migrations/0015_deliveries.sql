-- Who is told of events, what is still to be told, and what came of it.

-- An order may name where it is told of; format says how.
ALTER TABLE orders ADD COLUMN callback_url TEXT;
ALTER TABLE orders ADD COLUMN callback_origin TEXT;
ALTER TABLE orders ADD COLUMN callback_format TEXT;

-- types are the names of events with spaces between them, or *. Events up to number queued_to are
-- queued or not wanted. leased_by delivers until leased_until. requeued counts how often something
-- was to be delivered once more.
CREATE TABLE endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    format TEXT NOT NULL,
    types TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    disabled_because TEXT,
    queued_to BIGINT NOT NULL,
    failing_since BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    last_failure TEXT,
    alerted_at BIGINT,
    leased_by TEXT,
    leased_until BIGINT NOT NULL DEFAULT 0,
    requeued BIGINT NOT NULL DEFAULT 0,
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
);

-- What signs for an endpoint. Several at once while one takes the place of another.
CREATE TABLE endpoint_secrets (
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id),
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (endpoint_id, secret)
);

-- One event for one endpoint. What has one subject is told in order: with one subject and origin,
-- next_at never falls as seq grows. origin is the server that target, an order's own URL, names.
CREATE TABLE deliveries (
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id),
    seq BIGINT NOT NULL,
    subject TEXT NOT NULL,
    origin TEXT NOT NULL,
    target TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'dropped')),
    attempts BIGINT NOT NULL,
    tried BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (endpoint_id, seq),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, origin, next_at, seq)
    WHERE state = 'pending';
CREATE INDEX deliveries_of_subject ON deliveries (endpoint_id, subject, seq)
    WHERE state = 'pending';
CREATE INDEX deliveries_by_state ON deliveries (endpoint_id, state, seq);

-- Every request that was sent, and what was answered.
CREATE TABLE delivery_attempts (
    endpoint_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    status BIGINT,
    failure TEXT,
    answer TEXT NOT NULL,
    PRIMARY KEY (endpoint_id, seq, attempt)
);

-- The event log, now also of endpoints: an event is of an order, of a chain or of an endpoint.
CREATE TABLE events_of_all (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT REFERENCES orders (id),
    order_seq BIGINT,
    chain_id BIGINT,
    endpoint_id TEXT,
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
    refunded TEXT,
    told_before BIGINT,
    order_then TEXT,
    UNIQUE (order_id, order_seq),
    CHECK (CASE WHEN order_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN chain_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN endpoint_id IS NULL THEN 0 ELSE 1 END = 1)
);
INSERT INTO events_of_all (seq, id, order_id, order_seq, chain_id, kind, payment_id, status, flags,
    received, counted, confirmed, excess, detail, happened_at, refunded, told_before, order_then)
    SELECT seq, id, order_id, order_seq, chain_id, kind, payment_id, status, flags, received,
        counted, confirmed, excess, detail, happened_at, refunded, told_before, order_then
    FROM events;
DROP TABLE events;
ALTER TABLE events_of_all RENAME TO events;
CREATE INDEX events_by_kind ON events (kind, seq);
