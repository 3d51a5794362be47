-- Which tasks came from elsewhere, by their id there: a second import brings none twice, nor back what was deleted since.
CREATE TABLE imported_tasks (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- the table, or the kind of file
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (user_id, source, source_id)
);
