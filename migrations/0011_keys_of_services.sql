-- What a key to the API may do, from where, for how long and how often. Keys that exist keep all.
ALTER TABLE api_keys ADD COLUMN mode TEXT NOT NULL DEFAULT 'live';
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL
    DEFAULT 'orders:read,orders:write,payments:read,operator,webhooks';
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;
-- Networks with commas between them; none means from everywhere.
ALTER TABLE api_keys ADD COLUMN networks TEXT NOT NULL DEFAULT '';
-- A rate of its own, both or neither.
ALTER TABLE api_keys ADD COLUMN per_minute BIGINT;
ALTER TABLE api_keys ADD COLUMN burst BIGINT;
-- SubjectPublicKeyInfo (DER) in base64: of the caller's requests, and of a gateway's.
ALTER TABLE api_keys ADD COLUMN public_key TEXT;
ALTER TABLE api_keys ADD COLUMN gateway_public_key TEXT;
-- The key that was made in its place.
ALTER TABLE api_keys ADD COLUMN successor TEXT;

-- Numbers of signed requests, until the requests are too old to be taken again.
CREATE TABLE api_nonces (
    key_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, nonce)
);
CREATE INDEX api_nonces_by_end ON api_nonces (ends_at);
