-- Gives the oldest unnumbered revocations the next numbers. This is one statement, so a client that stops responding
-- keeps no lock.
DO $$
DECLARE
    numbered_count BIGINT;
    newest BIGINT;
BEGIN
    PERFORM set_config('lock_timeout', '500ms', TRUE);
    -- One process at a time, until its commit. The next one then sees these numbers, and finds nothing to do.
    PERFORM pg_advisory_xact_lock(4711201122);
    SELECT count(*) INTO numbered_count
    FROM (SELECT FROM revocations WHERE sequence < 0 ORDER BY sequence DESC LIMIT 10000) AS oldest;
    IF numbered_count = 0 THEN
        RETURN;
    END IF;
    -- Waits for a process of an earlier release that has numbered its own revocation and has not committed it.
    UPDATE revocation_sequence SET last = last + numbered_count WHERE id = 1 RETURNING last INTO newest;
    UPDATE revocations SET sequence = numbered.number
    FROM (
        SELECT sequence AS id, newest - numbered_count + row_number() OVER (ORDER BY sequence DESC) AS number
        FROM (SELECT sequence FROM revocations WHERE sequence < 0 ORDER BY sequence DESC LIMIT numbered_count) AS oldest
    ) AS numbered
    WHERE revocations.sequence = numbered.id;
END $$
