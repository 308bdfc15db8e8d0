-- What lists and sweeps need so that they do not take longer the more there is in the books.

-- The chain that has to pass an open order's deadline before the order is looked at again: one of
-- its own. Found to wait for another chain then, it is left to that one.
ALTER TABLE orders ADD COLUMN open_on BIGINT;
UPDATE orders SET open_on =
    (SELECT MIN(chain_id) FROM order_options WHERE order_options.order_id = orders.id);
DROP INDEX orders_open;
CREATE INDEX orders_due ON orders (open_on, open_until) WHERE open_until IS NOT NULL;

-- Where each order may be paid: a chain's id, or an address. An address may be that of many orders.
CREATE TABLE order_places (
    seq BIGINT NOT NULL REFERENCES orders (seq),
    place TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (seq, place)
);
INSERT INTO order_places (seq, place, status)
    SELECT orders.seq, CAST(order_options.chain_id AS TEXT), orders.status
        FROM order_options JOIN orders ON orders.id = order_options.order_id
    UNION SELECT orders.seq, order_options.address, orders.status
        FROM order_options JOIN orders ON orders.id = order_options.order_id;
CREATE INDEX order_places_by_status ON order_places (place, status, seq);
DROP INDEX order_options_by_address;

-- By how much the clock was ever set back between two orders that were made: orders by number are
-- orders by time, give or take so many milliseconds.
CREATE INDEX orders_by_time ON orders (created_at, seq);
INSERT INTO counters (name, value)
    SELECT 'clock_setback', COALESCE(MAX(latest - created_at), 0)
        FROM (SELECT created_at, MAX(created_at) OVER (ORDER BY seq) AS latest FROM orders) AS made;

-- Payments of a chain, or to an address, by state and time.
CREATE INDEX transfers_by_chain ON transfers (chain_id, state, detected_at, payment_id);
DROP INDEX transfers_by_recipient;
CREATE INDEX transfers_by_recipient ON transfers (recipient, state, detected_at, payment_id);
