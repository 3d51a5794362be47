ALTER TABLE revocation_sequence DROP COLUMN issued_before;
ALTER TABLE revocation_sequence DROP COLUMN generation;
