-- Transfers of contracts that are no token of ours to addresses of ours. They are no money, and
-- belong to nothing: what can be written here is bounded, and the oldest goes.

-- value is the last one, in the contract's own base units; kind, symbol, name and decimals follow
-- from what the contract says of itself, once it was asked (described_at).
CREATE TABLE look_alikes (
    chain_id BIGINT NOT NULL,
    contract TEXT NOT NULL,
    recipient TEXT NOT NULL,
    transfers BIGINT NOT NULL,
    value TEXT NOT NULL,
    first_block BIGINT NOT NULL,
    first_time BIGINT NOT NULL,
    first_tx TEXT NOT NULL,
    last_block BIGINT NOT NULL,
    last_time BIGINT NOT NULL,
    last_tx TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('look_alike', 'unknown_token')),
    symbol TEXT,
    name TEXT,
    decimals BIGINT,
    described_at BIGINT,
    PRIMARY KEY (chain_id, contract, recipient)
);
CREATE INDEX look_alikes_by_time ON look_alikes (last_time, chain_id, contract, recipient);
CREATE INDEX look_alikes_by_recipient ON look_alikes (recipient, chain_id);
CREATE INDEX look_alikes_to_describe ON look_alikes (chain_id, contract) WHERE described_at IS NULL;

-- Up to which block each chain was looked through for them.
CREATE TABLE look_alike_cursors (
    chain_id BIGINT NOT NULL PRIMARY KEY,
    block BIGINT NOT NULL
);

-- The orders that end after some time.
CREATE INDEX orders_by_end ON orders (expires_at, seq);
