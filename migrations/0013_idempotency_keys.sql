-- Requests that create something, by the key that the client gave each. A row without a status is of
-- a request that is being answered, by the process that calls itself so, since that time.
CREATE TABLE idempotency_keys (
    api_key TEXT NOT NULL,
    name TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    status BIGINT,
    location TEXT,
    content_type TEXT,
    body TEXT,
    PRIMARY KEY (api_key, name)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (begun_at);
