-- Imported tasks, by their id in the source. A repeated import does not add them again, even if they were deleted here.
CREATE TABLE imported_tasks (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Name of the imported table, or format of the imported file.
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (user_id, source, source_id)
);
