-- Where the page of the link leads afterwards. It was checked against the trusted origins.
ALTER TABLE outbox ADD COLUMN callback_url TEXT;

-- Changes of the email address that the owner of the previous address can undo.
CREATE TABLE email_undos (
    -- Part of the MAC of the token that is mailed to the previous address. It is not the mail key of the user: the use of
    -- another token must not make this token invalid.
    key TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_email TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX email_undos_user_id ON email_undos (user_id);
CREATE INDEX email_undos_old_email ON email_undos (old_email);
CREATE INDEX email_undos_expires_at ON email_undos (expires_at);
