-- Names separated by spaces, in alphabetical order; NULL for none.
ALTER TABLE users ADD COLUMN roles TEXT;
-- JSON object whose members stand in the user's tokens; NULL for none.
ALTER TABLE users ADD COLUMN custom_claims TEXT;
-- Raised when the roles, the claims or the verification of the address change. Tokens with a lower version are stale.
ALTER TABLE users ADD COLUMN claims_version BIGINT NOT NULL DEFAULT 0;

-- Only in the row of a user whose tokens became stale. Such a row has an empty session_id, so that a node of an earlier
-- release revokes nothing by it.
ALTER TABLE revocations ADD COLUMN user_id TEXT;
-- The lowest version that the tokens of this user must have.
ALTER TABLE revocations ADD COLUMN claims_version BIGINT;
