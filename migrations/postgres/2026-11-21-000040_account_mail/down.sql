DROP TABLE outbox;
ALTER TABLE users DROP COLUMN language;
ALTER TABLE users DROP COLUMN mail_key;
