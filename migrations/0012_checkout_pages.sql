-- The public names of the pages on which orders are paid. The engines have no randomness in common,
-- so the program gives older orders theirs when it opens the database.
ALTER TABLE orders ADD COLUMN checkout_token TEXT;
CREATE UNIQUE INDEX orders_by_checkout ON orders (checkout_token);
