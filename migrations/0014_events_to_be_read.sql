-- The event log as services read it.

-- What two kinds are called since they can be read.
UPDATE events SET kind = 'order.resolved' WHERE kind = 'order.accepted';
UPDATE events SET kind = 'chain.disagreement' WHERE kind = 'chain.endpoints_disagree';

-- How many events the order had before the change that an event belongs to, and what else the order
-- was after that change: its terms, its payments and its refunds, in a form of the store's own.
-- Events that are older than this have neither.
ALTER TABLE events ADD COLUMN told_before BIGINT;
ALTER TABLE events ADD COLUMN order_then TEXT;

-- Events of one kind, in order.
CREATE INDEX events_by_kind ON events (kind, seq);
