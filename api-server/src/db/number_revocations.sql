-- Gives the oldest unnumbered revocations the next numbers. This is one statement, so a client that stops responding
-- keeps no lock.
DO $$
DECLARE
    ids BIGINT[];
    id BIGINT;
    number BIGINT;
BEGIN
    PERFORM set_config('lock_timeout', '500ms', TRUE);
    -- One process at a time, until its commit. The next one then sees these numbers, and finds nothing to do.
    PERFORM pg_advisory_xact_lock(4711201122);
    ids := ARRAY(SELECT sequence FROM revocations WHERE sequence < 0 ORDER BY sequence DESC LIMIT 10000);
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    -- Waits for a process of an earlier release that has numbered its own revocation and has not committed it.
    UPDATE revocation_sequence SET last = last + cardinality(ids) WHERE revocation_sequence.id = 1
    RETURNING last - cardinality(ids) INTO number;
    -- One row at a time, because a join might read the whole table.
    FOREACH id IN ARRAY ids LOOP
        number := number + 1;
        UPDATE revocations SET sequence = number WHERE sequence = id;
    END LOOP;
END $$
