-- Who came from a database that may be read again. Outlives the user: who deleted the account here does not come back.
CREATE TABLE imported_users (
    id TEXT PRIMARY KEY NOT NULL
);
