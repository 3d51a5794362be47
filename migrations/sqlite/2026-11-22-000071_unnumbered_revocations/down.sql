-- Only PostgreSQL numbers revocations after their commit. SQLite has one writer at a time, so a transaction numbers its
-- own revocations.
SELECT 1;
