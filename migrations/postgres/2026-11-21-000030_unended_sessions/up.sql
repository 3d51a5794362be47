-- Each login counts the active sessions of its user. This index finds them without reading the revoked ones.
DROP INDEX sessions_user_id;
CREATE INDEX sessions_user_id_revoked_at ON sessions (user_id, revoked_at);
