CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    -- Normalized to lower case by the application, so UNIQUE allows one account per address.
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    image TEXT,
    email_verified BOOLEAN NOT NULL,
    -- NULL for an account without a password; a login with a password then always fails.
    password_hash TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- One row per login. A refresh increments the counter and adds no row.
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
    -- AUTOINCREMENT never reuses the id of a deleted task; an identity column of PostgreSQL does the same.
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT,
    completed BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX tasks_user_id_id ON tasks (user_id, id);
