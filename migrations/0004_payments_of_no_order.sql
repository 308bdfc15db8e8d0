-- Payments that belong to no order, and payments that an operator gave to one.

-- Every transfer to one of the merchant's addresses that was ever on a chain. Without an order,
-- state says what it is: money that nobody claims, or why it is left alone. assigned_… is when a
-- payment is confirmed that an operator gave to its order.
CREATE TABLE transfers_of_all (
    chain_id BIGINT NOT NULL,
    block_hash TEXT NOT NULL,
    log_index BIGINT NOT NULL,
    payment_id TEXT NOT NULL UNIQUE,
    order_id TEXT REFERENCES orders (id),
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
    proof TEXT NOT NULL DEFAULT 'none',
    waits_for BIGINT,
    assigned_confirmations BIGINT,
    assigned_tag TEXT,
    assigned_proof TEXT,
    PRIMARY KEY (chain_id, block_hash, log_index),
    CHECK ((order_id IS NULL)
        = (state IN ('unmatched', 'moved', 'dust', 'zero_value', 'written_off'))),
    CHECK (order_id IS NOT NULL OR assigned_confirmations IS NULL)
);
INSERT INTO transfers_of_all (chain_id, block_hash, log_index, payment_id, order_id, block_number,
    block_timestamp, tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, state,
    is_late, detected_at, reverted_at, proof, waits_for)
    SELECT chain_id, block_hash, log_index, payment_id, order_id, block_number, block_timestamp,
        tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, state, is_late,
        detected_at, reverted_at, proof, waits_for FROM transfers;

CREATE TABLE proofs_of_all (
    payment_id TEXT NOT NULL PRIMARY KEY REFERENCES transfers_of_all (payment_id),
    bundle TEXT NOT NULL,
    proved_at BIGINT NOT NULL
);
INSERT INTO proofs_of_all (payment_id, bundle, proved_at)
    SELECT payment_id, bundle, proved_at FROM payment_proofs;
DROP TABLE payment_proofs;
DROP TABLE transfers;
ALTER TABLE transfers_of_all RENAME TO transfers;
ALTER TABLE proofs_of_all RENAME TO payment_proofs;

CREATE INDEX transfers_by_order ON transfers (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX transfers_by_transaction ON transfers (tx_hash);
CREATE INDEX transfers_by_height ON transfers (chain_id, block_number) WHERE canonical = 1;
CREATE INDEX transfers_waiting ON transfers (waits_for, order_id) WHERE waits_for IS NOT NULL;
CREATE INDEX transfers_unproved ON transfers (chain_id, block_number)
    WHERE canonical = 1 AND proof = 'none';
CREATE INDEX transfers_by_time ON transfers (detected_at, payment_id);
CREATE INDEX transfers_by_state ON transfers (state, detected_at, payment_id);
CREATE INDEX transfers_by_recipient ON transfers (recipient, detected_at, payment_id);
