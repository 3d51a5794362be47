-- Sessions that were ended while access tokens of theirs could still be alive. Every process reads what is new.
CREATE TABLE revocations (
    sequence BIGINT PRIMARY KEY NOT NULL,
    session_id TEXT NOT NULL,
    -- when the last access token of the session has expired everywhere, with room for clocks that differ
    forget_after TIMESTAMP NOT NULL
);
CREATE INDEX revocations_forget_after ON revocations (forget_after);

-- One row. Its lock is held until the transaction that numbers a revocation commits, so the order of the numbers is the
-- order in which they become visible, and a reader that remembers the last one misses nothing.
CREATE TABLE revocation_sequence (
    id BIGINT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);
INSERT INTO revocation_sequence (id, last) VALUES (1, 0);
