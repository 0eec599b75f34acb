-- What the items of a job are about, and what came of each: a check of the cache names the content
-- it compared, an export says how each file got where it is.

-- Hash that the content must have, when the task is about one content and its hash is known.
ALTER TABLE item ADD COLUMN blob TEXT NOT NULL DEFAULT '';
-- What was found, or how it was done: a word of the job's kind. Empty until the item is settled.
ALTER TABLE item ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
