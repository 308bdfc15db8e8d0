-- Sweeps: those of a deposit address, those that wait to be final, and those that left their chain. The
-- condition is written as the statements write it that are to use these: as state = 'moved' they would
-- also fit the index by state, which some databases then prefer.
CREATE INDEX transfers_moved_from ON transfers (sender) WHERE state || '' = 'moved';
CREATE INDEX transfers_moving_by_time ON transfers (detected_at, payment_id)
    WHERE state || '' = 'moved' AND canonical = 1 AND confirmed_at_tip IS NULL;
CREATE INDEX transfers_moved_in_vain ON transfers (detected_at, payment_id)
    WHERE state || '' = 'moved' AND canonical = 0;
