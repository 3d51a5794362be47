DROP INDEX sessions_user_id_revoked_at;
CREATE INDEX sessions_user_id ON sessions (user_id);
