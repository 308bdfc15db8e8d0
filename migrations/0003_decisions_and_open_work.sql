-- What operators decide, how an order's amount is meant, and columns that say by themselves what
-- work is open, so that finding it does not take longer the more there is in the books.

-- Whether the amount is asked exactly or at least, and what an operator called enough.
ALTER TABLE orders ADD COLUMN asking TEXT NOT NULL DEFAULT 'exactly';
ALTER TABLE orders ADD COLUMN accepted TEXT;

-- The deadline while the order may still expire.
ALTER TABLE orders ADD COLUMN open_until BIGINT;
UPDATE orders SET open_until = expires_at WHERE status IN ('awaiting_payment', 'partially_paid');
DROP INDEX orders_open_by_deadline;
CREATE INDEX orders_open ON orders (open_until) WHERE open_until IS NOT NULL;

-- The chain whose finality a payment still waits for.
ALTER TABLE transfers ADD COLUMN waits_for BIGINT;
UPDATE transfers SET waits_for = chain_id WHERE canonical = 1 AND state = 'seen';
DROP INDEX transfers_unconfirmed;
CREATE INDEX transfers_waiting ON transfers (waits_for, order_id) WHERE waits_for IS NOT NULL;

-- What operators decided, and why. Rows are added and never changed; each digest covers its row and
-- the digest before it, so that a later change shows.
CREATE TABLE decisions (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    order_id TEXT REFERENCES orders (id),
    payment_id TEXT,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    detail TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX decisions_by_order ON decisions (order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX decisions_by_payment ON decisions (payment_id, seq) WHERE payment_id IS NOT NULL;
INSERT INTO counters (name, value) VALUES ('decisions', 0);
