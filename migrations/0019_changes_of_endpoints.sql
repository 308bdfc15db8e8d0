-- Counts each change that who delivers to an endpoint has to know of: of its terms and its secrets as
-- well as deliveries that are made again.
ALTER TABLE endpoints RENAME COLUMN requeued TO changes;
