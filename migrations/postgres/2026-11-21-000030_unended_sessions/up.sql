-- The unended sessions of a user are found without walking through all that have ended: a login counts them.
DROP INDEX sessions_user_id;
CREATE INDEX sessions_user_id_revoked_at ON sessions (user_id, revoked_at);
