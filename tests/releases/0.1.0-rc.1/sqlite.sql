PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "__diesel_schema_migrations" VALUES('20261120000000','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261120000001','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261120000010','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261120000011','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000030','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000040','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122000041','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122000050','2026-11-22 09:00:41');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122000060','2026-11-22 09:00:41');
CREATE TABLE email_undos (
    -- Part of the MAC of the token that is mailed to the previous address. It is not the mail key of the user: the use of
    -- another token must not make this token invalid.
    key TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_email TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
INSERT INTO "email_undos" VALUES('DrKrQWnFODha8d62ufxTpRuBWpbdcmut6iH-kdj1jIQ','01a2027c-7b76-7623-b1c6-b0e8fb5fa077','grace@example.com','2026-11-22 09:00:44.848422','2026-11-25 09:00:44.848422');
CREATE TABLE imported_tasks (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Name of the imported table, or format of the imported file.
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (user_id, source, source_id)
);
INSERT INTO "imported_tasks" VALUES('barbara','task','7');
CREATE TABLE imported_users (
    id TEXT PRIMARY KEY NOT NULL
);
INSERT INTO "imported_users" VALUES('barbara');
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
, callback_url TEXT);
INSERT INTO "outbox" VALUES('01a2027c-835e-7262-855e-4e7856c1f785','email_verification','ada@example.com','01a2027c-7aee-7320-8f1c-483545ad178b',NULL,NULL,NULL,'2026-11-22 09:00:44.254155','2026-11-23 09:00:44.254155',NULL,1,NULL,0,NULL);
INSERT INTO "outbox" VALUES('01a2027c-84ad-71a3-9a48-c1b0ece711d0','password_reset','alan@example.com','01a2027c-7bb2-7760-976c-3bb24008b613',NULL,NULL,NULL,'2026-11-22 09:00:44.589766','2026-11-22 10:00:44.589766',NULL,1,NULL,0,NULL);
INSERT INTO "outbox" VALUES('01a2027c-8564-71f4-bd1c-b7116732e2d6','email_change','hopper@example.com','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',NULL,'hopper@example.com',NULL,'2026-11-22 09:00:44.772490','2026-11-22 10:00:44.772490',NULL,1,NULL,0,NULL);
INSERT INTO "outbox" VALUES('01a2027c-8564-7760-a396-4ab5e6f878d7','email_change_requested','grace@example.com','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',NULL,NULL,NULL,'2026-11-22 09:00:44.772490','2026-11-24 09:00:44.772490',NULL,1,NULL,0,NULL);
INSERT INTO "outbox" VALUES('01a2027c-85b0-725e-a982-d87e5a068d54','email_changed','grace@example.com','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',NULL,NULL,NULL,'2026-11-22 09:00:44.848422','2026-11-25 09:00:44.848422',NULL,1,NULL,0,NULL);
INSERT INTO "outbox" VALUES('01a2027c-87dd-778d-877d-74d8f033c684','password_reset','barbara@example.com','barbara',NULL,NULL,NULL,'2026-11-22 09:00:45.405739','2026-11-22 10:00:45.405739','2026-11-22 09:01:45.454881',1,NULL,0,NULL);
CREATE TABLE revocation_sequence (
    id BIGINT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
, generation BIGINT NOT NULL DEFAULT 0, issued_before TIMESTAMP);
INSERT INTO "revocation_sequence" VALUES(1,5,0,NULL);
CREATE TABLE revocations (
    sequence BIGINT PRIMARY KEY NOT NULL,
    session_id TEXT NOT NULL,
    -- After this time the row can be deleted: all access tokens of the session have expired, even by a slow clock.
    forget_after TIMESTAMP NOT NULL
, user_id TEXT, claims_version BIGINT);
INSERT INTO "revocations" VALUES(1,'','2026-11-22 09:25:43.987211','01a2027c-7aee-7320-8f1c-483545ad178b',1);
INSERT INTO "revocations" VALUES(2,'','2026-11-22 09:25:44.175692','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',1);
INSERT INTO "revocations" VALUES(3,'','2026-11-22 09:25:44.492126','01a2027c-7aee-7320-8f1c-483545ad178b',2);
INSERT INTO "revocations" VALUES(4,'','2026-11-22 09:25:44.848422','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',2);
INSERT INTO "revocations" VALUES(5,'01a2027c-86a1-72e7-a006-496855647bc3','2026-11-22 09:25:45.106143',NULL,NULL);
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
INSERT INTO "sessions" VALUES('01a2027c-7aee-7276-a8c2-d3b3518a09a5','01a2027c-7aee-7320-8f1c-483545ad178b',0,NULL,0,NULL,'2026-11-22 09:00:42.094030','2026-11-22 09:00:42.094030','2026-11-29 09:00:42.094030',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-7b76-710f-b6e1-190842ccdbf7','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',0,NULL,0,NULL,'2026-11-22 09:00:42.230664','2026-11-22 09:00:42.230664','2026-11-29 09:00:42.230664',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-7bb2-77f9-a213-69f5377ff5f0','01a2027c-7bb2-7760-976c-3bb24008b613',0,NULL,0,NULL,'2026-11-22 09:00:42.290340','2026-11-22 09:00:42.290340','2026-11-29 09:00:42.290340',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-84fc-73bc-a942-4790a60192d7','01a2027c-7b76-7623-b1c6-b0e8fb5fa077',0,NULL,0,NULL,'2026-11-22 09:00:44.668326','2026-11-22 09:00:44.668326','2026-11-29 09:00:44.668326',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-863f-7241-8ae6-7176d6b45730','01a2027c-7aee-7320-8f1c-483545ad178b',0,NULL,0,NULL,'2026-11-22 09:00:44.991252','2026-11-22 09:00:44.991252','2026-11-29 09:00:44.991252',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-8677-7614-a921-191692da05ee','01a2027c-7aee-7320-8f1c-483545ad178b',2,'2026-11-22 09:00:45.082283',0,NULL,'2026-11-22 09:00:45.047115','2026-11-22 09:00:45.082283','2026-11-29 09:00:45.082283',NULL,'127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-86a1-72e7-a006-496855647bc3','01a2027c-7aee-7320-8f1c-483545ad178b',0,NULL,0,NULL,'2026-11-22 09:00:45.089654','2026-11-22 09:00:45.089654','2026-11-29 09:00:45.089654','2026-11-22 09:00:45.106143','127.0.0.1',NULL);
INSERT INTO "sessions" VALUES('01a2027c-86a7-7535-bdf0-e4907c804250','01a2027c-7aee-7320-8f1c-483545ad178b',2,'2026-11-22 09:00:45.102477',0,NULL,'2026-11-22 09:00:45.095586','2026-11-22 09:00:45.102477','2026-11-29 09:00:45.102477',NULL,'127.0.0.1',NULL);
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
INSERT INTO "tasks" VALUES(1,'barbara','An imported task',NULL,0,'2026-01-01 12:00:00','2026-01-01 12:00:00');
INSERT INTO "tasks" VALUES(2,'01a2027c-7aee-7320-8f1c-483545ad178b','A task','The description',0,'2026-11-22 09:00:44.999159','2026-11-22 09:00:44.999159');
INSERT INTO "tasks" VALUES(3,'01a2027c-7aee-7320-8f1c-483545ad178b','A completed task with an ä','The description',1,'2026-11-22 09:00:45.010321','2026-11-22 09:00:45.022356');
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
, mail_key TEXT, language TEXT, roles TEXT, custom_claims TEXT, claims_version BIGINT NOT NULL DEFAULT 0);
INSERT INTO "users" VALUES('01a2027c-7aee-7320-8f1c-483545ad178b','ada@example.com','Ada',NULL,1,'$2b$04$1Ot9y/ou/qsXYybr6cUBWuO.MfNGSttGb5BbJFbWzHLjKReRHfeb6','2026-11-22 09:00:42.094030','2026-11-22 09:00:44.492126','YkehPj5gniL0zT9A57Cr2VsBj745BHeUi5LfTph1zAE',NULL,'admin editor',NULL,2);
INSERT INTO "users" VALUES('01a2027c-7b76-7623-b1c6-b0e8fb5fa077','hopper@example.com','Grace',NULL,1,'$2b$04$lvtGqLcubbtugtEL9GiWkeZOyvXXsdU2AWDV4xgFqOu6PyrCxJ7ne','2026-11-22 09:00:42.230664','2026-11-22 09:00:44.848422','jI3_UadGt2sRZ-JqDV1KqzdiEcqPaqfyEJrWPw_bnwU',NULL,NULL,'{"plan":"pro"}',2);
INSERT INTO "users" VALUES('01a2027c-7bb2-7760-976c-3bb24008b613','alan@example.com','Alan',NULL,0,'$2b$04$TBBMv/y7Um4jrk9RUXYDTOnwgqiGQ4syXt0AdPEjdDEP4wr09HkbO','2026-11-22 09:00:42.290340','2026-11-22 09:00:42.290340','LH-ZH7Whzmr5R7wVhKf_UbJ6bZTz3fH8k9aJTMFPM4s',NULL,NULL,NULL,0);
INSERT INTO "users" VALUES('barbara','barbara@example.com','Barbara',NULL,0,'00112233445566778899aabbccddeeff:f5b22309b28fe412c82a4b2cab57498b8f8a42c849af16cb908974048f61c13933421858db3a8f111430bdc493c7cef90f61f904061c77206e3820a2e8b11bc2','2026-01-01 12:00:00','2026-01-01 12:00:00','LMPTWfZyGVPUZ7pzNki_zrddONJDNVKbfaKwUuaKJtE',NULL,NULL,NULL,0);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX tasks_user_id_id ON tasks (user_id, id);
CREATE INDEX revocations_forget_after ON revocations (forget_after);
CREATE INDEX sessions_user_id_revoked_at ON sessions (user_id, revoked_at);
CREATE INDEX outbox_next_attempt_at ON outbox (next_attempt_at);
CREATE INDEX outbox_recipient_created_at ON outbox (recipient, created_at);
CREATE INDEX outbox_network_created_at ON outbox (network, created_at);
CREATE INDEX outbox_created_at ON outbox (created_at);
CREATE INDEX outbox_user_id ON outbox (user_id);
CREATE INDEX email_undos_user_id ON email_undos (user_id);
CREATE INDEX email_undos_old_email ON email_undos (old_email);
CREATE INDEX email_undos_expires_at ON email_undos (expires_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',4);
COMMIT;
