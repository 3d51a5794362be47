-- An earlier release gives no numbers to revocations without one, so they get their numbers here.
UPDATE revocation_sequence SET last = last + (SELECT count(*) FROM revocations WHERE sequence < 0);
UPDATE revocations SET sequence = numbered.number FROM (
    SELECT sequence AS id, (SELECT last FROM revocation_sequence) + 1 - row_number() OVER (ORDER BY sequence) AS number
    FROM revocations WHERE sequence < 0
) AS numbered WHERE revocations.sequence = numbered.id;
DROP SEQUENCE unnumbered_revocations;
