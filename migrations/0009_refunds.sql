-- Money that goes back: what was prepared for the merchant's wallet to send, and what was sent.

-- payment_id names the transfer that carries the refund out, or did so last: it is on its chain if
-- state is sent or confirmed. One transfer carries out one refund.
CREATE TABLE refunds (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    reference TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    chain_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    symbol TEXT NOT NULL,
    decimals BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    amount TEXT NOT NULL,
    reason TEXT NOT NULL,
    min_confirmations BIGINT NOT NULL,
    finality_tag TEXT,
    proof TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    cancelled_at BIGINT,
    state TEXT NOT NULL,
    payment_id TEXT,
    UNIQUE (order_id, reference),
    CHECK (state IN ('prepared', 'sent', 'confirmed', 'cancelled')),
    CHECK (state NOT IN ('sent', 'confirmed') OR payment_id IS NOT NULL),
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE UNIQUE INDEX refunds_one_each ON refunds (payment_id)
    WHERE state IN ('sent', 'confirmed');
CREATE INDEX refunds_by_payment ON refunds (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX refunds_open ON refunds (recipient) WHERE state = 'prepared';
CREATE INDEX refunds_unconfirmed ON refunds (chain_id) WHERE state = 'sent';
CREATE INDEX refunds_by_state ON refunds (state, id);

-- What was sent back for each order, and what had been when an event was told.
ALTER TABLE orders ADD COLUMN refunded TEXT NOT NULL DEFAULT '0';
ALTER TABLE events ADD COLUMN refunded TEXT;
