-- The event log as services read it.

-- What two kinds are called since they can be read.
UPDATE events SET kind = 'order.resolved' WHERE kind = 'order.accepted';
UPDATE events SET kind = 'chain.disagreement' WHERE kind = 'chain.endpoints_disagree';

-- How many events the order had before the change that an event belongs to, and what else the order
-- was after that change: its terms, its payments and its refunds, in a form of the store's own.
-- Events that are older than this have neither.
ALTER TABLE events ADD COLUMN told_before BIGINT;
ALTER TABLE events ADD COLUMN order_then TEXT;

-- Flushes of deposit addresses that nobody was told of yet: confirmed_at_tip of what was moved is the
-- tip under which it was told to be final. Nothing more is told of what is in the books by now.
UPDATE transfers SET confirmed_at_tip = block_number WHERE state = 'moved' AND canonical = 1;
CREATE INDEX transfers_moving ON transfers (chain_id)
    WHERE state = 'moved' AND canonical = 1 AND confirmed_at_tip IS NULL;

-- Events of one kind, in order.
CREATE INDEX events_by_kind ON events (kind, seq);
