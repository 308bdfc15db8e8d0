-- Orders by what else is said about them: each flag that is set is one of the order's places, as its
-- chains and addresses are, and the merchant's own notes have an index of their own.
INSERT INTO order_places (seq, place, status)
    SELECT orders.seq, named.flag, orders.status
        FROM orders JOIN (
            SELECT 'overpaid' AS flag
            UNION ALL SELECT 'underpaid_within_tolerance'
            UNION ALL SELECT 'late'
            UNION ALL SELECT 'reverted'
            UNION ALL SELECT 'resolved'
            UNION ALL SELECT 'refunded'
            UNION ALL SELECT 'partially_refunded'
        ) AS named ON ',' || orders.flags || ',' LIKE '%,' || named.flag || ',%'
        WHERE orders.flags <> '';

-- seq is the order's.
ALTER TABLE order_metadata ADD COLUMN seq BIGINT;
UPDATE order_metadata
    SET seq = (SELECT orders.seq FROM orders WHERE orders.id = order_metadata.order_id);
CREATE INDEX order_metadata_by_value ON order_metadata (name, value, seq);

-- Payments of a token, by state and time.
CREATE INDEX transfers_by_token ON transfers (token, state, detected_at, payment_id);
