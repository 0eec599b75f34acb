-- Which file of the disk a content of the cache is, so that one that several repos have by hard
-- links, or through the store that they share, counts once in the sums.

-- The kernel's number of the file; NULL until the repo is looked at again.
ALTER TABLE library_blob ADD COLUMN inode INTEGER;
-- Its volume; 0 = that of the cache, whose own number may change with every boot.
ALTER TABLE library_blob ADD COLUMN device INTEGER;

-- With the repo, so that who shares what is answered from the index alone.
CREATE INDEX library_blob_inode ON library_blob (inode, device, repo_id) WHERE inode IS NOT NULL;

-- Every repo is read anew by the next scan.
UPDATE library_repo SET marks = '';
