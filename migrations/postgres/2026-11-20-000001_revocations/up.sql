-- Revoked sessions whose access tokens may not have expired yet. Every process reads the new rows regularly.
CREATE TABLE revocations (
    sequence BIGINT PRIMARY KEY NOT NULL,
    session_id TEXT NOT NULL,
    -- After this time the row can be deleted: all access tokens of the session have expired, even by a slow clock.
    forget_after TIMESTAMP NOT NULL
);
CREATE INDEX revocations_forget_after ON revocations (forget_after);

-- Contains one row with the last number. A transaction that adds a revocation locks this row until it commits, so
-- revocations become visible in the order of their numbers. Therefore, a reader that continues after the last number
-- that it has read misses no revocation.
CREATE TABLE revocation_sequence (
    id BIGINT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);
INSERT INTO revocation_sequence (id, last) VALUES (1, 0);
