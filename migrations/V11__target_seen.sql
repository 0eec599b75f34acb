-- When each mirror target was last found at its place, with its marker.

-- NULL: never since this is recorded.
ALTER TABLE mirror_target ADD COLUMN seen_at INTEGER;

-- A run that came to its end found it there.
UPDATE mirror_target SET seen_at = (
    SELECT MAX(ended_at) FROM job
    WHERE kind = 'mirror' AND status = 'completed' AND json_extract(spec, '$.target') = mirror_target.name
);
