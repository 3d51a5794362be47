-- Ids of users imported from another database. A row is kept when its user is deleted here, so that a repeated import
-- does not create the account again.
CREATE TABLE imported_users (
    id TEXT PRIMARY KEY NOT NULL
);
