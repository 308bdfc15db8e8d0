-- It is what orders_by_time is already.
DROP INDEX orders_by_creation;
