-- Part of the MAC of every token and code that is mailed to the user. NULL until the first one is needed. Replaced when
-- one of them is used, so that no other one is valid any more.
ALTER TABLE users ADD COLUMN mail_key TEXT;
-- Language of the user's mails, such as de; NULL if unknown.
ALTER TABLE users ADD COLUMN language TEXT;

-- Mails to send, and mails of the last day, which are counted for the quotas. A row has neither text nor token: both are
-- computed when the mail is sent.
CREATE TABLE outbox (
    -- Also the challenge id of a code.
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    -- NULL until the user of the address is looked up, and if there is no such user.
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    language TEXT,
    -- Only for a change of the address.
    new_email TEXT,
    -- Network of the client whose request caused the mail.
    network TEXT,
    created_at TIMESTAMP NOT NULL,
    -- End of the token and of the code.
    expires_at TIMESTAMP NOT NULL,
    -- NULL if nothing is left to send.
    next_attempt_at TIMESTAMP,
    attempts INTEGER NOT NULL,
    -- By the clock of the database: until then, one process alone may send the mail.
    leased_until TIMESTAMP,
    -- Number of wrong codes that were entered.
    wrong_codes INTEGER NOT NULL
);
CREATE INDEX outbox_next_attempt_at ON outbox (next_attempt_at);
CREATE INDEX outbox_recipient_created_at ON outbox (recipient, created_at);
CREATE INDEX outbox_network_created_at ON outbox (network, created_at);
CREATE INDEX outbox_created_at ON outbox (created_at);
-- Finds the rows that are deleted with a user.
CREATE INDEX outbox_user_id ON outbox (user_id);
