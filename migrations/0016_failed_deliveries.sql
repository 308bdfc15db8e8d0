-- An index over every state let SQLite choose it for what is pending: it then read all of that for
-- each event. Only failures are looked for by state.
DROP INDEX deliveries_by_state;
CREATE INDEX deliveries_failed ON deliveries (endpoint_id, seq) WHERE state = 'failed';
