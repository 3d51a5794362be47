CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    -- lower-cased by the application, so a plain UNIQUE means one account per address
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    image TEXT,
    email_verified BOOLEAN NOT NULL,
    -- NULL: an account without a password, which nobody can log in to with one
    password_hash TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- One row per login for its whole life; a refresh steps the counter.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    counter BIGINT NOT NULL,
    rotated_at TIMESTAMP,
    late_recoveries INTEGER NOT NULL,
    late_recovery_counter BIGINT,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    ip_address TEXT,
    user_agent TEXT
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE tasks (
    -- starts at 1 and is never given twice, as with SQLite's AUTOINCREMENT
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT,
    completed BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX tasks_user_id_id ON tasks (user_id, id);
-- Some 20 tasks a user, whatever a sample says. Else a few busy users make the planner look for everybody's newest tasks
-- by walking backwards through all tasks.
ALTER TABLE tasks ALTER COLUMN user_id SET (n_distinct = -0.05);
