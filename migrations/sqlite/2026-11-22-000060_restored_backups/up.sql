-- Another number after each restore of a backup, so that running processes notice the restore. 0 before the first one.
ALTER TABLE revocation_sequence ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
-- All tokens that were issued before this time are rejected, because a restored backup does not know which sessions
-- have ended since. NULL before the first restore.
ALTER TABLE revocation_sequence ADD COLUMN issued_before TIMESTAMP;
