DROP TABLE email_undos;
ALTER TABLE outbox DROP COLUMN callback_url;
