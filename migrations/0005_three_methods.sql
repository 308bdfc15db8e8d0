-- Orders that are paid by calling a contract, or by an exact amount to a wallet that many share;
-- and money that comes a little late.

-- The contract that is called, and the amounts that are for the order.
ALTER TABLE order_options ADD COLUMN receiver TEXT;
ALTER TABLE order_options ADD COLUMN slot_low TEXT;
ALTER TABLE order_options ADD COLUMN slot_high TEXT;

-- The amounts that are taken at each shared wallet. low and high are whole numbers of the smallest
-- unit in 39 digits, so that their order is that of amounts. free_at is the time of the chain from
-- which another order may take the slot; there is none while its order may still be paid.
CREATE TABLE amount_slots (
    chain_id BIGINT NOT NULL,
    address TEXT NOT NULL,
    token TEXT NOT NULL,
    low TEXT NOT NULL,
    high TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    taken_at BIGINT NOT NULL,
    quarantine_ms BIGINT NOT NULL,
    free_at BIGINT,
    PRIMARY KEY (chain_id, address, token, high)
);
CREATE INDEX amount_slots_by_order ON amount_slots (order_id);

-- Addresses of the merchant's where orders were offered to be paid that have none of their own.
-- They are watched for ever, also when they are not configured any more.
CREATE TABLE shared_addresses (
    address TEXT NOT NULL PRIMARY KEY
);

-- expires_at is the last moment at which money is in time: it includes this.
ALTER TABLE orders ADD COLUMN grace_ms BIGINT NOT NULL DEFAULT 0;
