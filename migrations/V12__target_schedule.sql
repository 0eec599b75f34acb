-- Runs of mirror targets by the clock.

-- JSON of model/schedule.rs: minute of the day, days of the week, time zone, what is compared.
-- NULL: runs only when somebody asks.
ALTER TABLE mirror_target ADD COLUMN schedule TEXT CHECK (schedule IS NULL OR json_valid(schedule));

-- When the next run is due, UTC milliseconds. It stays where it is until the run is queued, so
-- that one whose time came while the service was down, or the target away, is not forgotten.
ALTER TABLE mirror_target ADD COLUMN next_run_at INTEGER;

-- 1: the schedule is kept and nothing runs by it.
ALTER TABLE mirror_target ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
