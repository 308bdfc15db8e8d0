-- Books against balances: what each address was found to hold, and how far the daily audit is.

-- The last audit of each address. opening_… is what an address held that the merchant had before
-- paywatch, after that block, when it was first looked at; it is kept. Deposit addresses hold
-- nothing at first. difference is +… where the chain has more than the books say, -… where less.
CREATE TABLE audits (
    chain_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    address TEXT NOT NULL,
    opening_block BIGINT,
    opening_balance TEXT,
    block BIGINT NOT NULL,
    balance TEXT NOT NULL,
    difference TEXT NOT NULL,
    audited_at BIGINT NOT NULL,
    PRIMARY KEY (chain_id, token, address),
    CHECK ((opening_block IS NULL) = (opening_balance IS NULL))
);

-- The last daily run of each token; it goes on after this address, or from the beginning.
CREATE TABLE audit_runs (
    chain_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    after_address TEXT,
    audited_at BIGINT NOT NULL,
    PRIMARY KEY (chain_id, token)
);

-- What came to an address, and what went from it.
CREATE INDEX transfers_in ON transfers (chain_id, token, recipient) WHERE canonical = 1;
CREATE INDEX transfers_out ON transfers (chain_id, token, sender) WHERE canonical = 1;

-- Payments and orders of a period, for export.
CREATE INDEX transfers_by_block_time ON transfers (block_timestamp, payment_id);
CREATE INDEX orders_by_creation ON orders (created_at, seq);
