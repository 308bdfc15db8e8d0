-- Sweeps of a deposit address. The condition is written as the one statement writes it that is to use
-- this: as state = 'moved' it would also fit the index by state, which some databases then prefer.
CREATE INDEX transfers_moved_from ON transfers (sender) WHERE state || '' = 'moved';
