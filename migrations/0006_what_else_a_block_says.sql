-- Payments through a receiver, money that was sent away, and addresses that an issuer froze.

-- Every transfer to or from one of the merchant's addresses that was ever on a chain. paid_… is what
-- the payment receiver said of it, if it came through one. Without an order, state may also be sent:
-- it left one of the merchant's addresses for somebody else's.
CREATE TABLE transfers_in_and_out (
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
    paid_receiver TEXT,
    paid_payer TEXT,
    paid_ref TEXT,
    PRIMARY KEY (chain_id, block_hash, log_index),
    CHECK ((order_id IS NULL)
        = (state IN ('unmatched', 'moved', 'sent', 'dust', 'zero_value', 'written_off'))),
    CHECK (order_id IS NOT NULL OR assigned_confirmations IS NULL),
    CHECK ((paid_receiver IS NULL) = (paid_payer IS NULL)),
    CHECK ((paid_receiver IS NULL) = (paid_ref IS NULL))
);
INSERT INTO transfers_in_and_out (chain_id, block_hash, log_index, payment_id, order_id,
    block_number, block_timestamp, tx_hash, token, sender, recipient, amount, canonical,
    confirmed_at_tip, state, is_late, detected_at, reverted_at, proof, waits_for,
    assigned_confirmations, assigned_tag, assigned_proof)
    SELECT chain_id, block_hash, log_index, payment_id, order_id, block_number, block_timestamp,
        tx_hash, token, sender, recipient, amount, canonical, confirmed_at_tip, state, is_late,
        detected_at, reverted_at, proof, waits_for, assigned_confirmations, assigned_tag,
        assigned_proof FROM transfers;

CREATE TABLE proofs_in_and_out (
    payment_id TEXT NOT NULL PRIMARY KEY REFERENCES transfers_in_and_out (payment_id),
    bundle TEXT NOT NULL,
    proved_at BIGINT NOT NULL
);
INSERT INTO proofs_in_and_out (payment_id, bundle, proved_at)
    SELECT payment_id, bundle, proved_at FROM payment_proofs;
DROP TABLE payment_proofs;
DROP TABLE transfers;
ALTER TABLE transfers_in_and_out RENAME TO transfers;
ALTER TABLE proofs_in_and_out RENAME TO payment_proofs;

CREATE INDEX transfers_by_order ON transfers (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX transfers_by_transaction ON transfers (tx_hash);
CREATE INDEX transfers_by_height ON transfers (chain_id, block_number) WHERE canonical = 1;
CREATE INDEX transfers_waiting ON transfers (waits_for, order_id) WHERE waits_for IS NOT NULL;
CREATE INDEX transfers_unproved ON transfers (chain_id, block_number)
    WHERE canonical = 1 AND proof = 'none';
CREATE INDEX transfers_by_time ON transfers (detected_at, payment_id);
CREATE INDEX transfers_by_state ON transfers (state, detected_at, payment_id);
CREATE INDEX transfers_by_recipient ON transfers (recipient, detected_at, payment_id);

-- Addresses of the merchant's that the issuer of a token froze, by the token's own logs: from block
-- since_block to until_block, or until now. What left its chain is taken out again.
CREATE TABLE frozen_addresses (
    chain_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    address TEXT NOT NULL,
    since_block BIGINT NOT NULL,
    since_log BIGINT NOT NULL,
    tx_hash TEXT NOT NULL,
    noticed_at BIGINT NOT NULL,
    until_block BIGINT,
    PRIMARY KEY (chain_id, token, address, since_block, since_log)
);
CREATE INDEX frozen_addresses_now ON frozen_addresses (chain_id, address) WHERE until_block IS NULL;
