DELETE FROM revocations WHERE user_id IS NOT NULL;
ALTER TABLE revocations DROP COLUMN claims_version;
ALTER TABLE revocations DROP COLUMN user_id;
ALTER TABLE users DROP COLUMN claims_version;
ALTER TABLE users DROP COLUMN custom_claims;
ALTER TABLE users DROP COLUMN roles;
