// Made by `npm run types` from openapi.json; not to be changed by hand.

export interface paths {
    "/api/analyze/{owner}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a repo is, and what of it one would want
         * @description 200 with the report, or with `needsSelection` when `dataset` is not given and the id is that
         *     of a model and of a dataset.
         */
        get: operations["analyzeRepo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The repos of the cache
         * @description Answered from an index that follows the disk: what other programs put there shows within
         *     seconds, at once with `fresh=true`.
         */
        get: operations["listCache"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache-selection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Choices of files that can be deleted */
        get: operations["showCacheSelection"];
        put?: never;
        post?: never;
        /** Delete one choice of files */
        delete: operations["deleteCacheSelection"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Contents that several repos keep each for itself
         * @description Looks at lengths, volumes and names; what is shared is compared with its hash right before.
         */
        get: operations["listDuplicates"];
        put?: never;
        /**
         * Let repos share the contents that they keep each for itself
         * @description A job of the kind `verify`: each file that stays is read and compared with its hash, then the
         *     other repos get it, a hard link, in place of their own copy, in one step. Copies on another
         *     volume, of another owner or with a name elsewhere stay. `result` tells what was freed.
         */
        post: operations["shareDuplicates"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put real files of a repo into a folder
         * @description A job of the kind `export`. A file that is there with the length and time of its content stays
         *     as it is; any other is replaced in one step. Hard-linked files are those of the cache: who
         *     changes one changes both.
         */
        post: operations["exportCached"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take files of another folder into the cache
         * @description Two layouts say what their files are: a Hugging Face cache, and a folder that
         *     `hf download --local-dir` or a download of this service filled. Each file is hashed before it
         *     counts; the folder stays as it is. Without `dryRun: false` it is only shown. The work is a job
         *     of the kind `export`; the answer comes at its end, or at once with `async`. Hard-linked files
         *     are those of the folder: who changes one changes both.
         */
        post: operations["importIntoCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/prune": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find and remove what nobody needs
         * @description Only shows it unless `dryRun` is `false`. Repos with a live job are left out, and so is what
         *     another program works on.
         */
        post: operations["pruneCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/rebuild": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rebuild the friendly view
         * @description `models/owner/name/` and `datasets/owner/name/` in the root of the cache, with relative links
         *     to the files of the shown snapshot and a manifest `hfd.yaml`.
         */
        post: operations["rebuildFriendlyView"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/repair": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fetch again what a check found bad or missing
         * @description Queues a download for each snapshot concerned, with exactly its bad and missing files. Each is
         *     hashed once more first, so that what is right by now is left alone; a damaged content stays
         *     where it is until the right one takes its place.
         */
        post: operations["repairCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare the cache with its hashes
         * @description A job of the kind `verify`; its `result` tells what is bad or missing. Names of blobs are their
         *     hashes: SHA-256, or git's SHA-1. The same check that is live already is answered with 200.
         */
        post: operations["verifyCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache/{owner}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One repo of the cache
         * @description Without `type` the model is tried first. `files` are those of the shown snapshot, or of the
         *     one that `revision` names (a commit or a ref); `revision=all` lists every snapshot's.
         */
        get: operations["showCached"];
        put?: never;
        post?: never;
        /**
         * Delete a repo from the cache
         * @description Or one snapshot, with `revision`; contents that another snapshot needs stay. The last snapshot
         *     takes the repo along.
         */
        delete: operations["deleteCached"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/collections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Collections of an owner of the Hub */
        get: operations["listCollections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/collections/{owner}/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a collection of the Hub holds
         * @description The last two parts of its address, as in `https://huggingface.co/collections/{owner}/{slug}`.
         */
        get: operations["showCollection"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/commits/{owner}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest commits of a repo, and how far what is here is behind */
        get: operations["listCommits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/disk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Volumes with reservations and those who wait */
        get: operations["getDisk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/diskfree": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Space of the volume of a configured directory */
        get: operations["getDiskFree"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The reference page, at its proper address
         * @description The page's own addresses are relative: it needs the slash at the end.
         */
        get: operations["findDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The reference page */
        get: operations["showDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of the reference page */
        get: operations["getDocsFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Puts a download into the queue
         * @description It never waits for the network. The same download that is live already is not queued twice.
         */
        post: operations["createDownload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The live feed as server-sent events
         * @description It ends when the API key that opened it is removed.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Version, clock and time since the start */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The ends of jobs, newest first. */
        get: operations["listHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/history/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to all jobs, newest first: who did what, and when. */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/history/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was fetched and what ended on each day (UTC), oldest first. */
        get: operations["sumHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/history/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Proves that no row of history and events was changed, removed, inserted or moved. */
        get: operations["verifyHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/history/{seq}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of one end by path, as they were then. */
        get: operations["listHistoryFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs in order of creation
         * @description With `limit` a page of them: the newest first of all, and each page in order of creation.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Does the same with many jobs
         * @description Each job has a result of its own; one that is refused does not hold the others up.
         */
        post: operations["changeJobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes the order of the queue
         * @description Only queued jobs move; a job that passes one of another priority takes that priority.
         */
        post: operations["orderJobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job, with at most 1,000 of its files */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /** Cancels a job and deletes its partial files */
        delete: operations["cancelJob"];
        options?: never;
        head?: never;
        /** Changes what is attached to a job */
        patch: operations["setJob"];
        trace?: never;
    };
    "/api/jobs/{id}/dismiss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes an ended job off the list */
        post: operations["dismissJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to a job, oldest first. */
        get: operations["listJobEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All files of a job, by path */
        get: operations["listJobFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Chooses files while a job is not over
         * @description `skip` leaves a file out: one that is being fetched stops within a second, keeps its bytes until
         *     the job ends, and no longer counts in the totals. `normal` and `high` bring it back. A file that
         *     is in place already stays as it is. A retry keeps the choice.
         */
        patch: operations["chooseJobFiles"];
        trace?: never;
    };
    "/api/jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pauses a job; what was fetched stays */
        post: operations["pauseJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Goes on with a paused job */
        post: operations["resumeJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queues a failed or cancelled job again */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/segments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which spans of the files under way are here. */
        get: operations["listJobSegments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/speed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The speed of one job, with marks where it was tried again or went on in another run. */
        get: operations["showJobSpeed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All API keys, oldest first */
        get: operations["listKeys"];
        put?: never;
        /**
         * Makes an API key
         * @description The answer shows the key; afterwards nobody can see it again.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Removes an API key; it opens nothing from then on
         * @description Live streams that it opened end too.
         */
        delete: operations["removeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Limits and which hold now */
        get: operations["getLimits"];
        /**
         * Changes limits
         * @description All or nothing. Acts within a second: what runs beyond the new limits lets go without losing a byte.
         */
        put: operations["setLimits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Compares the cache with a target */
        post: operations["diffMirror"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/pull": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copies from a target to the cache
         * @description A job of the kind `mirror`. Repos of live downloads are left alone.
         */
        post: operations["pullMirror"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/push": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copies from the cache to a target
         * @description A job of the kind `mirror`. The answer comes at its end, or at once with `async`.
         */
        post: operations["pushMirror"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Mirror runs, newest first */
        get: operations["listMirrorRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/targets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The mirror targets, and whether each is mounted */
        get: operations["listMirrorTargets"];
        put?: never;
        /**
         * Registers a target
         * @description Creates the directory and its marker file. A target with the same name is replaced.
         */
        post: operations["addMirrorTarget"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/mirror/targets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forgets a target; its files stay */
        delete: operations["removeMirrorTarget"];
        options?: never;
        head?: never;
        /**
         * Sets when a target gets its copies by itself
         * @description A run is a push of everything that the target lacks, queued as a mirror job at its time; it
         *     deletes nothing. One whose time went by while the service was down or the target away begins
         *     once, as soon as both are there.
         */
        patch: operations["changeMirrorTarget"];
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a download would fetch
         * @description With `repos` up to 200 of them at once: the answer is 200 then, and each has a plan or an error of its own.
         */
        post: operations["planDownload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ratelimit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The Hub's windows as last heard */
        get: operations["getRateLimit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/readme-asset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A picture of a README
         * @description Below the endpoint, with the token, so that those of gated repos show.
         */
        get: operations["getReadmeAsset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/readme/{owner}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The README of a repo, rendered and cleaned */
        get: operations["getReadme"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Models or datasets of the Hub */
        get: operations["searchHub"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The settings; secrets are masked */
        get: operations["getSettings"];
        put?: never;
        /** Changes what the body names, all or nothing */
        post: operations["changeSettings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/settings/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries settings out without saving them
         * @description What the body names is tried even where a flag or variable is stronger; the rest is taken as it
         *     is. No job notices.
         */
        post: operations["testSettings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/speed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The speed of all jobs together. */
        get: operations["showSpeed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/suggest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Repos whose names are near to a text
         * @description For a search that found nothing: what is in the cache, what was downloaded once, and what two
         *     shorter searches find at the Hub. A Hub that does not answer is left out.
         */
        get: operations["suggestRepos"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The service in a few numbers */
        get: operations["getSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/about": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs here, and where it keeps its things */
        get: operations["getAbout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The copies of the database, newest first */
        get: operations["listBackups"];
        put?: never;
        /**
         * Copies the database now
         * @description The answer comes when the copy is on disk.
         */
        post: operations["createBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/backups/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The file of a copy
         * @description Needs the scope `admin`: it holds everything that the service knows, the token too.
         */
        get: operations["downloadBackup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether anything stands in the way of the service
         * @description Problems with a sentence and what to do about each. Asks nothing of the Hub: what is told of it
         *     is what its last answers said.
         */
        get: operations["getSystemChecks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest lines of the service's log
         * @description They are kept in memory since the start of the service, up to 5000 lines and 4 MiB, without tokens and
         *     signatures. How much is logged at all is set by `--log-level`.
         */
        get: operations["getLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/log/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The service's log as it grows, as server-sent events
         * @description Begins behind `after`, or with the next line when it is missing.
         */
        get: operations["streamLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The periodic work of the service, and how it went */
        get: operations["listTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/tasks/{name}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begins a round of a task now
         * @description The round goes on behind the answer; `last` of the list tells how it went.
         */
        post: operations["runTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/trends": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Memory and errors over the last day
         * @description A sample a minute since the start of the service; a restart begins anew.
         */
        get: operations["getSystemTrends"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The live feed, as a WebSocket
         * @description One JSON document a message, see `LiveMessage`. What clients send is read and ignored. It ends
         *     with the code 1008 when the API key that opened it is removed.
         */
        get: operations["connectLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers */
        get: operations["isAlive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The service in numbers, for Prometheus
         * @description Outside of `/api`, and with the same login.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Database and cache take writes */
        get: operations["isReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What runs here. */
        About: {
            build: components["schemas"]["AboutBuild"];
            /** @description SPDX expression of the licence. */
            licence: string;
            paths: components["schemas"]["AboutPaths"];
            /**
             * Format: int32
             * @description Id of the process.
             */
            pid: number;
            /**
             * Format: int64
             * @description Version of the schema of the database.
             */
            schemaVersion: number;
            /**
             * Format: date-time
             * @description When the service started.
             */
            startedAt: string;
            version: string;
        };
        /** @description How this binary was built. */
        AboutBuild: {
            /** @description What its packager named it by `HFDEPOT_BUILD` when it was built; mostly empty. */
            label: string;
            /** @description `release` or `debug`. */
            profile: string;
            /** @description The machine it was built for, such as `x86_64-linux`. */
            target: string;
            /** @description Whether the web pages are inside. */
            web: boolean;
        };
        /** @description Directories of the service. */
        AboutPaths: {
            /** @description Its copies. */
            backups: string;
            /** @description Root of the cache. */
            cache: string;
            /** @description The database. */
            database: string;
            /** @description The Hub cache in it. */
            hub: string;
        };
        /** @description What a repo is, what it holds and what a user would want of it. */
        Analysis: {
            /** @description When the facts were gathered, RFC 3339 UTC. */
            analyzed_at: string;
            audio?: components["schemas"]["Audio"] | null;
            awq?: components["schemas"]["Quantized"] | null;
            /** @description The revision as asked. */
            branch: string;
            /** @description The commit it resolved to. */
            commit?: string | null;
            dataset?: components["schemas"]["Dataset"] | null;
            diffusers?: components["schemas"]["Diffusers"] | null;
            /**
             * Format: int64
             * @description Number of files.
             */
            file_count: number;
            /** @description Every file, ordered as listed. */
            files: components["schemas"]["AnalyzedFile"][];
            gguf?: components["schemas"]["Gguf"] | null;
            gptq?: components["schemas"]["Quantized"] | null;
            /** @description Whether it was analysed as a dataset. */
            is_dataset: boolean;
            lora?: components["schemas"]["Lora"] | null;
            /** @description Plain values of the config files, by file name. */
            metadata?: {
                [key: string]: unknown;
            };
            multimodal?: components["schemas"]["Multimodal"] | null;
            onnx?: components["schemas"]["Onnx"] | null;
            quantized?: components["schemas"]["Quantized"] | null;
            /** @description A body that `POST /api/download` takes unchanged. */
            recommended_download: components["schemas"]["RecommendedDownload"];
            /** @description Filters of the recommended items. */
            recommended_filters: string[];
            /** @description Branches and tags of the repo; empty when the Hub gave none. */
            refs: components["schemas"]["RepoRef"][];
            /** @description Other repos that belong to this one. */
            related_downloads?: components["schemas"]["RelatedDownload"][];
            /** @description `owner/name`. */
            repo: string;
            /** @description Parts that can be chosen; empty when there is no choice. */
            selectable_items: components["schemas"]["SelectableItem"][];
            /**
             * Format: int64
             * @description Sum of all sizes in bytes.
             */
            total_size: number;
            /** @description The sum for people. */
            total_size_human: string;
            transformers?: components["schemas"]["Transformers"] | null;
            /** @description What kind of repo. */
            type: components["schemas"]["RepoKind"];
            /** @description The kind in words. */
            type_description: string;
            vision?: components["schemas"]["Vision"] | null;
            /** @description Sentences about what is missing or was left out. */
            warnings?: string[];
        };
        /** @description What 200 carries. */
        AnalyzeAnswer: components["schemas"]["AnalyzedRepo"] | components["schemas"]["NeedsSelection"];
        /** @description One file. */
        AnalyzedFile: {
            /** @description Folder of the file, `.` at the root. */
            directory: string;
            /** @description The same, under its second name. */
            is_lfs: boolean;
            /** @description Whether the file is stored in LFS. */
            lfs: boolean;
            /** @description Last part of the path. */
            name: string;
            /** @description Path from the root. */
            path: string;
            /** @description SHA-256 of the content, known for LFS files. */
            sha256?: string | null;
            /**
             * Format: int64
             * @description Bytes; of the first file of a split quantisation, the sum of all.
             */
            size: number;
            /** @description The size for people. */
            size_human: string;
        };
        /** @description The report, with what the Hub says of the repo at this moment. */
        AnalyzedRepo: components["schemas"]["Analysis"] & {
            /** @description `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest; empty when it is not here. */
            cache_status: string;
            /** @description Whether some of it is in the cache. */
            cached: boolean;
            disabled: boolean;
            /** Format: int64 */
            downloads: number;
            /** @description Whether terms stand before its files: `false`, `true`, `auto`, `manual`. */
            gated: components["schemas"]["Gated"];
            last_modified: string;
            library_name: string;
            /** Format: int64 */
            likes: number;
            /** @description Why files cannot be opened with the token that is set; empty when they can. */
            locked: string;
            pipeline_tag: string;
            private: boolean;
            security: components["schemas"]["SecurityFindings"];
            tags: string[];
        };
        /** @description An API key; the key itself is nowhere. */
        ApiKey: {
            /** Format: date-time */
            createdAt: string;
            /** @description Public id. */
            id: string;
            /**
             * Format: date-time
             * @description To the minute; `null` before the first use.
             */
            lastUsedAt: string | null;
            /** @description Address of the client. */
            lastUsedFrom: string | null;
            /** @description Stands in events and history as `key:NAME`. */
            name: string;
            /** @description How the key begins. */
            prefix: string;
            /** @description What it may do. */
            scope: components["schemas"]["Scope"];
        };
        /** @description All keys. */
        ApiKeys: {
            /** @description Oldest first. */
            keys: components["schemas"]["ApiKey"][];
        };
        /** @description The `audio` object. */
        Audio: {
            feature_extractor_type?: string | null;
            framework: string;
            languages: string[];
            /** Format: int64 */
            max_length?: number | null;
            /** Format: int64 */
            num_mel_bins?: number | null;
            /**
             * Format: int64
             * @description In Hz.
             */
            sample_rate?: number | null;
            task: string;
            task_description: string;
        };
        /** @description One copy. */
        Backup: {
            /** @description Why it was made: `daily`, `manual`, or `schema-7` before a migration from that schema. */
            label: string;
            /** Format: date-time */
            madeAt: string;
            name: components["schemas"]["BackupName"];
            /**
             * Format: int64
             * @description Version of the schema in it; `null` when the file cannot be read.
             */
            schemaVersion: number | null;
            /**
             * Format: int64
             * @description Bytes of the file.
             */
            size: number;
            /** @description Whether this version of the service can be put back to it. */
            usable: boolean;
        };
        /**
         * @description Name of a copy: `hfdepot-<UTC milliseconds>-<label>.db`. Holds no path.
         * @example hfdepot-1764410400000-daily.db
         */
        BackupName: string;
        /** @description All copies. */
        Backups: {
            /** @description Newest first. */
            backups: components["schemas"]["Backup"][];
            /** @description Where they lie. */
            directory: string;
            /** @description Copies of each sort that are kept. */
            kept: number;
            /**
             * Format: int64
             * @description Newest schema version that this version of the service knows.
             */
            schemaVersion: number;
        };
        /**
         * @description What to do with each job.
         * @enum {string}
         */
        BulkAction: "pause" | "resume" | "hold" | "start" | "cancel" | "retry" | "dismiss" | "set";
        BulkBody: components["schemas"]["BulkRequest"] & ({
            filter?: null;
            ids: string | unknown[] | Record<string, never>;
        } | {
            filter: string | unknown[] | Record<string, never>;
            ids?: null;
        });
        /** @description What became of all of them, in the order of the request. */
        BulkDone: {
            /** @description How many changed. */
            done: number;
            /** @description Whether more jobs match the filter than one request may change: send it again. */
            more: boolean;
            /** @description How many did not. */
            refused: number;
            results: components["schemas"]["BulkItem"][];
        };
        /** @description What jobs have in common; every field that is given must fit. */
        BulkFilter: {
            /** @description This category. */
            category?: string | null;
            /** @description Any of these error codes. */
            errorCode?: components["schemas"]["Code"][];
            /** @description A kind of job, or `all`; `download` when it is missing. */
            kind?: ("download" | "mirror" | "verify" | "export" | "all") | null;
            /** @description Text in repo, category or a tag. */
            q?: string | null;
            /** @description Any of these statuses. */
            status?: components["schemas"]["JobStatus"][];
            /** @description This tag. */
            tag?: string | null;
        };
        /** @description What became of one job. */
        BulkItem: {
            /** @description Why nothing changed. */
            error?: string | null;
            id: string;
            ok: boolean;
            /** @description The same as a word: `unknown`, `status` or `twin`. */
            reason?: string | null;
            /** @description Its status now. */
            status?: string | null;
        };
        /** @description One command for many jobs: `ids` or `filter`. */
        BulkRequest: components["schemas"]["JobPatch"] & {
            action: components["schemas"]["BulkAction"];
            filter?: components["schemas"]["BulkFilter"] | null;
            /** @description At most 10,000. */
            ids?: string[] | null;
        };
        /** @description What a deletion takes. */
        CacheDeletion: {
            dryRun: boolean;
            errors: string[];
            /** @description The first thousand of them. */
            fileNames: string[];
            /** @description How many names in snapshots go. */
            files: number;
            /**
             * Format: int64
             * @description Bytes that go.
             */
            freesBytes: number;
            /**
             * Format: int64
             * @description Bytes of the repo that stay.
             */
            keepsBytes: number;
            message: string;
            repo: string;
            /** @description Snapshots that go. */
            revisions: string[];
            /** @description `false` when the friendly view could not follow; `errors` says why. */
            success: boolean;
            type: components["schemas"]["RepoType"];
        };
        /** @description One repo with its snapshots and files. */
        CacheDetail: components["schemas"]["CacheEntry"] & {
            /** @description By name. */
            files: components["schemas"]["CacheFile"][];
            /** @description Newest first. */
            revisions: components["schemas"]["CacheRevision"][];
        };
        /** @description One content. */
        CacheDuplicate: {
            /** @description Its hash. */
            blobId: string;
            /**
             * Format: int64
             * @description Its length.
             */
            bytes: number;
            /** @description Files that hold it: so often it takes its room. */
            copies: number;
            /**
             * Format: int64
             * @description What sharing it would free.
             */
            freesBytes: number;
            /** @description Every repo that has it. */
            repos: components["schemas"]["DuplicateRepo"][];
        };
        /** @description Contents that take their room more than once. */
        CacheDuplicates: {
            /** @description Copies that would go. */
            copies: number;
            /** @description How many they are. */
            count: number;
            /**
             * Format: int64
             * @description What sharing would free.
             */
            freesBytes: number;
            /** @description The largest saving first; a thousand at most. */
            items: components["schemas"]["CacheDuplicate"][];
            /**
             * Format: int64
             * @description Smaller contents were not looked at.
             */
            minBytes: number;
        };
        /** @description One repo of the cache. */
        CacheEntry: {
            /** @description The ref that is shown; empty when none names a snapshot. */
            branch: string;
            /** @description `vision` where it has a projector for pictures. */
            capabilities: string[];
            /** @description First seven digits. */
            commit: string;
            /**
             * Format: int64
             * @description Its part of the disk: what it has alone, and an equal part of what it shares with others.
             */
            diskShare: number;
            /** @description `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest. */
            downloadStatus: string;
            /** @description Day of the newest content, `YYYY-MM-DD`. */
            downloaded: string;
            /**
             * Format: int64
             * @description Files of the shown snapshot.
             */
            fileCount: number;
            /** @description Its folder in the friendly view; empty when it has none. */
            friendlyPath: string;
            hasMMProj: boolean;
            /** @description Last reading, as exactly as the mount keeps it. */
            lastUsed?: string | null;
            /** @description The cache, or that folder. */
            location: string;
            manifest: components["schemas"]["CacheManifest"] | null;
            /**
             * Format: int64
             * @description Files of the shown snapshot that have no content.
             */
            missingFiles: number;
            mmprojFiles: string[];
            name: string;
            owner: string;
            /** @description Its folder. */
            path: string;
            /** @description What is wrong in the folder. */
            problems: string[];
            quantizations: string[];
            repo: string;
            /** Format: int64 */
            revisionCount: number;
            /**
             * Format: int64
             * @description What of it other repos have too, in one file of the disk.
             */
            sharedSize: number;
            /**
             * Format: int64
             * @description Bytes on disk; each content counts once.
             */
            size: number;
            sizeHuman: string;
            /** @description Names of branches and tags. */
            snapshots: string[];
            /** @description `HF cache`, or `Local` for what lies plain in a folder of the settings: that is only read. */
            source: string;
            type: string;
            /** @description `verified`, `partial` or `bad`; empty while nothing was compared. */
            verification: string;
            verifiedAt?: string | null;
        };
        /** @description One file of a snapshot. */
        CacheFile: {
            /** @description Name of its content; empty for a real file. */
            blobId: string;
            commit: string;
            /** @description `linked`, `real`, `dangling` (its content is missing) or `foreign` (a link elsewhere). */
            held: string;
            isLfs: boolean;
            name: string;
            /** @description `type:owner/name` of other repos that hold the same content. */
            sharedWith: string[];
            /** Format: int64 */
            size: number;
            sizeHuman: string;
            /** @description What was compared: `sha256`, `git-sha1`, `size`; `bad` when it differed; else empty. */
            verification: string;
        };
        /** @description The cache. */
        CacheList: {
            /** @description The Hub cache. */
            cacheDir: string;
            count: number;
            effectiveHubDir: string;
            /** @description What said where the Hub cache is. */
            hubDirSource: string;
            /** @description By id. */
            repos: components["schemas"]["CacheEntry"][];
            /** @description When the whole cache was last looked through; `null` = not yet. */
            scannedAt?: string | null;
            /** @description Whether a look at the disk is still under way. */
            scanning: boolean;
            stats: components["schemas"]["CacheStats"];
        };
        /** @description A download, as whoever made it noted it. */
        CacheManifest: {
            /** @description The revision that was asked for. */
            branch: string;
            /** @description The command line of the other program. */
            command?: string;
            /** @description The whole commit. */
            commit: string;
            /** @description When it was done. */
            downloaded: string;
            /** @description What chose the files; empty = no filter. */
            filters: string[];
            /** @description Whether files were left out; `null` when nobody noted it. */
            isFiltered: boolean | null;
            /** @description `database` for what hfdepot fetched, `hfd.yaml` for what another program wrote down. */
            source: string;
            /** Format: int64 */
            totalFiles?: number | null;
            /** Format: int64 */
            totalSize?: number | null;
        };
        /** @description One snapshot. */
        CacheRevision: {
            commit: string;
            /** Format: int64 */
            fileCount: number;
            lastModified: string;
            refs: string[];
            /** Format: int64 */
            size: number;
            /**
             * Format: int64
             * @description What its removal alone frees.
             */
            uniqueSize: number;
        };
        /** @description Choices of a repo. */
        CacheSelection: {
            locations: components["schemas"]["SelectionLocation"][];
            repo: string;
            type: components["schemas"]["RepoType"];
        };
        /** @description Sums over the listed repos. */
        CacheStats: {
            /**
             * Format: int64
             * @description What the repos would take beyond that if each kept its own copy.
             */
            sharedSize: number;
            totalDatasets: number;
            /** Format: int64 */
            totalFiles: number;
            totalModels: number;
            /**
             * Format: int64
             * @description Bytes on disk; what several repos share counts once.
             */
            totalSize: number;
            totalSizeHuman: string;
        };
        /** @description One repo of a model's descent. */
        ChainLink: {
            /** @description Whether it is the analysed repo. */
            is_current: boolean;
            /** @description How it was made of the one before: finetune, quantized, merge, adapter. */
            relation?: string | null;
            /** @description `owner/name`. */
            repo: string;
        };
        /** @description The verdict over the chain. */
        ChainReport: {
            /** @description Hash of the newest row that retention dropped, in hex; zeros when none was. */
            anchor: string;
            /**
             * Format: int64
             * @description Place of that row; 0 = none.
             */
            anchorPosition: number;
            /**
             * Format: int64
             * @description Rows that were compared, up to the first bad one.
             */
            checked: number;
            /**
             * Format: int64
             * @description Events among them.
             */
            events: number;
            firstBad?: components["schemas"]["FirstBad"] | null;
            /** @description Hash of the newest row, in hex. Noted elsewhere, it proves later that no row up to it was changed. */
            head: string;
            /**
             * Format: int64
             * @description Place of the newest row.
             */
            headPosition: number;
            /**
             * Format: int64
             * @description Ends of jobs among them.
             */
            history: number;
            /** @description Whether every row is as it was written and none is missing. */
            ok: boolean;
        };
        /** @enum {string} */
        CheckMode: "size" | "sha256";
        /** @enum {string} */
        CheckSpeed: "idle" | "normal";
        /**
         * @description How a check came out.
         * @enum {string}
         */
        CheckStatus: "ok" | "warn" | "fail";
        /** @enum {string} */
        Code: "bad_request" | "repo_not_found" | "revision_not_found" | "entry_not_found" | "gated" | "bad_token" | "access_denied" | "repo_disabled" | "unsafe_path" | "path_collision" | "nothing_matched" | "hash_mismatch" | "size_mismatch" | "bad_response" | "rate_limited" | "server_error" | "offline" | "stalled" | "tls_error" | "disk_full" | "disk_read_only" | "disk_error" | "not_mounted" | "internal";
        /** @description A collection with what it holds. */
        Collection: components["schemas"]["CollectionSummary"] & {
            /** @description What can be downloaded, in the order of the collection, each repo once. */
            items: components["schemas"]["CollectionRepo"][];
            /** @description What cannot: spaces, papers and what else has no files to fetch. */
            leftOut: components["schemas"]["LeftOut"][];
        };
        /**
         * @description `owner/slug` of a collection, such as `acme/small-models-64f0a1b2c3d4e5f6a7b8c9d0`: each part of
         *     `[A-Za-z0-9._-]`, beginning with a letter or digit, without `..`; at most 96 and 200 characters.
         * @example acme/small-models-64f0a1b2c3d4e5f6a7b8c9d0
         */
        CollectionId: string;
        /** @description A repo of a collection. */
        CollectionRepo: {
            /** @description Whether some of it is in the cache. */
            cached: boolean;
            dataset: boolean;
            gated: components["schemas"]["Gated"];
            private: boolean;
            repo: components["schemas"]["RepoId"];
        };
        /** @description A collection as lists show it. */
        CollectionSummary: {
            /** @description The beginning of its description; may be empty. */
            description: string;
            /** @description `owner/slug`. */
            id: components["schemas"]["CollectionId"];
            /**
             * Format: date-time
             * @description RFC 3339; `null` when the Hub does not say.
             */
            lastUpdated: string | null;
            private: boolean;
            title: string;
        };
        /** @description Collections of an owner. */
        Collections: {
            /** @description Changed last first. */
            collections: components["schemas"]["CollectionSummary"][];
        };
        /** @description A full commit hash: 40 lower-case hex digits. */
        Commit: string;
        /** @description Commits of a repo. */
        Commits: {
            /**
             * @description How many commits are newer than the newest one that is in the cache: 0 = the newest is here.
             *     With `behindMore` it is at least so many. `null` when none of it is here, or only commits
             *     that do not belong to this revision.
             */
            behind: number | null;
            /** @description Whether `behind` is only where the list ends. */
            behindMore: boolean;
            /** @description Newest first; at most 50. */
            commits: components["schemas"]["UpstreamCommit"][];
            dataset: boolean;
            held: components["schemas"]["HeldCommit"] | null;
            /** @description Whether there are older ones. */
            more: boolean;
            repo: components["schemas"]["RepoId"];
            /** @description As it was asked. */
            revision: components["schemas"]["Revision"];
        };
        /** @description The `dataset` object. */
        Dataset: {
            /** @description Folders that are configs of their own. */
            configs: string[];
            /** @description Formats of the data files. */
            formats: string[];
            /** @description The best of them to read: parquet before arrow, jsonl, json, csv, txt. */
            primary_format?: string | null;
            /** @description By name: train first. */
            splits: components["schemas"]["DatasetSplit"][];
        };
        /** @description One split. */
        DatasetSplit: {
            /**
             * Format: int64
             * @description Number of all files.
             */
            file_count: number;
            /** @description The first 1,000 paths. */
            files: string[];
            /** @description `train`, `validation`, `test`, or as the files say. */
            name: string;
            /**
             * Format: int64
             * @description Bytes of all files.
             */
            size: number;
            /** @description The same for people. */
            size_human: string;
        };
        /** @description The `diffusers` object. */
        Diffusers: {
            /** @description What the pipeline is made of. */
            components: components["schemas"]["DiffusersComponent"][];
            /** @description Version that wrote the repo. */
            diffusers_version?: string | null;
            /** @description The class in words. */
            pipeline_description: string;
            /** @description Class of the pipeline. */
            pipeline_type: string;
            /** @description Precisions that the repo holds. */
            precisions: string[];
            /** @description Variants in file names, such as `fp16`. */
            variants: string[];
        };
        /** @description One component of a pipeline, a folder of the repo. */
        DiffusersComponent: {
            /** @description Class in that library. */
            class_name: string;
            /** @description Paths of all its files. */
            files: string[];
            /** @description `diffusers`, `transformers` or the author's own. */
            library: string;
            /** @description Name of the folder. */
            name: string;
            /** @description Whether the pipeline cannot run without it. */
            required: boolean;
            /**
             * Format: int64
             * @description Bytes of all its files.
             */
            size: number;
            /** @description The same for people. */
            size_human: string;
        };
        /** @enum {string} */
        Direction: "push" | "pull";
        /** @description Space of a volume. */
        DiskFree: {
            /** @description Root of the cache. */
            cacheDir: string;
            /** @description The Hub cache in it. */
            effectiveHubDir: string;
            /**
             * Format: int64
             * @description Bytes that hfdepot may write.
             */
            free: number;
            /** @description What said where the Hub cache is. */
            hubDirSource: string;
            /** @description The directory. */
            path: string;
            /**
             * Format: int64
             * @description Bytes of the volume.
             */
            total: number;
        };
        /** @description The answer to a command that was carried out. */
        Done: {
            /** @description What was done. */
            message: string;
            /** @description Always `true`. */
            success: boolean;
        };
        DownloadBody: components["schemas"]["DownloadRequest"] & ({
            repo?: string;
        } | {
            filters?: unknown[] | null;
            repo?: string;
        });
        /**
         * @description The body as clients write it; [`Asked::parse`] reads it.
         *
         *     A field that is `null` counts as missing.
         */
        DownloadRequest: {
            /** @description Echoed to clients; names the folder of the longest matching filter in flat destinations. */
            appendFilterSubdir?: boolean | null;
            /** @description One word for the kind of work; at most 64 characters. */
            category?: string | null;
            /**
             * Format: int64
             * @description Connections of all its files together at most; no limit of its own by default.
             */
            connections?: number | null;
            /** @description Whether it is a dataset. */
            dataset?: boolean | null;
            /** @description Only the plan is wanted. */
            dryRun?: boolean | null;
            /** @description Whether plain filters must match whole words. */
            exactMatch?: boolean | null;
            /** @description Patterns of files to leave out. */
            excludes?: (string)[] | null;
            /** @description Patterns of files to have; none means all. */
            filters?: (string)[] | null;
            /** @description Folder of plain files, absolute; below a folder that the settings name. */
            localDir?: string | null;
            /** @description Repo whose folder is used in place of the repo's own; in a local folder only. */
            localRepo?: (string) | null;
            /** @description Bytes a second of this job at most, such as `5MiB`. */
            maxSpeed?: string | null;
            /** @description Not started before this time, RFC 3339. */
            notBefore?: (string) | null;
            /**
             * Format: int64
             * @description Higher starts first; 0 is normal.
             */
            priority?: number | null;
            /**
             * @description `owner/name`; filters may stand behind it: `owner/name:q4_k_m,q5_k_m`.
             * @example TheBloke/Mistral-7B-GGUF
             */
            repo: string;
            /** @description Branch, tag or commit; `main` by default. */
            revision?: (string) | null;
            /** @description Key of a folder that the settings name; datasets ignore it. */
            routeKey?: ("llm" | "llm/gguf" | "llm/safetensors" | "diffusion" | "audio" | "embedding" | "") | null;
            /** @description Whether it is paused from the start. */
            startPaused?: boolean | null;
            /** @description Any further words; at most 32. */
            tags?: string[] | null;
            /** @description What is compared before a file counts as done; by default as the settings say. `etag` means `size`. */
            verify?: ("" | "none" | "size" | "etag" | "sha256") | null;
        };
        /** @description A repo that has a content. */
        DuplicateRepo: {
            /** @description Whether its copy would give way to the shared file. */
            replaced: boolean;
            repo: string;
            /** @description Why its copy has to stay; empty when nothing keeps it. */
            stays: string;
            type: components["schemas"]["RepoType"];
        };
        /** @description Whether the endpoint answers as a Hub does. */
        EndpointTrial: {
            /** @description A sentence for people. */
            message: string;
            /**
             * Format: int64
             * @description Milliseconds from the request to the end of one small answer; 0 when there was none.
             */
            ms: number;
            ok: boolean;
        };
        /** @description The body of every error. */
        Error: {
            /** @description What helps to find the fault. */
            details?: string;
            /** @description A short sentence. */
            error: string;
            /** @description The same in parts, and more. */
            error_detail: components["schemas"]["ErrorDetail"];
            /** @description Always `false`. */
            ok: boolean;
        };
        /** @description What went wrong with one code. */
        ErrorCount: {
            code: components["schemas"]["Code"];
            /**
             * Format: int64
             * @description Jobs that failed.
             */
            failures: number;
            /**
             * Format: int64
             * @description Requests that failed and were made again.
             */
            retries: number;
        };
        /** @description An error in parts. */
        ErrorDetail: {
            /** @description The status in a word. */
            code: string;
            /** @description What helps to find the fault: the field, the value, the answer of the Hub. */
            details?: string;
            /** @description What the user can do about it. */
            hint?: string;
            /** @description The short sentence. */
            message: string;
            /** @description The cause as a word that programs can test. */
            reason?: components["schemas"]["Code"];
            /** @description Id of the request, as in the log and the header `X-Request-Id`. */
            request_id?: string;
        };
        /** @description One thing that happened to a job. */
        EventRecord: {
            /** @description Who caused it. */
            actor: string;
            /** @description RFC 3339, UTC. */
            at: string;
            /** @description Hash over this row and all before it, in hex. */
            chainHash: string | null;
            /**
             * Format: int64
             * @description Place in the chain.
             */
            chainPosition: number | null;
            /** @description The word of a failure, or of what is waited for. */
            code: string | null;
            /**
             * Format: int64
             * @description How often it happened since the last event that says the same.
             */
            count: number;
            /** @description The sentence. */
            detail: string;
            /** @description What happened, in past tense. */
            event: string;
            /** @description Status before, when it changed. */
            fromStatus: string | null;
            /** @description The host that failed. */
            host: string | null;
            /** @description Id of the job. */
            jobId: string;
            /** @description `info`, `warn` or `error`. */
            level: string;
            /** @description Its repo, as long as the job or an end of it is known. */
            repo: string | null;
            /**
             * Format: int64
             * @description Order of the events, never used twice.
             */
            seq: number;
            /** @description Status after. */
            toStatus: string | null;
            /**
             * Format: int64
             * @description Milliseconds until the next try.
             */
            waitMs: number | null;
        };
        /** @description A page of events. */
        EventsPage: {
            /** @description Newest first. */
            entries: components["schemas"]["EventRecord"][];
            /**
             * Format: int64
             * @description Not in a download.
             */
            limit?: number;
            /** @description For `?cursor=`: the page behind this one; null at the end. */
            nextCursor?: string | null;
        };
        /** @description The equal job that is live already. */
        Existing: {
            /** @description As it is now. */
            job: components["schemas"]["Job"];
            /** @description Says so. */
            message: string;
        };
        /** @description What to export, and where to. */
        ExportRequest: {
            /** @description The folder: below the first `--export-dir`, or an absolute path below any. */
            dest: string;
            /** @description Patterns of files to have, as in a download; none means all. */
            filters?: (string)[] | null;
            mode?: components["schemas"]["Placing"] | null;
            repo: string;
            /** @description A ref, a commit, or its first digits, seven at least; by default what the list shows. */
            revision?: string | null;
            type?: components["schemas"]["RepoType"] | null;
        };
        /** @enum {string} */
        FilePriority: "high" | "normal" | "skip";
        /** @description One file that is under way. All in bytes. */
        FileSegments: {
            /**
             * Format: int64
             * @description Hashed from the front.
             */
            hashed: number;
            path: string;
            segments: components["schemas"]["SegmentView"][];
            /**
             * Format: int64
             * @description On disk: survives a loss of power.
             */
            synced: number;
            /** Format: int64 */
            totalBytes: number;
            /**
             * Format: int64
             * @description Handed to the system: survives the end of the process.
             */
            written: number;
        };
        /** @enum {string} */
        FileState: "pending" | "downloading" | "verifying" | "complete" | "skipped" | "error";
        /** @description What is wanted of some files. */
        FileWish: {
            /** @description Every file whose whole path it matches; `*` crosses `/`, in any case. */
            glob?: string | null;
            /** @description Path of one file. */
            path?: string | null;
            priority: components["schemas"]["FilePriority"];
        };
        FileWishBody: components["schemas"]["FileWish"] & ({
            glob?: null;
            path: string | unknown[] | Record<string, never>;
        } | {
            glob: string | unknown[] | Record<string, never>;
            path?: null;
        });
        /** @description Wishes, all or none; where several name one file, the last one holds. */
        FileWishes: {
            /** @description At most 10,000. */
            files: components["schemas"]["FileWishBody"][];
        };
        /** @description The files that were named, as they are now. */
        FilesChosen: {
            /** @description By path; the first 10,000. */
            files: components["schemas"]["JobFile"][];
            /** @description How many were named. */
            matched: number;
            /** Format: int64 */
            skippedFiles: number;
            /** Format: int64 */
            totalBytes: number;
            /**
             * Format: int64
             * @description Totals of the job without files that are left out.
             */
            totalFiles: number;
        };
        /** @description The first row that breaks the chain. */
        FirstBad: {
            /** @description The same as a sentence. */
            message: string;
            /**
             * Format: int64
             * @description Its place in the chain.
             */
            position: number;
            /** @description `changed`, `removed`, `inserted`, `reordered`, `truncated`, `files_changed`, `files_removed` or `unknown_head`. */
            reason: string;
            /**
             * Format: int64
             * @description Its number there.
             */
            seq: number;
            /** @description `history` or `event`. */
            table: string;
        };
        /** @description As the Hub writes it. */
        Gated: boolean | string;
        /** @description The `gguf` object. */
        Gguf: {
            /** @description Architecture, from a real header. */
            architecture?: string | null;
            /**
             * Format: int64
             * @description Context length in tokens, from a real header.
             */
            context_length?: number | null;
            /** @description Draft models for speculative decoding. */
            draft_files?: components["schemas"]["AnalyzedFile"][];
            /** @description Vision encoders. */
            mmproj_files?: components["schemas"]["AnalyzedFile"][];
            /** @description Base model that has vision encoders, when this repo has none. */
            mmproj_upstream_repo?: string | null;
            /** @description Where the model comes from, the oldest first, this repo last. */
            model_chain?: components["schemas"]["ChainLink"][];
            /** @description Name of the repo without its `-GGUF`. */
            model_name: string;
            /** @description From the name: `7B`, `8x7B`, `0.5B`. */
            parameter_count?: string | null;
            /**
             * Format: int64
             * @description Elements of all tensors, from a real header.
             */
            parameter_count_exact?: number | null;
            /** @description Largest first. */
            quantizations: components["schemas"]["GgufQuantization"][];
            /**
             * Format: int64
             * @description Entries of the tokenizer, from a real header.
             */
            tokenizer_size?: number | null;
        };
        /** @description One quantisation. */
        GgufQuantization: {
            /** @description A few words. */
            description: string;
            /**
             * Format: int64
             * @description floor(size × 1.1) + 500 MiB, in bytes.
             */
            estimated_ram: number;
            /** @description The same for people. */
            estimated_ram_human: string;
            /** @description The (first) file; its size is that of all parts. */
            file: components["schemas"]["AnalyzedFile"];
            /** @description Paths of all parts. */
            files: string[];
            /** @description The filter that selects it; as in its item. */
            filter: string;
            /** @description `Q4_K_M`, `UD-Q4_K_XL` or `Unknown`. */
            name: string;
            /**
             * Format: int64
             * @description Number of parts; absent for a single file.
             */
            parts?: number | null;
            /**
             * Format: int32
             * @description 1 (poor) to 5.
             */
            quality: number;
            /** @description Five characters of `★` and `☆`. */
            quality_stars: string;
            /** @description Whether most users would want it. */
            recommended: boolean;
            /**
             * Format: int64
             * @description Bytes of all parts.
             */
            size: number;
            /** @description The same for people. */
            size_human: string;
            /** @description Set when parts are missing. */
            warning?: string | null;
        };
        /** @description That the service runs, and for how long. */
        Health: {
            /** @description Always `ok`. */
            status: string;
            /**
             * Format: date-time
             * @description The clock of the service.
             */
            time: string;
            /**
             * Format: int64
             * @description Seconds since the start.
             */
            uptimeSeconds: number;
            /** @description Version of the service. */
            version: string;
        };
        /** @description A commit that is in the cache. */
        HeldCommit: {
            commit: components["schemas"]["Commit"];
            /** @description Branches and tags by which the cache knows it. */
            refs: string[];
        };
        /** @description What was fetched and what ended on one day (UTC). */
        HistoryDay: {
            /**
             * Format: int64
             * @description Cancelled jobs.
             */
            cancelled: number;
            /**
             * Format: int64
             * @description Completed jobs.
             */
            completed: number;
            /** @description `2026-11-22` */
            day: string;
            /**
             * Format: int64
             * @description Failed jobs.
             */
            failed: number;
            /**
             * Format: int64
             * @description Bytes from the network. What an earlier end of the same job told already is not counted again.
             */
            networkBytes: number;
            /**
             * Format: int64
             * @description Bytes found in the cache.
             */
            reusedBytes: number;
        };
        /** @description One file of an ended job. */
        HistoryFile: {
            /** @description Name of the blob in the cache: SHA-256 (LFS) or git's SHA-1. */
            blobId: string;
            /** @description Why it failed, as a word. */
            errorCode: string | null;
            /** @description Path in the repo. */
            path: string;
            /** @description The SHA-256, where the Hub announces one. */
            sha256: string | null;
            /**
             * Format: int64
             * @description Length in bytes.
             */
            size: number;
            /** @description Where its bytes came from: `network`, `reused`; empty when it was not done. */
            source: string;
            /**
             * @description `complete`, `skipped` (was here before, or without a source: left out by the user), `error`
             *     or `pending`.
             */
            status: string;
            /** @description What was compared: `sha256`, `git-sha1`, `size`; empty while nothing was. */
            verification: string;
        };
        /** @description Files of an ended job. */
        HistoryFiles: {
            files: components["schemas"]["HistoryFile"][];
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            offset: number;
            /** Format: int64 */
            total: number;
        };
        /** @description A page of the history. */
        HistoryPage: {
            entries: components["schemas"]["HistoryRecord"][];
            /**
             * Format: int64
             * @description Not in a download.
             */
            limit?: number;
            /** @description For `?cursor=`: the page behind this one; null at the end. Rows that come meanwhile do not move it. */
            nextCursor?: string | null;
            /**
             * Format: int64
             * @description Not in a download.
             */
            offset?: number;
            /**
             * Format: int64
             * @description How many match in all.
             */
            total: number;
        };
        /** @description The end of one job: completed, failed or cancelled. A job that is retried has one for each end. */
        HistoryRecord: {
            /**
             * Format: int64
             * @description Milliseconds in runs; waiting does not count.
             */
            activeMs: number;
            /** @description Who caused the end: a user, a key, an address, or `hfdepot`. */
            actor: string;
            /** @description Whether each filter had a folder of its own. */
            appendFilterSubdir: boolean;
            /**
             * Format: int64
             * @description The same under its older name.
             */
            averageBytesPerSecond: number;
            /**
             * Format: int64
             * @description Mean: bytes from the network by time in runs.
             */
            bytesPerSecond: number;
            /** @description Category; empty = none. */
            category: string;
            /** @description Hash over this row and all before it, in hex. */
            chainHash: string | null;
            /**
             * Format: int64
             * @description Place in the chain.
             */
            chainPosition: number | null;
            /** @description What it resolved to. */
            commit: string | null;
            /**
             * Format: int64
             * @description Files in place.
             */
            completedFiles: number;
            /** @description RFC 3339, UTC. */
            createdAt: string;
            /** @description RFC 3339, UTC. */
            endedAt: string;
            /** @description Why it failed, as a sentence. */
            error: string;
            /** @description Why it failed, as a word. */
            errorCode: string | null;
            /** @description Whether filters had to match a whole quantization. */
            exactMatch: boolean;
            /** @description What was to be left out. */
            excludes: string[];
            /** @description What was to be fetched, and how filters were compared: enough to queue the same again. */
            filters: string[];
            /** @description Whether files lie plain, under their own names. */
            flat: boolean;
            /** @description Whether `GET /api/history/{seq}/files` has the files of this end. */
            hasFiles: boolean;
            /** @description The Hub cache directory; empty when the files did not go there. */
            hubDir: string;
            /** @description Id of the job. */
            id: string;
            /** @description Whether the repo is a dataset. */
            isDataset: boolean;
            /** @description `download`, `mirror`, `verify` or `export`. */
            kind: string;
            /** @description `cache` or `local`: how files lie there; `null` for ends from before this was kept. */
            layout: string | null;
            /** @description `auto`, `symlink`, `hardlink` or `copy`: how snapshots show blobs; `null` as for `layout`. */
            linkMode: string | null;
            /** @description The folder of plain files; empty when the files went into the cache. */
            localDir: string;
            /** @description Repo whose folder was used in place of the repo's own; empty = none. */
            localRepo: string;
            /**
             * Format: int64
             * @description Bytes from the network over all runs of the job up to this end.
             */
            networkBytes: number;
            /** @description Where the files went: the Hub cache, or a folder of plain files. */
            outputDir: string;
            /**
             * Format: int64
             * @description Priority in the queue.
             */
            priority: number;
            /**
             * Format: int64
             * @description Bytes fetched a second time.
             */
            refetchedBytes: number;
            /** @description `owner/name` */
            repo: string;
            /**
             * Format: int64
             * @description Failed tries.
             */
            retries: number;
            /**
             * Format: int64
             * @description Bytes found in the cache.
             */
            reusedBytes: number;
            /** @description What was asked. */
            revision: string;
            /** @description Key that chose the folder; empty = none. */
            routeKey: string;
            /**
             * Format: int64
             * @description Order of the ends, never used twice. Also the cursor: whatever the clock does, a later end has a larger one.
             */
            seq: number;
            /** @description RFC 3339, UTC. */
            startedAt: string | null;
            /** @description `completed`, `failed` or `cancelled`. */
            status: string;
            /** @description Tags. */
            tags: string[];
            /**
             * Format: int64
             * @description Bytes of the plan.
             */
            totalBytes: number;
            /**
             * Format: int64
             * @description Files of the plan.
             */
            totalFiles: number;
            /** @description The weakest comparison that a file in place passed: `hash`, `size` or `none`; empty without files. */
            verification: string;
            /** @description What was to be compared: `none`, `size` or `sha256`. */
            verify: string;
        };
        /** @description Sums by day. */
        HistoryStats: {
            days: components["schemas"]["HistoryDay"][];
        };
        /**
         * @description The Hub's three windows.
         * @enum {string}
         */
        HubWindow: "api" | "resolvers" | "pages";
        /** @description In pixels. */
        ImageSize: {
            /** Format: int64 */
            height: number;
            /** Format: int64 */
            width: number;
        };
        /** @description What was found and done, with the job that did it. */
        ImportAnswer: components["schemas"]["ImportReport"] & {
            jobId: components["schemas"]["JobId"] | null;
        };
        /** @description A file that says what it is. */
        ImportFile: {
            /** @description The hash that it should have. */
            blobId: string;
            /**
             * Format: int64
             * @description Length in bytes.
             */
            bytes: number;
            /** @description Its commit. */
            commit: string;
            /** @description Its path in the repo. */
            name: string;
            /** @description Where it lies, below the folder. */
            path: string;
            /** @description Its repo. */
            repo: string;
            /** @description Model or dataset. */
            type: components["schemas"]["RepoType"];
        };
        /** @description What an import found and did. */
        ImportReport: {
            /**
             * Format: int64
             * @description Files that are in the cache now and were not before.
             * @default 0
             */
            adopted: number;
            /**
             * Format: int64
             * @description Their bytes.
             * @default 0
             */
            adoptedBytes: number;
            /**
             * Format: int64
             * @description Their bytes.
             * @default 0
             */
            bytes: number;
            /**
             * @description The folder.
             * @default
             */
            dir: string;
            /**
             * @description Whether nothing was done.
             * @default false
             */
            dryRun: boolean;
            /**
             * @description What was not taken over although it says what it is, and why.
             * @default []
             */
            errors: string[];
            /**
             * @description Files that say what they are; a thousand at most.
             * @default []
             */
            matched: components["schemas"]["ImportFile"][];
            /**
             * Format: int64
             * @description How many they are.
             * @default 0
             */
            matchedCount: number;
            /**
             * Format: int64
             * @description Files whose content was in the cache already.
             * @default 0
             */
            present: number;
            /**
             * @description Other files; a thousand at most.
             * @default []
             */
            unmatched: components["schemas"]["ImportStranger"][];
            /**
             * Format: int64
             * @description How many they are.
             * @default 0
             */
            unmatchedCount: number;
        };
        /** @description What to take over. */
        ImportRequest: {
            /** @description Answer with the id of the job at once. */
            async?: boolean | null;
            /**
             * @description An absolute path, in a folder that `localScanDirs`, `localDir` or `downloadRoutes` of the
             *     settings or `--export-dir` name.
             */
            dir: string;
            /** @description Only show what would be taken over; `true` by default. */
            dryRun?: boolean | null;
            mode?: components["schemas"]["Placing"] | null;
            /** @description Whose files they are, when `dir` is a folder of plain files that is not named `owner/name`. */
            repo?: (string) | null;
            type?: components["schemas"]["RepoType"] | null;
        };
        /** @description The job that does it. */
        ImportStarted: {
            jobId: components["schemas"]["JobId"];
        };
        /** @description A file that does not, and why. */
        ImportStranger: {
            /** @description Where it lies, below the folder. */
            path: string;
            /** @description A sentence. */
            reason: string;
        };
        /**
         * @description What a choice is about.
         * @enum {string}
         */
        ItemCategory: "quantization" | "vision_encoder" | "mtp_draft" | "variant" | "component" | "format" | "precision" | "split" | "config" | "branch";
        /** @description A job as clients see it. */
        Job: {
            actor: string;
            appendFilterSubdir: boolean;
            /** Format: int64 */
            attempt: number;
            category: string;
            commit: string | null;
            /**
             * Format: int64
             * @description Connections of all its files together at most; `null` = no limit of its own.
             */
            connections: number | null;
            /** @description Why the engine uses as many connections as it does; empty unless it fetches this job now. */
            connectionsReason: string;
            /** Format: date-time */
            createdAt: string;
            destinationWarning: string;
            /** Format: date-time */
            endedAt: string | null;
            error: string;
            errorCode: components["schemas"]["Code"] | null;
            exactMatch: boolean;
            excludes: string[];
            files: components["schemas"]["JobFile"][];
            /**
             * Format: int64
             * @description Files the job has, those left out included; `files` may hold fewer.
             */
            filesTotal: number;
            filesTruncated: boolean;
            filters: string[];
            /** @description Whether filters or excludes were left out because they would not fit into one message. */
            filtersTruncated: boolean;
            /** @description Whether files lie plain, under their own names. */
            flat: boolean;
            hint: string;
            /** @description The Hub cache directory; empty when the files do not go there. */
            hubDir: string;
            id: string;
            isDataset: boolean;
            kind: components["schemas"]["JobKind"];
            /** Format: date-time */
            lastByteAt: string | null;
            /** @description The folder of plain files; empty when the files go into the cache. */
            localDir: string;
            /** @description Repo whose folder is used in place of the repo's own. */
            localRepo: string;
            /**
             * Format: int64
             * @description Tries without progress before the job fails.
             */
            maxAttempts: number;
            /** @description Bytes a second of this job at most; empty = no limit of its own. */
            maxSpeed: string;
            /**
             * Format: int64
             * @description Bytes from the network, found in the cache, and fetched a second time; over all runs.
             */
            networkBytes: number;
            /** Format: date-time */
            nextAttemptAt: string | null;
            /** Format: date-time */
            notBefore: string | null;
            /** @description Where the files go: the Hub cache, or a folder of plain files. */
            outputDir: string;
            /** @description `user` for a paused job. */
            pauseReason: string | null;
            phase: components["schemas"]["Phase"] | null;
            /**
             * Format: int64
             * @description Place in the queue, from 1; `null` when the job is not queued.
             */
            position: number | null;
            /** Format: int64 */
            priority: number;
            progress: components["schemas"]["JobProgress"];
            /** Format: int64 */
            refetchedBytes: number;
            repo: string;
            result: Record<string, never> | null;
            /** @description Whether the report was left out because it would not fit; the job alone shows it. */
            resultTruncated: boolean;
            /**
             * Format: int64
             * @description Failed tries over all runs.
             */
            retries: number;
            /** Format: int64 */
            reusedBytes: number;
            revision: string;
            /** @description Key that chose the folder. */
            routeKey: string;
            /**
             * Format: int64
             * @description Files that the user left out; the totals of `progress` are without them.
             */
            skippedFiles: number;
            /** @description What a job of another kind than download is asked, and what it reports. */
            spec: Record<string, never> | null;
            /**
             * Format: date-time
             * @description Since when no byte came although bytes are waited for.
             */
            stalledSince: string | null;
            /** Format: date-time */
            startedAt: string | null;
            status: components["schemas"]["JobStatus"];
            tags: string[];
            /** Format: date-time */
            updatedAt: string;
            verify: components["schemas"]["Verify"];
            waitReason: components["schemas"]["WaitReason"] | null;
        };
        /** @description Events of one job. */
        JobEvents: {
            /** @description How many of them are in this answer. */
            count: number;
            /** @description Oldest first. */
            events: components["schemas"]["EventRecord"][];
        };
        /** @description A file of a job as clients see it. */
        JobFile: {
            /** @description Name of its blob in the cache: SHA-256 (LFS) or git's SHA-1. Only in the list of the files. */
            blobId?: string;
            /** Format: int64 */
            downloaded: number;
            error: string;
            errorCode: components["schemas"]["Code"] | null;
            path: string;
            /** @description What the user wants of it. */
            priority: components["schemas"]["FilePriority"];
            /** @description The SHA-256, where the Hub announces one. Only in the list of the files. */
            sha256?: string;
            /**
             * @description Where its bytes came from: `network`, `reused` (they lay at the destination before); empty
             *     until it is in place.
             */
            source: string;
            /** @description `skipped`: was here before, or with the priority `skip` is left out. */
            status: components["schemas"]["FileState"];
            /** Format: int64 */
            totalBytes: number;
            /** @description `sha256`, `git-sha1`, `size`, or empty while nothing was compared. */
            verification: string;
        };
        /** @description Files of a job. */
        JobFiles: {
            /** @description By path. */
            files: components["schemas"]["JobFile"][];
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            offset: number;
            /**
             * Format: int64
             * @description How many the job has.
             */
            total: number;
        };
        /**
         * @description Public id of a job: 12 lower-case hex digits, random.
         * @example 3fa1b2c4d5e6
         */
        JobId: string;
        /** @enum {string} */
        JobKind: "download" | "mirror" | "verify" | "export";
        /** @description Jobs. The answer is put together from texts; this describes it. */
        JobList: {
            /**
             * Format: int64
             * @description How many are in this answer.
             */
            count: number;
            /** @description In order of creation, each with at most 64 of its files. */
            jobs: components["schemas"]["Job"][];
            /** @description Leads to the next older page; `null` on the last one. */
            nextCursor: string | null;
            /**
             * Format: int64
             * @description How many there are.
             */
            total: number;
        };
        /** @description What to set; a missing field stays as it is. */
        JobPatch: {
            /** @description At most 64 characters; empty = none. */
            category?: string | null;
            /**
             * Format: int64
             * @description Connections of all its files together at most; `null` = no limit of its own.
             */
            connections?: number | null;
            /** @description Bytes a second, such as `5MiB`; empty = no limit of its own. */
            maxSpeed?: string | null;
            /** @description Not started before, RFC 3339; `null` = at once. */
            notBefore?: (string) | null;
            /**
             * Format: int64
             * @description Higher starts first; 0 is normal.
             */
            priority?: number | null;
            /** @description At most 32 of at most 64 characters. */
            tags?: string[] | null;
        };
        JobProgress: {
            activity: string;
            /** Format: int64 */
            bytesPerSecond: number;
            /** Format: int64 */
            completedFiles: number;
            /** Format: int64 */
            downloadedBytes: number;
            /**
             * Format: int64
             * @description 0 = unknown.
             */
            etaSeconds: number;
            /** Format: int64 */
            totalBytes: number;
            /** Format: int64 */
            totalFiles: number;
        };
        /** @description The files of a job that are under way. */
        JobSegments: {
            /** @description By path; those that have no part file yet, or none any more, are left out. */
            files: components["schemas"]["FileSegments"][];
        };
        /** @enum {string} */
        JobStatus: "queued" | "running" | "paused" | "completed" | "failed" | "cancelled";
        /**
         * @description Name of a key: 1 to 64 letters, digits, `.`, `_`, `-`, or blanks inside.
         * @example dashboard
         */
        KeyName: string;
        /** @description A key that was removed. */
        KeyRemoved: {
            /** @description Says so. */
            message: string;
            /** @description Always `true`. */
            success: boolean;
        };
        /** @enum {string} */
        Layout: "cache" | "local";
        /** @description An entry of a collection that is nothing to download. */
        LeftOut: {
            /** @description Its title, else its id. */
            name: string;
            /** @description `space`, `paper` or another word of the Hub. */
            type: string;
        };
        /** @description Which limits hold. */
        LimitsNow: {
            /** @description `normal`, `slow` or `paused`. */
            active: string;
            /** @description Bytes a second, such as `50MiB`; empty = no limit. */
            maxSpeed: string;
        };
        /** @description What to change; a missing field stays as it is. */
        LimitsPatch: {
            /** @description `normal`, `slow` or `schedule`. */
            mode?: ("normal" | "slow" | "schedule") | null;
            normal?: components["schemas"]["PairPatch"] | null;
            /** @description A time (RFC 3339) or `forever` pauses everything until then; `null` goes on. */
            pausedUntil?: (string | ("forever" | "")) | null;
            schedule?: components["schemas"]["SchedulePatch"] | null;
            slow?: components["schemas"]["PairPatch"] | null;
        };
        /** @description All limits, and which hold now. */
        LimitsView: {
            /** @description `normal`, `slow` or `paused`. */
            active: string;
            /** @description `mode`, `schedule` or `paused_until`. */
            activeReason: string;
            /** @description `normal`, `slow` or `schedule`. */
            mode: string;
            normal: components["schemas"]["PairView"];
            /** @description RFC 3339, `forever`, or `null`. */
            pausedUntil: string | null;
            schedule: components["schemas"]["ScheduleView"];
            /** @description Settings of the normal pair that a flag or variable overrides. */
            shadowed: string[];
            slow: components["schemas"]["PairView"];
            /** @description When something else holds; `null` when nothing is going to change. */
            until: string | null;
        };
        /** @enum {string} */
        LinkMode: "auto" | "symlink" | "hardlink" | "copy";
        /** @description What a message is about. */
        LiveContent: {
            /** @description The jobs as they are. */
            data: components["schemas"]["LiveInit"];
            /** @enum {string} */
            type: "init";
        } | {
            /** @description A job that is new or has changed, whole. */
            data: components["schemas"]["Job"];
            /** @enum {string} */
            type: "job_update";
        } | {
            /** @description Something that is worth a notification. */
            data: components["schemas"]["LiveEvent"];
            /** @enum {string} */
            type: "event";
        } | {
            /** @description What the service does in a few numbers, every five seconds. */
            data: components["schemas"]["LiveStatus"];
            /** @enum {string} */
            type: "status";
        };
        /** @description An event. */
        LiveEvent: {
            /**
             * Format: int64
             * @description Free bytes on its volume.
             */
            diskFree?: number;
            /** @description `download_complete`, `download_failed`, `job_removed`, `disk_low` and others. */
            event: string;
            /**
             * Format: int64
             * @description Bytes that stay free there.
             */
            floor?: number;
            /** @description The job it is about. */
            jobId?: components["schemas"]["JobId"];
            /** @description The directory it is about. */
            path?: string;
        };
        /** @description The first message. */
        LiveInit: {
            /** @description Live jobs and the newest ended ones, as many as fit into one message; in order of creation. */
            jobs: components["schemas"]["Job"][];
            /**
             * Format: int64
             * @description How many there are.
             */
            jobsTotal: number;
            /** @description Version of the service. */
            version: string;
        };
        /** @description One message: `{"seq": …, "type": …, "data": …}`. The first on a connection is `init`. */
        LiveMessage: components["schemas"]["LiveContent"] & {
            /**
             * Format: int64
             * @description Rises from message to message until the service is started anew. Numbers are left out where
             *     a newer state of a job overtook an older one: nothing is missing there.
             */
            seq?: number;
        };
        /** @description Numbers of the moment. */
        LiveStatus: {
            /**
             * Format: int64
             * @description Running jobs.
             */
            active: number;
            /**
             * Format: int64
             * @description Speed of all jobs together.
             */
            bytesPerSecond: number;
            /**
             * Format: int64
             * @description Free bytes of the cache's volume; `null` until the disk answers.
             */
            diskFree: number | null;
            /** @description Which limits hold. */
            limits: components["schemas"]["LimitsNow"];
            /**
             * Format: int64
             * @description Paused jobs.
             */
            paused: number;
            /**
             * Format: int64
             * @description Queued jobs.
             */
            queued: number;
        };
        /** @description One line of the log. */
        LogEntry: {
            /** Format: date-time */
            at: string;
            /** @description What belongs to it, by name. */
            fields: {
                [key: string]: string;
            };
            level: components["schemas"]["LogLevel"];
            /** @description The sentence. */
            message: string;
            /**
             * Format: int64
             * @description Rises with each line, also over restarts of the service.
             */
            seq: number;
            /** @description The part of the service that wrote it. */
            target: string;
        };
        /** @description One server-sent event of the log. */
        LogEvent: {
            /** @description A `LogEntry` as JSON; of a `gap` how many lines are missing, as `{"missed":n}`. */
            data: string;
            /** @description `line`, or `gap` before a line that does not follow on the one before. */
            event: string;
            /** @description Number of the line, to go on behind it. */
            id: string;
        };
        /** @enum {string} */
        LogLevel: "error" | "warn" | "info" | "debug" | "trace";
        /** @description Some lines of the log. */
        LogPage: {
            /**
             * Format: int64
             * @description For `?after=`: the lines that come behind these.
             */
            cursor: number;
            /** @description Oldest first. */
            entries: components["schemas"]["LogEntry"][];
            /**
             * Format: int64
             * @description Lines that should stand before these, and are kept no more.
             */
            missed: number;
        };
        /** @description The `lora` object. */
        Lora: {
            adapter_description: string;
            adapter_type: string;
            /** Format: double */
            alpha?: number | null;
            base_model?: string | null;
            bias?: string | null;
            /** Format: double */
            dropout?: number | null;
            fan_in_fan_out?: boolean | null;
            init_lora_weights?: string | null;
            quant_type?: string | null;
            /** Format: int64 */
            rank?: number | null;
            target_modules: string[];
            task_type?: string | null;
        };
        /** @description A key that was made. */
        MadeApiKey: components["schemas"]["ApiKey"] & {
            /** @description The key itself. It is shown this once. */
            key: string;
        };
        /** @description The plans of many downloads. */
        ManyPlans: {
            /** @description One for each download, in the order of the request. */
            plans: components["schemas"]["PlanLine"][];
            totals: components["schemas"]["PlanTotals"];
        };
        /** @description Many downloads to plan. */
        ManyPlansRequest: {
            /** @description The downloads, each as for a single plan. */
            repos: (components["schemas"]["DownloadRequest"] | unknown)[];
        };
        /** @description Something that happened at a moment. */
        Mark: {
            /** @description RFC 3339, UTC. */
            at: string;
            /** @description `retry`: something failed and was tried again. `restart`: another run began. */
            kind: string;
        };
        /** @description The memory of the process in a span of time. */
        MemoryPoint: {
            /**
             * Format: date-time
             * @description Its start.
             */
            at: string;
            /**
             * Format: int64
             * @description The most that the process held in it.
             */
            bytes: number;
        };
        /** @description A report with the job that made it. */
        MirrorAnswer: components["schemas"]["MirrorReport"] & {
            jobId: components["schemas"]["JobId"] | null;
        };
        /** @description The cache and a target compared. */
        MirrorDiff: {
            /** @description Those that are not in sync, in order. */
            diffs: components["schemas"]["MirrorDifference"][];
            effectiveHubDir: string;
            hubDirSource: string;
            /** @description Folders of repos that have no form that is copied. */
            ignored: string[];
            /** @description Root of the cache. */
            localPath: string;
            summary: components["schemas"]["MirrorSummary"];
            /** @description Root of the target. */
            targetPath: string;
        };
        /** @description What is to be compared. */
        MirrorDiffRequest: {
            /** @description Only repos whose id holds this text, in any case. */
            repoFilter?: string | null;
            /** @description Letters, digits, dashes and underscores */
            target: string;
        };
        /** @description One repo that differs. */
        MirrorDifference: {
            /**
             * Format: int64
             * @description Bytes that a push would copy.
             */
            copySize: number;
            /** @description Why it cannot be read. */
            error: string;
            /** @description What `main` names in the cache, and at the target. */
            localCommit: string;
            /**
             * Format: int64
             * @description Bytes in the cache.
             */
            localSize: number;
            remoteCommit: string;
            /**
             * Format: int64
             * @description Bytes at the target.
             */
            remoteSize: number;
            repo: string;
            /** @description The larger of both, for people. */
            sizeHuman: string;
            /**
             * @description `missing`: only in the cache. `extra`: only at the target. `outdated`: the target lacks
             *     something that the cache has. `unreadable`: see `error`.
             */
            status: string;
            type: components["schemas"]["RepoType"];
        };
        /** @description What came of a mirror job, or would. */
        MirrorReport: {
            /**
             * Format: int64
             * @description Repos of which something was copied, and its bytes.
             * @default 0
             */
            copied: number;
            /**
             * Format: int64
             * @description In bytes.
             * @default 0
             */
            copiedSize: number;
            /**
             * @description For people.
             * @default
             */
            copiedSizeHuman: string;
            /**
             * Format: int64
             * @description Repos that were deleted, and their bytes.
             * @default 0
             */
            deleted: number;
            /**
             * @description Ids of the repos that were deleted.
             * @default []
             */
            deletedRepos: string[];
            /**
             * Format: int64
             * @description In bytes.
             * @default 0
             */
            deletedSize: number;
            /**
             * @description For people.
             * @default
             */
            deletedSizeHuman: string;
            /**
             * @description Whether nothing was done.
             * @default false
             */
            dryRun: boolean;
            /**
             * @description What went wrong.
             * @default []
             */
            errors: string[];
            /**
             * @description All of it in one sentence.
             * @default
             */
            message: string;
            /**
             * @description Ids of the repos that were copied.
             * @default []
             */
            repos: string[];
            /**
             * @description What was left alone, and why.
             * @default []
             */
            skipped: string[];
            /**
             * @description Whether nothing went wrong.
             * @default false
             */
            success: boolean;
        };
        /** @description A mirror job. */
        MirrorRun: {
            /** Format: date-time */
            createdAt: string;
            direction: components["schemas"]["Direction"];
            /** Format: date-time */
            endedAt: string | null;
            error: string;
            jobId: components["schemas"]["JobId"];
            report: components["schemas"]["MirrorReport"] | null;
            /** Format: date-time */
            startedAt: string | null;
            status: components["schemas"]["JobStatus"];
            target: string;
        };
        /** @description What is to be copied. */
        MirrorRunRequest: {
            /** @description Answer with the id of the job at once. */
            async?: boolean | null;
            /** @description Delete repos that only the destination has. */
            deleteExtra?: boolean | null;
            /** @description Only say what would be done. */
            dryRun?: boolean | null;
            /** @description Copy again what is there already. */
            force?: boolean | null;
            /** @description Only repos whose id holds this text, in any case. */
            repoFilter?: string | null;
            /** @description Letters, digits, dashes and underscores */
            target: string;
            /** @description What is compared; `true` means `sha256`, `false` means `size`. */
            verify?: (boolean | ("none" | "size" | "etag" | "sha256")) | null;
        };
        /** @description Mirror jobs. */
        MirrorRuns: {
            count: number;
            /** @description Newest first. */
            runs: components["schemas"]["MirrorRun"][];
        };
        /** @description When runs begin by themselves. */
        MirrorSchedule: {
            /** @description Time of day, `02:30`. */
            at: string;
            /** @description Days of the week, Monday first. */
            days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
            /** @description IANA name of the time zone whose clock counts. */
            timeZone: string;
            /** @description What the runs compare. */
            verify: components["schemas"]["Verify"];
        };
        /** @description When runs shall begin by themselves. */
        MirrorScheduleWish: {
            /**
             * @description Time of day.
             * @example 02:30
             */
            at: string;
            /** @description Days of the week; none means every day. */
            days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[] | null;
            /**
             * @description IANA name of a time zone; that of the machine by default.
             * @example Europe/Berlin
             */
            timeZone?: string | null;
            /** @description What the runs compare; `size` by default. */
            verify?: ("" | "none" | "size" | "etag" | "sha256") | null;
        };
        /** @description The job that does it. */
        MirrorStarted: {
            jobId: components["schemas"]["JobId"];
        };
        /** @description How many repos there are of each status. */
        MirrorSummary: {
            /** Format: int64 */
            extra: number;
            /** Format: int64 */
            extraSize: number;
            extraSizeHuman: string;
            /** Format: int64 */
            inSync: number;
            /** Format: int64 */
            missing: number;
            /** Format: int64 */
            missingSize: number;
            missingSizeHuman: string;
            /** Format: int64 */
            outdated: number;
            /** Format: int64 */
            unreadable: number;
        };
        /** @description A target, and whether it is there. */
        MirrorTarget: {
            /** @description For people. */
            description: string;
            /** @description Whether there is a directory at its path. */
            exists: boolean;
            /**
             * Format: int64
             * @description Free bytes; `null` when it is not mounted.
             */
            free: number | null;
            lastRun: components["schemas"]["MirrorRun"] | null;
            /**
             * Format: date-time
             * @description When its newest run began or was asked for.
             */
            lastRunAt: string | null;
            /**
             * Format: date-time
             * @description When it was last found mounted: now, when it is; `null` = never since that is recorded.
             */
            lastSeenAt: string | null;
            /** @description Whether the directory holds the marker that was made when it was registered. */
            markerOk: boolean;
            /** @description Both: otherwise nothing is read from it nor written to it. */
            mounted: boolean;
            /** @description Its name. */
            name: string;
            /**
             * Format: date-time
             * @description When the next of them begins. In the past: it begins as soon as the target is mounted.
             */
            nextRunAt: string | null;
            /** @description Its root. */
            path: string;
            /** @description Whether none begins although there is a schedule. */
            paused: boolean;
            schedule: components["schemas"]["MirrorSchedule"] | null;
            /**
             * Format: int64
             * @description Bytes of its volume.
             */
            total: number | null;
        };
        /** @description The answer to a registration. */
        MirrorTargetAdded: {
            message: string;
            success: boolean;
            target: components["schemas"]["RegisteredTarget"];
        };
        /** @description What is to change; what is left out stays. */
        MirrorTargetChange: {
            /** @description Whether the schedule is kept and nothing runs by it. Times that go by meanwhile are not made up for. */
            paused?: boolean;
            schedule?: components["schemas"]["MirrorScheduleWish"] | null;
        };
        /** @description The answer to a removal. */
        MirrorTargetRemoved: {
            message: string;
            success: boolean;
        };
        /** @description All targets. */
        MirrorTargets: {
            count: number;
            /** @description By name. */
            targets: components["schemas"]["MirrorTarget"][];
        };
        /** @description How many jobs moved. */
        Moved: {
            moved: number;
            success: boolean;
        };
        /** @description The `multimodal` object. */
        Multimodal: {
            framework: string;
            image_size?: components["schemas"]["ImageSize"] | null;
            /** Format: int64 */
            max_text_length?: number | null;
            /** @description Of `image`, `text`, `audio`, those that `config.json` has a part for. */
            modalities: string[];
            processor_type?: string | null;
            task: string;
            task_description: string;
            text_encoder?: string | null;
            vision_encoder?: string | null;
        };
        /** @description The id is that of a model and of a dataset. */
        NeedsSelection: {
            /** @description Says what to do. */
            message: string;
            /** @description Always `true`. */
            needsSelection: boolean;
            /** @description What `dataset` can choose from. */
            options: components["schemas"]["RepoType"][];
            repo: components["schemas"]["RepoId"];
        };
        /** @description Failed downloads that only the user can help. */
        NeedsYouView: {
            /**
             * Format: int64
             * @description How many there are.
             */
            count: number;
            /** @description Their error code. */
            reason: string;
        };
        /** @description A key that is to be made. */
        NewApiKey: {
            /** @description Unique among the keys, in any case of its letters. */
            name: components["schemas"]["KeyName"];
            /** @description What it may do. */
            scope: components["schemas"]["Scope"];
        };
        /** @description A target to register. */
        NewMirrorTarget: {
            /** @description For people. */
            description?: string | null;
            /** @description Letters, digits, dashes and underscores */
            name: string;
            /** @description A directory; it is created when it is missing. */
            path: string;
        };
        /** @description For each channel. */
        Normalization: {
            mean: number[];
            std: number[];
        };
        /** @description What 200 carries: with `dryRun` the plan, else the equal job that is live already. */
        NotQueued: components["schemas"]["Plan"] | components["schemas"]["Existing"];
        /** @description The `onnx` object. */
        Onnx: {
            /** @description Every graph. */
            models: components["schemas"]["OnnxModel"][];
            /** @description Whether any graph is optimised. */
            optimized: boolean;
            /** @description Whether any graph is quantised. */
            quantized: boolean;
            /** @description Programs that run them. */
            runtimes: string[];
        };
        /** @description One graph. */
        OnnxModel: {
            /** @description Last part of the path. */
            name: string;
            /** @description Whether the name says so. */
            optimized: boolean;
            /** @description Path from the root. */
            path: string;
            /**
             * Format: int64
             * @description Bytes, without external data.
             */
            size: number;
            /** @description The same for people. */
            size_human: string;
            /** @description `fp32`, `fp16`, `int8`, `int4`. */
            variant: string;
        };
        /** @description The OpenAPI document. */
        OpenApiDocument: Record<string, never>;
        OrderBody: components["schemas"]["OrderRequest"] & ({
            before?: null;
            to: string | unknown[] | Record<string, never>;
        } | {
            before: string | unknown[] | Record<string, never>;
            to?: null;
        });
        /** @description Where jobs go: `to` or `before`. */
        OrderRequest: {
            /** @description Id of the job to stand before. */
            before?: string | null;
            /** @description At most 10,000. */
            ids: string[];
            to?: components["schemas"]["QueueMove"] | null;
        };
        /** @description A pair; a missing field stays as it is. */
        PairPatch: {
            /** Format: int64 */
            maxConnections?: number | null;
            /** @description Bytes a second; empty = no limit. */
            maxSpeed?: string | null;
        };
        /** @description How fast, over how many connections. */
        PairView: {
            /**
             * Format: int32
             * @description Connections of all jobs.
             */
            maxConnections: number;
            /** @description Bytes a second of all jobs, such as `50MiB`; empty = no limit. */
            maxSpeed: string;
        };
        /** @enum {string} */
        Phase: "resolving" | "planning" | "downloading" | "verifying" | "publishing";
        /** @enum {string} */
        Placing: "auto" | "hardlink" | "reflink" | "copy";
        /** @description What a download would fetch. */
        Plan: {
            /**
             * Format: int64
             * @description Bytes that lie in the cache already.
             */
            alreadyPresentBytes: number;
            commit: components["schemas"]["Commit"] | null;
            /**
             * Format: int64
             * @description Bytes that would come over the network.
             */
            fetchBytes: number;
            files: components["schemas"]["PlanFile"][];
            /** @description Whether there is room. */
            fits: boolean;
            /**
             * Format: int64
             * @description Free bytes when it and all live jobs are done; below 0 = so much is missing, `null` as `freeBytes`.
             */
            freeAfterBytes: number | null;
            /**
             * Format: int64
             * @description Free bytes of the volume; `null` when nothing would be fetched.
             */
            freeBytes: number | null;
            isDataset: boolean;
            /** @description The Hub cache, or the folder of plain files. */
            outputDir: string;
            repo: components["schemas"]["RepoId"];
            /**
             * Format: int64
             * @description Requests to the Hub that the download would make: one for the commit, one for each page of the
             *     listing (1,000 entries), one for each different content to fetch. Retries come on top; 0 when the
             *     filters match no file.
             */
            requests: number;
            /**
             * Format: int64
             * @description Left in the Hub's present window for files, which gives nearly all of them; `null` while unknown.
             */
            requestsRemaining: number | null;
            /**
             * Format: int64
             * @description Bytes that live jobs have reserved.
             */
            reservedBytes: number;
            revision: components["schemas"]["Revision"];
            /** @description Files left out, the first 1,000. */
            skippedFiles: components["schemas"]["SkippedFile"][];
            /** @description How many there are. */
            skippedTotal: number;
            totalFiles: number;
            /**
             * Format: int64
             * @description Bytes of all files.
             */
            totalSize: number;
            /** @description Files of the plan that the Hub's scanners warn of. */
            unsafeFiles: components["schemas"]["UnsafeFile"][];
            /** @description Why there is no room, why nothing would be fetched, what the scanners warn of; one after the other. */
            warning: string;
        };
        /** @description The plan of one, or the plans of many. */
        PlanAnswer: components["schemas"]["Plan"] | components["schemas"]["ManyPlans"];
        /** @description A file that would be stored. */
        PlanFile: {
            /** @description Whether it is stored in LFS. */
            lfs: boolean;
            /**
             * Format: int64
             * @description Bytes of a part that an earlier run left.
             */
            partBytes: number;
            path: string;
            /** @description Whether it lies in the cache already. */
            present: boolean;
            /** Format: int64 */
            size: number;
        };
        /** @description What became of one of them. */
        PlanLine: components["schemas"]["PlannedLine"] | components["schemas"]["RefusedLine"];
        /** @description One download, or many. */
        PlanRequest: components["schemas"]["DownloadBody"] | components["schemas"]["ManyPlansRequest"];
        /** @description What all plans together take. */
        PlanTotals: {
            /**
             * Format: int64
             * @description Bytes that lie in the destinations already.
             */
            alreadyPresentBytes: number;
            /**
             * Format: int64
             * @description Bytes that would come over the network; equal contents for the same folder count once.
             */
            fetchBytes: number;
            /** @description Whether there is room for all of them, on each volume. */
            fits: boolean;
            /**
             * Format: int64
             * @description Free bytes when all is done; below 0 = so much is missing, `null` as `freeBytes`.
             */
            freeAfterBytes: number | null;
            /**
             * Format: int64
             * @description Free bytes of the volumes of all destinations; `null` when none answers.
             */
            freeBytes: number | null;
            /**
             * Format: int64
             * @description Requests to the Hub that all downloads would make.
             */
            requests: number;
            /**
             * Format: int64
             * @description As in a plan.
             */
            requestsRemaining: number | null;
            /**
             * Format: int64
             * @description Bytes that live jobs have reserved on them.
             */
            reservedBytes: number;
            /** @description Files of all plans. */
            totalFiles: number;
            /**
             * Format: int64
             * @description Their bytes.
             */
            totalSize: number;
        };
        /** @description A download with its plan. */
        PlannedLine: {
            /** @description Always `true`. */
            ok: boolean;
            plan: components["schemas"]["Plan"];
            repo: components["schemas"]["RepoId"];
        };
        /** @description One span of time. */
        Point: {
            /** @description Its start: RFC 3339, UTC. */
            at: string;
            /**
             * Format: int64
             * @description Mean over the span.
             */
            bytesPerSecond: number;
        };
        /** @description An error as RFC 9457 has it. `code`, `hint`, `errors` and `request_id` are ours. */
        Problem: {
            /** @description The cause as a word that programs can test, else the status in a word. */
            code: string;
            /** @description What helps to find the fault. */
            detail?: string;
            /** @description What is wrong with the request, for 400 and 422. */
            errors?: components["schemas"]["ProblemFault"][];
            /** @description What the user can do about it. */
            hint?: string;
            /** @description Path of the request. */
            instance: string;
            /** @description Id of the request, as in the log and the header `X-Request-Id`. */
            request_id?: string;
            /**
             * Format: int32
             * @description The status of the answer.
             */
            status: number;
            /** @description A short sentence. */
            title: string;
            /** @description `urn:hfdepot:problem:` and the code; `about:blank` when the status says it all. */
            type: string;
        };
        /** @description One thing that is wrong with a request. */
        ProblemFault: {
            /** @description Names the field and says what it must be. */
            detail: string;
        };
        /** @description How the outside is reached; what is missing or `null` stays. */
        ProxyPatch: {
            /** @description Ignore `HTTP_PROXY` and its kin. */
            noEnvProxy?: boolean | null;
            /** @description Hosts that are reached directly. */
            noProxy?: string | null;
            /** @description Password at the proxy; empty clears it. */
            password?: string | null;
            /** @description `http`, `https`, `socks5` or `socks5h` URL without a login; empty = none. */
            url?: string | null;
            /** @description User name at the proxy. */
            username?: string | null;
        };
        /** @description How the outside is reached. */
        ProxyShown: {
            /** @description Whether a password is known. It is never shown. */
            hasPassword: boolean;
            /** @description Always `false`: certificates are always checked. */
            insecureSkipVerify: boolean;
            /** @description Whether `HTTP_PROXY` and its kin are ignored. */
            noEnvProxy: boolean;
            /** @description Hosts that are reached directly: names, `.suffix`, addresses, CIDR, `*`; commas between. */
            noProxy: string;
            /** @description `http`, `https`, `socks5` or `socks5h` URL; empty = none given here. */
            url: string;
            /** @description User name at the proxy; empty = none. */
            username: string;
        };
        /** @description Whether the proxy takes connections. */
        ProxyTrial: {
            /** @description Whether a proxy is set. */
            given: boolean;
            message: string;
            /** @description True also when there is no proxy. */
            ok: boolean;
        };
        /** @description What to prune. */
        PruneBody: {
            /** @description Only show what would go; `true` by default. */
            dryRun?: boolean | null;
            /**
             * Format: int32
             * @description Only what was last changed so many days ago. Left out: `--stale-timeout` for unfinished files of
             *     other programs, a day for parts and unreferenced things, any age for old snapshots.
             */
            olderThanDays?: number | null;
            /** @description Kinds; by default all but `old_revisions`. */
            what?: components["schemas"]["PruneKind"][] | null;
        };
        /** @description One thing that can go. */
        PruneEntry: {
            /** Format: int64 */
            bytes: number;
            kind: components["schemas"]["PruneKind"];
            /** @description Below the cache. */
            path: string;
            reason: string;
            repo: string;
            type?: components["schemas"]["RepoType"] | null;
        };
        /** @enum {string} */
        PruneKind: "incomplete" | "orphans" | "parts" | "old_revisions";
        /** @description What was found. */
        PruneReport: {
            dryRun: boolean;
            errors: string[];
            /** Format: int64 */
            freedBytes: number;
            /**
             * Format: int64
             * @description What all items together take.
             */
            freesBytes: number;
            items: components["schemas"]["PruneEntry"][];
            /** @description How many went. */
            removed: number;
            /** @description `type:owner/name` of repos that were left out because a job of theirs is live. */
            skipped: string[];
        };
        /** @description The `quantized` object; also sent as `gptq` or `awq`. */
        Quantized: {
            backends: string[];
            base_model?: string | null;
            /** Format: int64 */
            bits?: number | null;
            /** Format: double */
            bits_per_weight?: number | null;
            /** @description Branches that hold the model at other sizes. */
            branches?: components["schemas"]["QuantizedBranch"][];
            desc_act?: boolean | null;
            /**
             * Format: int64
             * @description 12·H²·L·bits/8·1.2 bytes.
             */
            estimated_vram?: number | null;
            estimated_vram_human?: string | null;
            excluded_modules?: string[];
            /** Format: int64 */
            group_size?: number | null;
            /** @description Lower-case: `gptq`, `awq`, `bitsandbytes`, `fp8`, `exl2`, `mlx` … */
            method: string;
            method_description: string;
            model_architecture?: string | null;
            symmetric?: boolean | null;
            version?: string | null;
            zero_point?: boolean | null;
        };
        /** @description A branch whose name tells bits per weight. */
        QuantizedBranch: {
            /**
             * Format: double
             * @description By the name.
             */
            bits_per_weight: number;
            /** @description Paths of the weights; empty for branches that have not been listed. */
            files: string[];
            /**
             * Format: int64
             * @description Bits of the output layer, by the name: `h8`.
             */
            head_bits?: number | null;
            /** @description Name of the branch. */
            name: string;
            /**
             * Format: int64
             * @description Bytes of weights; known only for the analysed branch.
             */
            size?: number | null;
            /** @description The same for people. */
            size_human?: string | null;
        };
        /**
         * @description Where in the queue.
         * @enum {string}
         */
        QueueMove: "top" | "up" | "down" | "bottom";
        /** @description What is left of the Hub's patience. */
        RateLimit: {
            /** @description One for each kind of request. */
            buckets: components["schemas"]["RateLimitWindow"][];
            /** @description Base URL of the Hub. */
            endpoint: string;
        };
        /** @description One window of the Hub's rate limit, as last heard. */
        RateLimitWindow: {
            bucket: components["schemas"]["HubWindow"];
            /**
             * Format: int64
             * @description Requests a window; `null` until the Hub says so.
             */
            quota: number | null;
            /**
             * Format: int64
             * @description Requests left; `null` before the first answer and after the window ended.
             */
            remaining: number | null;
            /**
             * Format: int64
             * @description Seconds until the window ends.
             */
            resetSeconds: number | null;
            /**
             * Format: date-time
             * @description Until when new requests are held back; `null` while they pass.
             */
            waitingUntil: string | null;
        };
        /** @description A README, as it is and rendered. */
        Readme: {
            /** @description Where relative links of the text begin. */
            baseRawURL: string;
            commit: components["schemas"]["Commit"];
            /** @description Safe to show. */
            html: string;
            isDataset: boolean;
            /** @description Without its front matter. */
            markdown: string;
            /** @description Its name in the repo. */
            path: string;
            repo: components["schemas"]["RepoId"];
            revision: components["schemas"]["Revision"];
            /** @description Whether its end is missing. */
            truncated: boolean;
        };
        /** @description What a rebuild did. */
        RebuildReport: {
            errors: string[];
            message: string;
            orphansRemoved: number;
            reposScanned: number;
            success: boolean;
            symlinksCreated: number;
            symlinksUpdated: number;
        };
        /** @description How to rebuild. */
        RebuildRequest: {
            /** @description Also remove links that nothing wants any more. */
            clean?: boolean;
        };
        /** @description A body for `POST /api/download`. */
        RecommendedDownload: {
            /** @description Sent only when true. */
            dataset?: boolean;
            /** @description True when a filter of an item would also hit another one without it. */
            exactMatch?: boolean;
            /** @description Sent only when something is recommended over the rest. */
            filters?: string[];
            /** @description `owner/name`. */
            repo: string;
            /** @description Sent only when it is not `main`. */
            revision?: string | null;
        };
        /**
         * @description Kind of a [`Ref`].
         * @enum {string}
         */
        RefKind: "branch" | "tag";
        /** @description A download without a plan. */
        RefusedLine: {
            /** @description What helps to find the fault: the field, the value, the answer of the Hub. */
            details?: string;
            /** @description A short sentence, as the error of a single plan. */
            error: string;
            /** @description What the user can do about it. */
            hint?: string;
            /** @description Always `false`. */
            ok: boolean;
            /** @description The cause as a word that programs can test. */
            reason?: components["schemas"]["Code"];
            /** @description As the request names it; empty when it does not. */
            repo: string;
        };
        /** @description A target as it was registered. */
        RegisteredTarget: {
            description: string;
            name: string;
            path: string;
        };
        /** @description Another repo that belongs to this one. */
        RelatedDownload: {
            /** @description What it is for. */
            description: string;
            /** @description Filters of what is wanted of it; absent for the whole repo. */
            filters?: string[];
            /** @description For people. */
            label: string;
            /** @description `owner/name`. */
            repo: string;
            /** @description Whether this repo is of no use without it. */
            required: boolean;
            /**
             * Format: int64
             * @description Bytes; absent while the other repo has not been listed.
             */
            size?: number | null;
            /** @description The same for people. */
            size_human?: string | null;
            /** @description `base_model` or `mmproj`. */
            type: string;
        };
        /** @description What was queued. */
        RepairAnswer: {
            /** @description Files that they fetch. */
            files: number;
            /** @description The downloads that fetch what is bad or missing. */
            jobs: components["schemas"]["Job"][];
            /** @description How many they are. */
            queued: number;
            /** @description What cannot be fetched, and why. */
            skipped: string[];
        };
        /** @description Which check to repair after. */
        RepairRequest: {
            /** @description A check that has ended. */
            jobId: components["schemas"]["JobId"];
        };
        /**
         * @description `owner/name` as the Hub allows it: `[A-Za-z0-9._-]`, at most 96 characters in all,
         *     no `--`, no `..`, no part that begins or ends with `-` or `.`, no `.git` at the end
         *     (`huggingface_hub` `validate_repo_id`).
         * @example owner/name
         */
        RepoId: string;
        /**
         * @description The kinds of repos, as the API names them.
         * @enum {string}
         */
        RepoKind: "dataset" | "gguf" | "diffusers" | "lora" | "awq" | "gptq" | "quantized" | "transformers" | "multimodal" | "audio" | "vision" | "onnx" | "generic";
        /** @description A branch or tag. */
        RepoRef: {
            /** @description Full commit hash. */
            commit: string;
            /** @description Its short name, such as `main`. */
            name: string;
            /** @description Branch or tag. */
            type: components["schemas"]["RefKind"];
        };
        /**
         * @description Kind of a Hub repository.
         * @enum {string}
         */
        RepoType: "model" | "dataset";
        /** @description What a job has otherwise when it is tried again. */
        RetryRequest: {
            /**
             * Format: int64
             * @description Connections of all its files together at most; `null` = no limit of its own. As before when
             *     it is missing.
             */
            connections?: number | null;
        };
        /**
         * @description What the user asked for: a branch, a tag, a commit, or `refs/pr/N`.
         *
         *     Follows git's rules for ref names as far as they matter for a URL and for a file
         *     under `refs/`: parts of `[A-Za-z0-9._+@=-]` divided by `/`, none of them empty, `.`,
         *     `..` or ending in `.lock`; at most 250 bytes.
         * @example main
         */
        Revision: string;
        /** @description The week; a missing field stays as it is. */
        SchedulePatch: {
            /** @description Seven texts of 24 letters, Monday first: `n` normal, `s` slow, `p` paused. */
            grid?: string[] | null;
            /** @description IANA name, such as `Europe/Berlin`. */
            timeZone?: ("Africa/Abidjan" | "Africa/Accra" | "Africa/Addis_Ababa" | "Africa/Algiers" | "Africa/Asmara" | "Africa/Asmera" | "Africa/Bamako" | "Africa/Bangui" | "Africa/Banjul" | "Africa/Bissau" | "Africa/Blantyre" | "Africa/Brazzaville" | "Africa/Bujumbura" | "Africa/Cairo" | "Africa/Casablanca" | "Africa/Ceuta" | "Africa/Conakry" | "Africa/Dakar" | "Africa/Dar_es_Salaam" | "Africa/Djibouti" | "Africa/Douala" | "Africa/El_Aaiun" | "Africa/Freetown" | "Africa/Gaborone" | "Africa/Harare" | "Africa/Johannesburg" | "Africa/Juba" | "Africa/Kampala" | "Africa/Khartoum" | "Africa/Kigali" | "Africa/Kinshasa" | "Africa/Lagos" | "Africa/Libreville" | "Africa/Lome" | "Africa/Luanda" | "Africa/Lubumbashi" | "Africa/Lusaka" | "Africa/Malabo" | "Africa/Maputo" | "Africa/Maseru" | "Africa/Mbabane" | "Africa/Mogadishu" | "Africa/Monrovia" | "Africa/Nairobi" | "Africa/Ndjamena" | "Africa/Niamey" | "Africa/Nouakchott" | "Africa/Ouagadougou" | "Africa/Porto-Novo" | "Africa/Sao_Tome" | "Africa/Timbuktu" | "Africa/Tripoli" | "Africa/Tunis" | "Africa/Windhoek" | "America/Adak" | "America/Anchorage" | "America/Anguilla" | "America/Antigua" | "America/Araguaina" | "America/Argentina/Buenos_Aires" | "America/Argentina/Catamarca" | "America/Argentina/ComodRivadavia" | "America/Argentina/Cordoba" | "America/Argentina/Jujuy" | "America/Argentina/La_Rioja" | "America/Argentina/Mendoza" | "America/Argentina/Rio_Gallegos" | "America/Argentina/Salta" | "America/Argentina/San_Juan" | "America/Argentina/San_Luis" | "America/Argentina/Tucuman" | "America/Argentina/Ushuaia" | "America/Aruba" | "America/Asuncion" | "America/Atikokan" | "America/Atka" | "America/Bahia" | "America/Bahia_Banderas" | "America/Barbados" | "America/Belem" | "America/Belize" | "America/Blanc-Sablon" | "America/Boa_Vista" | "America/Bogota" | "America/Boise" | "America/Buenos_Aires" | "America/Cambridge_Bay" | "America/Campo_Grande" | "America/Cancun" | "America/Caracas" | "America/Catamarca" | "America/Cayenne" | "America/Cayman" | "America/Chicago" | "America/Chihuahua" | "America/Ciudad_Juarez" | "America/Coral_Harbour" | "America/Cordoba" | "America/Costa_Rica" | "America/Coyhaique" | "America/Creston" | "America/Cuiaba" | "America/Curacao" | "America/Danmarkshavn" | "America/Dawson" | "America/Dawson_Creek" | "America/Denver" | "America/Detroit" | "America/Dominica" | "America/Edmonton" | "America/Eirunepe" | "America/El_Salvador" | "America/Ensenada" | "America/Fort_Nelson" | "America/Fort_Wayne" | "America/Fortaleza" | "America/Glace_Bay" | "America/Godthab" | "America/Goose_Bay" | "America/Grand_Turk" | "America/Grenada" | "America/Guadeloupe" | "America/Guatemala" | "America/Guayaquil" | "America/Guyana" | "America/Halifax" | "America/Havana" | "America/Hermosillo" | "America/Indiana/Indianapolis" | "America/Indiana/Knox" | "America/Indiana/Marengo" | "America/Indiana/Petersburg" | "America/Indiana/Tell_City" | "America/Indiana/Vevay" | "America/Indiana/Vincennes" | "America/Indiana/Winamac" | "America/Indianapolis" | "America/Inuvik" | "America/Iqaluit" | "America/Jamaica" | "America/Jujuy" | "America/Juneau" | "America/Kentucky/Louisville" | "America/Kentucky/Monticello" | "America/Knox_IN" | "America/Kralendijk" | "America/La_Paz" | "America/Lima" | "America/Los_Angeles" | "America/Louisville" | "America/Lower_Princes" | "America/Maceio" | "America/Managua" | "America/Manaus" | "America/Marigot" | "America/Martinique" | "America/Matamoros" | "America/Mazatlan" | "America/Mendoza" | "America/Menominee" | "America/Merida" | "America/Metlakatla" | "America/Mexico_City" | "America/Miquelon" | "America/Moncton" | "America/Monterrey" | "America/Montevideo" | "America/Montreal" | "America/Montserrat" | "America/Nassau" | "America/New_York" | "America/Nipigon" | "America/Nome" | "America/Noronha" | "America/North_Dakota/Beulah" | "America/North_Dakota/Center" | "America/North_Dakota/New_Salem" | "America/Nuuk" | "America/Ojinaga" | "America/Panama" | "America/Pangnirtung" | "America/Paramaribo" | "America/Phoenix" | "America/Port-au-Prince" | "America/Port_of_Spain" | "America/Porto_Acre" | "America/Porto_Velho" | "America/Puerto_Rico" | "America/Punta_Arenas" | "America/Rainy_River" | "America/Rankin_Inlet" | "America/Recife" | "America/Regina" | "America/Resolute" | "America/Rio_Branco" | "America/Rosario" | "America/Santa_Isabel" | "America/Santarem" | "America/Santiago" | "America/Santo_Domingo" | "America/Sao_Paulo" | "America/Scoresbysund" | "America/Shiprock" | "America/Sitka" | "America/St_Barthelemy" | "America/St_Johns" | "America/St_Kitts" | "America/St_Lucia" | "America/St_Thomas" | "America/St_Vincent" | "America/Swift_Current" | "America/Tegucigalpa" | "America/Thule" | "America/Thunder_Bay" | "America/Tijuana" | "America/Toronto" | "America/Tortola" | "America/Vancouver" | "America/Virgin" | "America/Whitehorse" | "America/Winnipeg" | "America/Yakutat" | "America/Yellowknife" | "Antarctica/Casey" | "Antarctica/Davis" | "Antarctica/DumontDUrville" | "Antarctica/Macquarie" | "Antarctica/Mawson" | "Antarctica/McMurdo" | "Antarctica/Palmer" | "Antarctica/Rothera" | "Antarctica/South_Pole" | "Antarctica/Syowa" | "Antarctica/Troll" | "Antarctica/Vostok" | "Arctic/Longyearbyen" | "Asia/Aden" | "Asia/Almaty" | "Asia/Amman" | "Asia/Anadyr" | "Asia/Aqtau" | "Asia/Aqtobe" | "Asia/Ashgabat" | "Asia/Ashkhabad" | "Asia/Atyrau" | "Asia/Baghdad" | "Asia/Bahrain" | "Asia/Baku" | "Asia/Bangkok" | "Asia/Barnaul" | "Asia/Beirut" | "Asia/Bishkek" | "Asia/Brunei" | "Asia/Calcutta" | "Asia/Chita" | "Asia/Choibalsan" | "Asia/Chongqing" | "Asia/Chungking" | "Asia/Colombo" | "Asia/Dacca" | "Asia/Damascus" | "Asia/Dhaka" | "Asia/Dili" | "Asia/Dubai" | "Asia/Dushanbe" | "Asia/Famagusta" | "Asia/Gaza" | "Asia/Harbin" | "Asia/Hebron" | "Asia/Ho_Chi_Minh" | "Asia/Hong_Kong" | "Asia/Hovd" | "Asia/Irkutsk" | "Asia/Istanbul" | "Asia/Jakarta" | "Asia/Jayapura" | "Asia/Jerusalem" | "Asia/Kabul" | "Asia/Kamchatka" | "Asia/Karachi" | "Asia/Kashgar" | "Asia/Kathmandu" | "Asia/Katmandu" | "Asia/Khandyga" | "Asia/Kolkata" | "Asia/Krasnoyarsk" | "Asia/Kuala_Lumpur" | "Asia/Kuching" | "Asia/Kuwait" | "Asia/Macao" | "Asia/Macau" | "Asia/Magadan" | "Asia/Makassar" | "Asia/Manila" | "Asia/Muscat" | "Asia/Nicosia" | "Asia/Novokuznetsk" | "Asia/Novosibirsk" | "Asia/Omsk" | "Asia/Oral" | "Asia/Phnom_Penh" | "Asia/Pontianak" | "Asia/Pyongyang" | "Asia/Qatar" | "Asia/Qostanay" | "Asia/Qyzylorda" | "Asia/Rangoon" | "Asia/Riyadh" | "Asia/Saigon" | "Asia/Sakhalin" | "Asia/Samarkand" | "Asia/Seoul" | "Asia/Shanghai" | "Asia/Singapore" | "Asia/Srednekolymsk" | "Asia/Taipei" | "Asia/Tashkent" | "Asia/Tbilisi" | "Asia/Tehran" | "Asia/Tel_Aviv" | "Asia/Thimbu" | "Asia/Thimphu" | "Asia/Tokyo" | "Asia/Tomsk" | "Asia/Ujung_Pandang" | "Asia/Ulaanbaatar" | "Asia/Ulan_Bator" | "Asia/Urumqi" | "Asia/Ust-Nera" | "Asia/Vientiane" | "Asia/Vladivostok" | "Asia/Yakutsk" | "Asia/Yangon" | "Asia/Yekaterinburg" | "Asia/Yerevan" | "Atlantic/Azores" | "Atlantic/Bermuda" | "Atlantic/Canary" | "Atlantic/Cape_Verde" | "Atlantic/Faeroe" | "Atlantic/Faroe" | "Atlantic/Jan_Mayen" | "Atlantic/Madeira" | "Atlantic/Reykjavik" | "Atlantic/South_Georgia" | "Atlantic/St_Helena" | "Atlantic/Stanley" | "Australia/ACT" | "Australia/Adelaide" | "Australia/Brisbane" | "Australia/Broken_Hill" | "Australia/Canberra" | "Australia/Currie" | "Australia/Darwin" | "Australia/Eucla" | "Australia/Hobart" | "Australia/LHI" | "Australia/Lindeman" | "Australia/Lord_Howe" | "Australia/Melbourne" | "Australia/NSW" | "Australia/North" | "Australia/Perth" | "Australia/Queensland" | "Australia/South" | "Australia/Sydney" | "Australia/Tasmania" | "Australia/Victoria" | "Australia/West" | "Australia/Yancowinna" | "Brazil/Acre" | "Brazil/DeNoronha" | "Brazil/East" | "Brazil/West" | "CET" | "CST6CDT" | "Canada/Atlantic" | "Canada/Central" | "Canada/Eastern" | "Canada/Mountain" | "Canada/Newfoundland" | "Canada/Pacific" | "Canada/Saskatchewan" | "Canada/Yukon" | "Chile/Continental" | "Chile/EasterIsland" | "Cuba" | "EET" | "EST" | "EST5EDT" | "Egypt" | "Eire" | "Etc/GMT" | "Etc/GMT+0" | "Etc/GMT+1" | "Etc/GMT+10" | "Etc/GMT+11" | "Etc/GMT+12" | "Etc/GMT+2" | "Etc/GMT+3" | "Etc/GMT+4" | "Etc/GMT+5" | "Etc/GMT+6" | "Etc/GMT+7" | "Etc/GMT+8" | "Etc/GMT+9" | "Etc/GMT-0" | "Etc/GMT-1" | "Etc/GMT-10" | "Etc/GMT-11" | "Etc/GMT-12" | "Etc/GMT-13" | "Etc/GMT-14" | "Etc/GMT-2" | "Etc/GMT-3" | "Etc/GMT-4" | "Etc/GMT-5" | "Etc/GMT-6" | "Etc/GMT-7" | "Etc/GMT-8" | "Etc/GMT-9" | "Etc/GMT0" | "Etc/Greenwich" | "Etc/UCT" | "Etc/UTC" | "Etc/Universal" | "Etc/Zulu" | "Europe/Amsterdam" | "Europe/Andorra" | "Europe/Astrakhan" | "Europe/Athens" | "Europe/Belfast" | "Europe/Belgrade" | "Europe/Berlin" | "Europe/Bratislava" | "Europe/Brussels" | "Europe/Bucharest" | "Europe/Budapest" | "Europe/Busingen" | "Europe/Chisinau" | "Europe/Copenhagen" | "Europe/Dublin" | "Europe/Gibraltar" | "Europe/Guernsey" | "Europe/Helsinki" | "Europe/Isle_of_Man" | "Europe/Istanbul" | "Europe/Jersey" | "Europe/Kaliningrad" | "Europe/Kiev" | "Europe/Kirov" | "Europe/Kyiv" | "Europe/Lisbon" | "Europe/Ljubljana" | "Europe/London" | "Europe/Luxembourg" | "Europe/Madrid" | "Europe/Malta" | "Europe/Mariehamn" | "Europe/Minsk" | "Europe/Monaco" | "Europe/Moscow" | "Europe/Nicosia" | "Europe/Oslo" | "Europe/Paris" | "Europe/Podgorica" | "Europe/Prague" | "Europe/Riga" | "Europe/Rome" | "Europe/Samara" | "Europe/San_Marino" | "Europe/Sarajevo" | "Europe/Saratov" | "Europe/Simferopol" | "Europe/Skopje" | "Europe/Sofia" | "Europe/Stockholm" | "Europe/Tallinn" | "Europe/Tirane" | "Europe/Tiraspol" | "Europe/Ulyanovsk" | "Europe/Uzhgorod" | "Europe/Vaduz" | "Europe/Vatican" | "Europe/Vienna" | "Europe/Vilnius" | "Europe/Volgograd" | "Europe/Warsaw" | "Europe/Zagreb" | "Europe/Zaporozhye" | "Europe/Zurich" | "GB" | "GB-Eire" | "GMT" | "GMT+0" | "GMT-0" | "GMT0" | "Greenwich" | "HST" | "Hongkong" | "Iceland" | "Indian/Antananarivo" | "Indian/Chagos" | "Indian/Christmas" | "Indian/Cocos" | "Indian/Comoro" | "Indian/Kerguelen" | "Indian/Mahe" | "Indian/Maldives" | "Indian/Mauritius" | "Indian/Mayotte" | "Indian/Reunion" | "Iran" | "Israel" | "Jamaica" | "Japan" | "Kwajalein" | "Libya" | "MET" | "MST" | "MST7MDT" | "Mexico/BajaNorte" | "Mexico/BajaSur" | "Mexico/General" | "NZ" | "NZ-CHAT" | "Navajo" | "PRC" | "PST8PDT" | "Pacific/Apia" | "Pacific/Auckland" | "Pacific/Bougainville" | "Pacific/Chatham" | "Pacific/Chuuk" | "Pacific/Easter" | "Pacific/Efate" | "Pacific/Enderbury" | "Pacific/Fakaofo" | "Pacific/Fiji" | "Pacific/Funafuti" | "Pacific/Galapagos" | "Pacific/Gambier" | "Pacific/Guadalcanal" | "Pacific/Guam" | "Pacific/Honolulu" | "Pacific/Johnston" | "Pacific/Kanton" | "Pacific/Kiritimati" | "Pacific/Kosrae" | "Pacific/Kwajalein" | "Pacific/Majuro" | "Pacific/Marquesas" | "Pacific/Midway" | "Pacific/Nauru" | "Pacific/Niue" | "Pacific/Norfolk" | "Pacific/Noumea" | "Pacific/Pago_Pago" | "Pacific/Palau" | "Pacific/Pitcairn" | "Pacific/Pohnpei" | "Pacific/Ponape" | "Pacific/Port_Moresby" | "Pacific/Rarotonga" | "Pacific/Saipan" | "Pacific/Samoa" | "Pacific/Tahiti" | "Pacific/Tarawa" | "Pacific/Tongatapu" | "Pacific/Truk" | "Pacific/Wake" | "Pacific/Wallis" | "Pacific/Yap" | "Poland" | "Portugal" | "ROC" | "ROK" | "Singapore" | "Turkey" | "UCT" | "US/Alaska" | "US/Aleutian" | "US/Arizona" | "US/Central" | "US/East-Indiana" | "US/Eastern" | "US/Hawaii" | "US/Indiana-Starke" | "US/Michigan" | "US/Mountain" | "US/Pacific" | "US/Samoa" | "UTC" | "Universal" | "W-SU" | "WET" | "Zulu") | null;
        };
        /** @description The week. */
        ScheduleView: {
            /** @description Seven texts of 24 letters, Monday first: `n` normal, `s` slow, `p` paused. */
            grid: string[];
            /** @description IANA name. */
            timeZone: string;
        };
        /** @enum {string} */
        Scope: "read" | "enqueue" | "admin";
        /** @description A repo. */
        SearchResult: {
            author: string;
            cacheSource: string;
            /** @description `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest; empty when it is not here. */
            cacheStatus: string;
            /** @description Whether some of it is in the cache. */
            cached: boolean;
            /** @description RFC 3339, or empty. */
            createdAt: string;
            /**
             * Format: int64
             * @description Of the last 30 days.
             */
            downloads: number;
            gated: components["schemas"]["Gated"];
            id: components["schemas"]["RepoId"];
            /** @description RFC 3339, or empty. */
            lastModified: string;
            libraryName: string;
            /** Format: int64 */
            likes: number;
            pipelineTag: string;
            private: boolean;
            tags: string[];
            /** Format: int64 */
            trendingScore: number;
        };
        /** @description One page of results. */
        SearchResults: {
            /** @description Whether datasets were. */
            datasets: boolean;
            /** Format: int32 */
            limit: number;
            /** @description Where the next page begins; `null` after the last. */
            nextCursor: string | null;
            /** @description The text that was searched for. */
            query: string;
            results: components["schemas"]["SearchResult"][];
            sort: string;
            /**
             * Format: date-time
             * @description From when these results are, where the Hub gives none now; `null` for those of this moment.
             */
            staleSince: string | null;
            /** @description Results on this page. */
            total: number;
        };
        /**
         * @description What results can be sorted by.
         * @enum {string}
         */
        SearchSort: "downloads" | "likes" | "lastModified" | "trendingScore" | "createdAt";
        /** @description A file with issues. */
        SecurityFinding: {
            level: string;
            path: string;
        };
        /** @description What the Hub's scanners found. */
        SecurityFindings: {
            files_with_issues: components["schemas"]["SecurityFinding"][];
            /** @description `null` when the Hub does not say. */
            scans_done: boolean | null;
        };
        /** @description A span of a file. */
        SegmentView: {
            /** Format: int64 */
            length: number;
            /** @description Whether a connection fills it now. */
            open: boolean;
            /** Format: int64 */
            start: number;
            /**
             * Format: int64
             * @description Bytes from its start.
             */
            synced: number;
            /**
             * Format: int64
             * @description Bytes from its start.
             */
            written: number;
        };
        /** @description One part of a repo that can be chosen. */
        SelectableItem: {
            /** @description What the choice is about. */
            category: components["schemas"]["ItemCategory"];
            /** @description What it is, in a few words. */
            description?: string;
            /** @description Paths of the files. */
            files: string[];
            /** @description Filters that select exactly this item, divided by commas; empty: the whole revision. */
            filter_value: string;
            /** @description Unique in the report. */
            id: string;
            /** @description For people. */
            label: string;
            /**
             * Format: int32
             * @description 1 (poor) to 5 (as good as the original).
             */
            quality?: number | null;
            /** @description Five characters of `★` and `☆`. */
            quality_stars?: string | null;
            /**
             * Format: int64
             * @description Estimated memory to run it, in bytes.
             */
            ram?: number | null;
            /** @description The same for people. */
            ram_human?: string | null;
            /** @description Whether most users would want it. */
            recommended: boolean;
            /** @description Another branch that holds the item. */
            revision?: string | null;
            /**
             * Format: int64
             * @description Bytes; absent for another branch.
             */
            size?: number | null;
            /** @description The size for people. */
            size_human?: string | null;
            /** @description Another repo that holds the item: it is not fetched with this one. */
            upstream_repo?: string | null;
            /** @description Why the item cannot be used as it is. */
            warning?: string | null;
        };
        /** @description What to delete, as it was shown. */
        SelectionBody: {
            groupId: string;
            /** @enum {string} */
            locationId: "hf-cache";
            members: components["schemas"]["SelectionMember"][];
            repo: string;
            /** @enum {string} */
            type: "model";
        };
        /** @description What became of a choice. */
        SelectionDeleted: {
            /** Format: int64 */
            freedBytes: number;
            groupId: string;
            message: string;
            ok: boolean;
            /** @description Paths that could not be removed. */
            remaining: string[];
            /** @description Paths that are gone. */
            removed: string[];
            repo: string;
            /**
             * Format: int64
             * @description Bytes that other files still need.
             */
            retainedPayloads: number;
        };
        /** @description Files that are one choice. */
        SelectionGroup: {
            canDelete: boolean;
            id: string;
            label: string;
            members: components["schemas"]["SelectionMember"][];
            /** @description The quantisation; empty for a projector. */
            quant: string;
            warning: string;
        };
        /** @description Where the repo lies. */
        SelectionLocation: {
            canDelete: boolean;
            deleteReason: string;
            groups: components["schemas"]["SelectionGroup"][];
            id: string;
            path: string;
            source: string;
            warning: string;
        };
        /** @description One path of a choice. */
        SelectionMember: {
            /** @description Its content is needed elsewhere too: only the name goes. */
            linkOnly?: boolean;
            message?: string;
            path: string;
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
            /** @description Snapshots that have it. */
            versions?: string[];
        };
        /** @description Every setting and where it comes from. Secrets are masked. */
        Settings: {
            /** @description First wait between attempts. */
            backoffInitial: string;
            /** @description Longest wait between attempts. */
            backoffMax: string;
            /** @description Root of the cache. */
            cacheDir: string;
            /** @description The configuration file in use; empty = none. */
            configFile: string;
            /** @description Root of the cache as it was given; empty = nowhere. */
            configuredCacheDir: string;
            /**
             * Format: int32
             * @description Connections per file, 1–64.
             */
            connections: number;
            /** @description Folders for sorts of models. */
            downloadRoutes: {
                [key: string]: string;
            };
            /** @description The Hub cache. */
            effectiveHubDir: string;
            /** @description Base URL of the Hub; empty = `https://huggingface.co`. */
            endpoint: string;
            /** @description Folder below which exports go, the first of them when there are several; empty = no exports. */
            exportDir: string;
            /** @description Free bytes a volume keeps; empty = the smaller of 1 GiB and 5 % of the volume. */
            freeSpaceFloor: string;
            /**
             * Format: int32
             * @description Days that history and events are kept; 0 = for ever.
             */
            historyRetention: number;
            /** @description What said where it is. */
            hubDirSource: string;
            /** @description How a snapshot shows a blob. */
            linkMode: components["schemas"]["LinkMode"];
            /** @description Folder of plain files that takes the place of the cache; empty = none. */
            localDir: string;
            /** @description Folders that are looked through for models. */
            localScanDirs: string[];
            /** @description Settings that the API cannot change now. */
            locked: string[];
            /**
             * Format: int32
             * @description Jobs at once, 1–32.
             */
            maxActive: number;
            /**
             * Format: int32
             * @description Connections of all jobs together, 1–256.
             */
            maxConnections: number;
            /**
             * Format: int32
             * @description Files of one job at once, 1–64.
             */
            maxFilesPerJob: number;
            /** @description Bytes a second over all jobs; empty or `0` = no limit. */
            maxSpeed: string;
            /** @description Files from this size on get several connections. */
            multipartThreshold: string;
            /** @description How the outside is reached. */
            proxy: components["schemas"]["ProxyShown"];
            /**
             * Format: int32
             * @description Days a finished job stays in the list; 0 = for ever.
             */
            retentionDays: number;
            /**
             * Format: int32
             * @description Attempts after the first without progress, 0–20.
             */
            retries: number;
            /** @description Saved settings that a flag or variable overrides. */
            shadowed: string[];
            /** @description The flag, variable or file that gave a value. */
            sourceNames: {
                [key: string]: string;
            };
            /** @description Where each value comes from. Parts of the proxy have a dot: `proxy.url`. */
            sources: {
                [key: string]: components["schemas"]["Source"];
            };
            /** @description A connection without a byte for so long is replaced; `0` = never. */
            stallTimeout: string;
            /** @description `local` when `localDir` is set. */
            storageMode: components["schemas"]["Layout"];
            /** @description Always empty: mirror targets are rows of the database. */
            targetsFile: string;
            /** @description Masked; its last four characters show when it has more than eight. Empty = none. */
            token: string;
            /** @description Whether there is a token that is not sent, because it belongs to another endpoint. */
            tokenHeldBack: boolean;
            /** @description What is compared before a file counts as done. */
            verify: components["schemas"]["Verify"];
        };
        /** @description A change that was made. */
        SettingsChanged: {
            /** @description Says so. */
            message: string;
            /** @description Saved settings that a flag or variable overrides. */
            shadowed: string[];
            /** @description Always `true`. */
            success: boolean;
            /** @description What the change brought with it. */
            warnings: string[];
        };
        /** @description Settings to change; what is missing or `null` stays, other fields are ignored. */
        SettingsPatch: {
            /** @description First wait between attempts, not longer than the longest. */
            backoffInitial?: string | null;
            /** @description Longest wait between attempts. */
            backoffMax?: string | null;
            /** @description Root of the cache. Ignored unless the service was started with `--allow-path-settings`, as all folders are. */
            cacheDir?: string | null;
            /**
             * Format: int64
             * @description Connections per file.
             */
            connections?: number | null;
            /** @description Folders for sorts of models. */
            downloadRoutes?: {
                audio?: string;
                diffusion?: string;
                embedding?: string;
                llm?: string;
                "llm/gguf"?: string;
                "llm/safetensors"?: string;
            } | null;
            /** @description Base URL of the Hub; empty = `https://huggingface.co`. A change drops the token of another server. */
            endpoint?: string | null;
            /** @description Free bytes a volume keeps; empty = the smaller of 1 GiB and 5 % of the volume. */
            freeSpaceFloor?: string | null;
            /**
             * Format: int64
             * @description Days that history and events are kept; 0 = for ever.
             */
            historyRetention?: number | null;
            /** @description How a snapshot shows a blob. */
            linkMode?: ("auto" | "symlink" | "hardlink" | "copy") | null;
            /** @description Folder of plain files in place of the cache; empty = the cache. */
            localDir?: string | null;
            /** @description Folders that are looked through for models. */
            localScanDirs?: string[] | null;
            /**
             * Format: int64
             * @description Jobs at once.
             */
            maxActive?: number | null;
            /**
             * Format: int64
             * @description Connections of all jobs together.
             */
            maxConnections?: number | null;
            /**
             * Format: int64
             * @description Files of one job at once.
             */
            maxFilesPerJob?: number | null;
            /** @description Bytes a second over all jobs; empty = no limit. */
            maxSpeed?: string | null;
            /** @description Files from this size on get several connections. */
            multipartThreshold?: string | null;
            proxy?: components["schemas"]["ProxyPatch"] | null;
            /**
             * Format: int64
             * @description Days a finished job stays in the list; 0 = for ever.
             */
            retentionDays?: number | null;
            /**
             * Format: int64
             * @description Attempts after the first without progress.
             */
            retries?: number | null;
            /** @description A connection without a byte for so long is replaced: 1 s to 1 h; `0` = never. */
            stallTimeout?: string | null;
            /** @description Hub token; empty clears it, its mask keeps it. */
            token?: string | null;
            /** @description What is compared before a file counts as done; `etag` means `size`. */
            verify?: ("none" | "size" | "etag" | "sha256") | null;
        };
        /** @description What is to be tried; what is missing or `null` is taken as it is. */
        SettingsTrial: {
            /** @description Base URL of a Hub. */
            endpoint?: string | null;
            proxy?: components["schemas"]["ProxyPatch"] | null;
            /** @description Hub token. */
            token?: string | null;
        };
        /** @description What to share. */
        ShareBody: {
            /**
             * Format: int64
             * @description Smaller contents are left as they are; 1 MiB by default.
             */
            minBytes?: number | null;
        };
        /** @description A file that would be left out. */
        SkippedFile: {
            path: string;
            /** @description Why. */
            reason: string;
            /** Format: int64 */
            size: number;
        };
        /** @enum {string} */
        Source: "flag" | "env" | "database" | "file" | "default";
        /** @description Speeds over time, of bytes from the network. */
        Speed: {
            /** @description What happened meanwhile; only for one job. */
            marks?: components["schemas"]["Mark"][] | null;
            /**
             * Format: int64
             * @description Mean over all points.
             */
            mean: number;
            /**
             * Format: int64
             * @description Bytes a second now.
             */
            now: number;
            /** @description By time. */
            points: components["schemas"]["Point"][];
            /**
             * Format: int64
             * @description Milliseconds from one point to the next; where they lie further apart, nothing ran.
             */
            stepMs: number;
        };
        /** @description One server-sent event. */
        StreamEvent: {
            /** @description The message of the WebSocket, as JSON. */
            data: string;
            /** @description `init`, `job_update`, `event` or `status`. */
            event: string;
            /** @description Number of the frame, to go on behind it. */
            id: string;
        };
        /** @description A repo that may have been meant. */
        Suggestion: {
            dataset: boolean;
            id: string;
            source: components["schemas"]["SuggestionSource"];
        };
        /**
         * @description Where a suggestion is known from.
         * @enum {string}
         */
        SuggestionSource: "library" | "history" | "hub";
        /** @description Repos that may have been meant. */
        Suggestions: {
            /** @description The nearest first; at most five. */
            suggestions: components["schemas"]["Suggestion"][];
        };
        /** @description Numbers of the downloads on the list. */
        Summary: {
            /** Format: int64 */
            bytesPerSecond: number;
            /** Format: int64 */
            completed24h: number;
            /**
             * Format: int64
             * @description Free bytes on the volume of the cache; `null` when it does not answer.
             */
            diskFree: number | null;
            /**
             * Format: int64
             * @description Bytes that running jobs will still take.
             */
            diskReserved: number;
            /**
             * Format: int64
             * @description 0 = unknown.
             */
            etaSeconds: number;
            /** Format: int64 */
            failed: number;
            /**
             * Format: int64
             * @description Bytes to come of what runs, waits or is paused, as far as it is planned.
             */
            leftBytes: number;
            limits: components["schemas"]["LimitsNow"];
            needsYou: components["schemas"]["NeedsYouView"][];
            /** Format: int64 */
            paused: number;
            /** Format: int64 */
            queued: number;
            /** Format: int64 */
            running: number;
            version: string;
            /**
             * Format: int64
             * @description Of the queued ones, those that something other than their turn holds back.
             */
            waiting: number;
        };
        /** @description One check. */
        SystemCheck: {
            /** @description What to do; empty when all is well. */
            hint: string;
            /** @description What was found. */
            message: string;
            /**
             * @description `database`, `backups`, `cache`, `free_space`, `mirror_targets`, `hub`, `token`, `login`,
             *     `secrets`, `open_files`, `storage`.
             */
            name: string;
            /**
             * Format: date-time
             * @description Since when it is not well, as far as this process has seen it.
             */
            since: string | null;
            status: components["schemas"]["CheckStatus"];
        };
        /** @description All checks. */
        SystemChecks: {
            checks: components["schemas"]["SystemCheck"][];
        };
        /** @description One sort of periodic work. */
        SystemTask: {
            /** @description Whether a change begins a round too. */
            alsoOnChange: boolean;
            /**
             * Format: int64
             * @description Longest time from one round to the next, in milliseconds.
             */
            everyMs: number;
            /**
             * Format: int64
             * @description Those of them that failed.
             */
            failures: number;
            last: components["schemas"]["TaskRun"] | null;
            name: components["schemas"]["TaskName"];
            /**
             * Format: date-time
             * @description When the next round is due.
             */
            nextAt: string;
            /**
             * Format: date-time
             * @description Since when a round goes on; `null` when none does.
             */
            runningSince: string | null;
            /**
             * Format: int64
             * @description Rounds since the start of the service.
             */
            runs: number;
        };
        /** @description All periodic work. */
        SystemTasks: {
            tasks: components["schemas"]["SystemTask"][];
        };
        /** @description Memory and errors of the last day, or since the start when that is shorter. */
        SystemTrends: {
            /** @description Those that occurred, by code. */
            errors: components["schemas"]["ErrorCount"][];
            /**
             * Format: date-time
             * @description From when on the errors are counted.
             */
            errorsSince: string;
            /** @description By time; empty where the system does not tell. */
            memory: components["schemas"]["MemoryPoint"][];
            /**
             * Format: date-time
             * @description When the process started: nothing of before is known.
             */
            startedAt: string;
            /**
             * Format: int64
             * @description Milliseconds that a point covers.
             */
            stepMs: number;
        };
        /** @enum {string} */
        TaskName: "backup" | "clean_up" | "ballast" | "library" | "library_deep" | "queue" | "work" | "measure" | "mirror" | "limits";
        /** @enum {string} */
        TaskOutcome: "ok" | "failed";
        /** @description A round that has ended. */
        TaskRun: {
            /** @description What was done, or why it failed; for people. May be empty. */
            detail: string;
            /**
             * Format: int64
             * @description How long it took, in milliseconds.
             */
            durationMs: number;
            outcome: components["schemas"]["TaskOutcome"];
            /** Format: date-time */
            startedAt: string;
        };
        /** @description Whether the endpoint knows the token. */
        TokenTrial: {
            /** @description Whether there is a token at all. */
            given: boolean;
            message: string;
            /** @description Account of the token; empty when it is not known. */
            name: string;
            /** @description True also when there is no token: public repos need none. */
            ok: boolean;
            /** @description What the token may do, in the words of the Hub. */
            scopes: string[];
        };
        /** @description What `tokenizer_config.json` says. */
        Tokenizer: {
            add_bos_token?: boolean | null;
            add_eos_token?: boolean | null;
            chat_template?: string | null;
            has_chat_template: boolean;
            /** Format: int64 */
            model_max_length?: number | null;
            padding_side?: string | null;
            truncation_side?: string | null;
            type?: string | null;
            /** Format: int64 */
            vocab_size?: number | null;
        };
        /** @description The `transformers` object. */
        Transformers: {
            architecture: string;
            architecture_description: string;
            backends: string[];
            /**
             * Format: int64
             * @description In tokens.
             */
            context_length?: number | null;
            /** @description For people: `7.2B`. */
            estimated_parameters?: string | null;
            /**
             * Format: int64
             * @description From the headers of the weights when they are known, else a formula over the sizes above.
             */
            estimated_parameters_num?: number | null;
            generation_config?: {
                [key: string]: unknown;
            };
            /** Format: int64 */
            hidden_size?: number | null;
            /** Format: int64 */
            intermediate_size?: number | null;
            is_sharded: boolean;
            /** Format: int64 */
            max_position_embeddings?: number | null;
            model_type: string;
            /** Format: int64 */
            num_attention_heads?: number | null;
            /** Format: int64 */
            num_hidden_layers?: number | null;
            precision?: string | null;
            /** Format: int64 */
            shard_count: number;
            special_tokens?: {
                [key: string]: unknown;
            };
            task: string;
            task_description: string;
            tokenizer?: components["schemas"]["Tokenizer"] | null;
            torch_dtype?: string | null;
            /** Format: int64 */
            vocab_size?: number | null;
            weight_files: components["schemas"]["WeightFile"][];
        };
        /** @description What came of a trial. Nothing was saved. */
        Trial: {
            endpoint: components["schemas"]["EndpointTrial"];
            /** @description Whether everything that was tried works. */
            ok: boolean;
            proxy: components["schemas"]["ProxyTrial"];
            token: components["schemas"]["TokenTrial"];
        };
        /** @description A file that the Hub's scanners warn of. */
        UnsafeFile: {
            /** @description What it means. */
            detail: string;
            path: string;
            /** @description The Hub's word: `unsafe`, `suspicious`, `caution`, …. */
            status: string;
        };
        /** @description One commit. */
        UpstreamCommit: {
            /** @description Whether a snapshot of it is in the cache. */
            cached: boolean;
            commit: components["schemas"]["Commit"];
            /** @description RFC 3339, or empty. */
            date: string;
            /** @description Its first line. */
            title: string;
        };
        /** @enum {string} */
        Verify: "none" | "size" | "sha256";
        /** @description What to check. */
        VerifyRequest: {
            mode?: components["schemas"]["CheckMode"] | null;
            /** @description One repo, `owner/name`; all of the cache when it is left out. */
            repo?: (string) | null;
            speed?: components["schemas"]["CheckSpeed"] | null;
            type?: components["schemas"]["RepoType"] | null;
        };
        /** @description The `vision` object. */
        Vision: {
            framework: string;
            image_processor_type?: string | null;
            image_size?: components["schemas"]["ImageSize"] | null;
            normalization?: components["schemas"]["Normalization"] | null;
            /** Format: int64 */
            num_channels: number;
            /** Format: int64 */
            num_labels?: number | null;
            task: string;
            task_description: string;
        };
        /** @description One volume. */
        Volume: {
            /**
             * Format: int64
             * @description Bytes that stay free.
             */
            floor: number;
            /**
             * Format: int64
             * @description Bytes that this service may use.
             */
            free: number;
            /** @description Its file system, such as `ext4`; empty when that is not known. */
            fsType: string;
            /** @description Where it is mounted; empty when that is not known. */
            mount: string;
            /** @description The first of our directories on it. */
            path: string;
            /**
             * Format: int64
             * @description Bytes that running jobs will still take.
             */
            reserved: number;
            /** @description What lies on it: `cache`, `data`, `destination`, `target:` and the name of a mirror target. */
            roles: string[];
            /**
             * Format: int64
             * @description Bytes.
             */
            total: number;
            /**
             * Format: int64
             * @description Bytes in use.
             */
            used: number;
            /**
             * Format: int64
             * @description Bytes that they miss.
             */
            waitingBytes: number;
            /**
             * Format: int64
             * @description Jobs that wait for room on it.
             */
            waitingJobs: number;
        };
        /** @description All volumes. */
        Volumes: {
            volumes: components["schemas"]["Volume"][];
        };
        /** @enum {string} */
        WaitReason: "disk" | "rate_limit" | "offline" | "schedule" | "not_before" | "retry";
        /** @description One file of weights. */
        WeightFile: {
            /** @description `safetensors`, `pytorch_bin` or `pytorch`. */
            format: string;
            name: string;
            path: string;
            /** Format: int32 */
            shard_index?: number | null;
            /** Format: int32 */
            shard_total?: number | null;
            /** Format: int64 */
            size: number;
            size_human: string;
        };
    };
    responses: {
        /** @description The request is malformed, or has no `Host` */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is larger than 1 MiB */
        BodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The database is held by another program, or the service is stopping; come again soon */
        DatabaseBusy: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The volume of the database is full; nothing was stored */
        DatabaseFull: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The host or the origin is not allowed, or the login may not do this */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description An error inside hfdepot; the log has the details */
        InternalError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body did not arrive in time */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests; the header `Retry-After` says when to come again */
        TooManyRequests: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A login is needed, or the one given is wrong */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not `application/json` */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    analyzeRepo: {
        parameters: {
            query?: {
                /** @description Whether it is a dataset; left out: ask back when both exist */
                dataset?: boolean | string;
                /** @description Branch, tag or commit; `main` by default */
                revision?: string;
                /** @description Look again instead of remembering */
                fresh?: boolean | string;
            };
            header?: never;
            path: {
                /** @description The part of the id before the slash */
                owner: string;
                /** @description The part after it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report, or a question */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnalyzeAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such repo or revision */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The repo has names that are not safe to store */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    listCache: {
        parameters: {
            query?: {
                /** @description Only models, or only datasets */
                type?: components["schemas"]["RepoType"] | string;
                /** @description Only repos whose id contains this, in any case */
                search?: string;
                /** @description Wait for a look at the disk */
                fresh?: boolean | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The repos */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    showCacheSelection: {
        parameters: {
            query: {
                /** @description owner/name */
                repo: string;
                /** @description `model` */
                type: "model";
                /** @description Only this location */
                locationId?: "hf-cache" | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The choices */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheSelection"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The repo is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    deleteCacheSelection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SelectionBody"];
            };
        };
        responses: {
            /** @description All of it is gone */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SelectionDeleted"];
                };
            };
            /** @description A part is gone */
            207: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SelectionDeleted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The repo is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The cache does not hold it so any more, or a job of the repo is live */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listDuplicates: {
        parameters: {
            query?: {
                /** @description Leave smaller contents out; 1 MiB by default */
                minBytes?: number | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contents */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheDuplicates"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    shareDuplicates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ShareBody"];
            };
        };
        responses: {
            /** @description The same job that is live already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description The job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    exportCached: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportRequest"];
            };
        };
        responses: {
            /** @description The same export that is live already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description The job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Exports are disabled, or the folder is none */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            /** @description The folder is not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The repo or revision is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    importIntoCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportRequest"];
            };
        };
        responses: {
            /** @description What was found, and taken over */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportAnswer"];
                };
            };
            /** @description The job that does it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportStarted"];
                };
            };
            /** @description The folder cannot be looked through */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            /** @description The folder is not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The folder is not there */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The import was cancelled */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The service stops; the job goes on with its next start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    pruneCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PruneBody"];
            };
        };
        responses: {
            /** @description What was found, and what went */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PruneReport"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    rebuildFriendlyView: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RebuildRequest"] | null;
            };
        };
        responses: {
            /** @description What was done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RebuildReport"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    repairCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RepairRequest"];
            };
        };
        responses: {
            /** @description There was nothing to fetch */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepairAnswer"];
                };
            };
            /** @description The downloads */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepairAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such check */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The check has not ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    verifyCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description The same check that is live already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description The job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The repo is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    showCached: {
        parameters: {
            query?: {
                /** @description Model or dataset */
                type?: components["schemas"]["RepoType"] | string;
                /** @description Whose files */
                revision?: string;
                /** @description Wait for a look at the disk */
                fresh?: boolean | string;
            };
            header?: never;
            path: {
                /** @description The part of the id before the slash */
                owner: string;
                /** @description The part after it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The repo */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheDetail"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description It is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    deleteCached: {
        parameters: {
            query?: {
                /** @description Model (default) or dataset */
                type?: components["schemas"]["RepoType"] | string;
                /** @description Only this snapshot: a commit, its first digits, or a ref */
                revision?: string;
                /** @description Only tell what would go */
                dryRun?: boolean | string;
            };
            header?: never;
            path: {
                /** @description The part of the id before the slash */
                owner: string;
                /** @description The part after it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What went, or would go */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheDeletion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description It is not in the cache */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A job of this repo is live, or another program works on it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listCollections: {
        parameters: {
            query: {
                /** @description User or organisation */
                owner: string;
                /** @description 20 by default, at most 100 */
                limit?: number | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The collections; none when the Hub has none of this owner */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Collections"];
                };
            };
            /** @description No owner is named */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    showCollection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Who made it */
                owner: string;
                /** @description Its name on the Hub, with the id at its end */
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The collection */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Collection"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is none, or it is private and no token opens it */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    listCommits: {
        parameters: {
            query?: {
                /** @description Whether it is a dataset */
                dataset?: boolean | string;
                /** @description Branch, tag or commit; `main` by default */
                revision?: string;
            };
            header?: never;
            path: {
                /** @description The part of the id before the slash */
                owner: string;
                /** @description The part after it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The commits */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commits"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such repo or revision, or an endpoint that tells no commits */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    getDisk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each volume once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Volumes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getDiskFree: {
        parameters: {
            query?: {
                /** @description A directory of the cache, or another that the settings name; by default the Hub cache */
                path?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The space */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiskFree"];
                };
            };
            /** @description The path is not one of these directories */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            /** @description The volume gives no answer */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    findDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the page */
            307: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    showDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getDocsFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The page has no such file */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    createDownload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DownloadBody"];
            };
        };
        responses: {
            /** @description Already live, or the plan of a dry run */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotQueued"];
                };
            };
            /** @description The new job */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The destination is not allowed, or a dry run was refused by the Hub */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A dry run found no such repo or revision */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description A file stands where the folder of localDir should be */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A dry run found names that are not safe to store */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description A dry run got no usable answer from the Hub */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A dry run took too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description A kind of job, or `all`; `download` when it is missing */
                kind?: ("download" | "mirror" | "verify" | "export" | "all") | string;
            };
            header?: {
                /** @description Go on behind this event */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events `init`, `job_update`, `event` and `status`; the data of each is the message of the WebSocket */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["StreamEvent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description Too many clients, or the service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listHistory: {
        parameters: {
            query?: {
                /** @description Entries at most: 1000 unless told; a page has 10000 at most, a download all unless told. */
                limit?: number | string;
                /** @description Leave out so many of the newest. */
                offset?: number | string;
                /** @description The `nextCursor` of the page before. */
                cursor?: string;
                /** @description `completed`, `failed`, `cancelled`; several with commas between. */
                status?: string;
                /** @description Part of the repo's id, in any case. */
                repo?: string;
                /** @description `download`, `mirror`, `verify` or `export`. */
                kind?: ("download" | "mirror" | "verify" | "export") | string;
                /** @description Exactly this actor. */
                actor?: string;
                /** @description Exactly this category. */
                category?: string;
                /** @description Ended from this time on: RFC 3339, or a day in UTC. */
                from?: (string) | string;
                /** @description Ended before this time; a day counts to its end. */
                to?: (string) | string;
                /** @description Text in job id, repo, revision, commit, filters, tags, error, code or actor, in any case. */
                q?: string;
                /** @description `json`, `jsonl` or `csv`: the whole filtered history as a download. */
                format?: ("json" | "jsonl" | "csv") | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, or with `format` a download of everything that matches */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description Entries at most: 1000 unless told; a page has 10000 at most, a download all unless told. */
                limit?: number | string;
                /** @description The `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only of this job. */
                job?: string;
                /** @description Part of the repo's id, in any case. */
                repo?: string;
                /** @description Exactly this actor. */
                actor?: string;
                /** @description `info`, `warn`, `error`; several with commas between. */
                level?: string;
                /** @description From this time on: RFC 3339, or a day in UTC. */
                from?: (string) | string;
                /** @description Before this time; a day counts to its end. */
                to?: (string) | string;
                /** @description Text in event, sentence, code, host or job id, in any case. */
                q?: string;
                /** @description `json`, `jsonl` or `csv`: all filtered events as a download. */
                format?: ("json" | "jsonl" | "csv") | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, or with `format` a download of everything that matches */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsPage"];
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    sumHistory: {
        parameters: {
            query?: {
                /** @description RFC 3339, or a day in UTC */
                from?: (string) | string;
                /** @description The same; a day counts to its end */
                to?: (string) | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The days on which something ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryStats"];
                };
            };
            /** @description A time is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    verifyHistory: {
        parameters: {
            query?: {
                /** @description A head that was noted earlier: some row has to have it */
                head?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The verdict, good or bad */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChainReport"];
                };
            };
            /** @description The head is no SHA-256 in hex */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listHistoryFiles: {
        parameters: {
            query?: {
                /** @description 1000 unless told */
                limit?: number | string;
                /** @description Leave out so many */
                offset?: number | string;
            };
            header?: never;
            path: {
                /** @description Number of the entry */
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of its files */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryFiles"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such entry */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Only the newest */
                limit?: number | string;
                /** @description Leave out so many of the newest */
                offset?: number | string;
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Only those with one of these statuses, with commas between */
                status?: string;
                /** @description Only those of this category */
                category?: string;
                /** @description Only those with this tag */
                tag?: string;
                /** @description Only those with this text in repo, category or a tag */
                q?: string;
                /** @description Only those that ended with one of these codes, with commas between */
                errorCode?: string;
                /** @description `download` (default), `mirror`, `verify`, `export` or `all` */
                kind?: ("download" | "mirror" | "verify" | "export" | "all") | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The jobs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The job that the cursor names is not known any more */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    changeJobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody"];
            };
        };
        responses: {
            /** @description What became of each */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkDone"];
                };
            };
            /** @description Neither or both of ids and filter, too many ids, or a wrong field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    orderJobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderBody"];
            };
        };
        responses: {
            /** @description They moved */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Moved"];
                };
            };
            /** @description Neither or both of to and before, or no ids */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description None of the jobs is queued, or the one to stand before is not */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job, or it has ended */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    setJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobPatch"];
            };
        };
        responses: {
            /** @description The job as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description A wrong field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    dismissJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job has not ended; cancel it first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listJobEvents: {
        parameters: {
            query?: {
                /** @description Only after the event with this `seq` */
                after?: number | string;
                /** @description 1000 unless told */
                limit?: number | string;
                /** @description `info`, `warn`, `error`; several with commas between */
                level?: string;
            };
            header?: never;
            path: {
                /** @description Id of the job; it may have left the list */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobEvents"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description Nothing ever happened to such a job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listJobFiles: {
        parameters: {
            query?: {
                /** @description 1,000 by default */
                limit?: number | string;
                /** @description Files to leave out at the beginning */
                offset?: number | string;
            };
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The files */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobFiles"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    chooseJobFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FileWishes"];
            };
        };
        responses: {
            /** @description The files as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilesChosen"];
                };
            };
            /** @description A path or pattern that no file of the job has; nothing was changed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The job is over */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    pauseJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job, or it is neither queued nor running */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    resumeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job, or it is not paused */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryRequest"] | null;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A wrong number of connections */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job, it did not fail, or the same download is live */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listJobSegments: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The files under way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSegments"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job is on the list */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    showJobSpeed: {
        parameters: {
            query?: {
                /** @description `10m` (unless told), `1h`, `24h` or `all` */
                range?: ("10m" | "1h" | "24h" | "all") | string;
            };
            header?: never;
            path: {
                /** @description Id of the job */
                id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The series */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Speed"];
                };
            };
            /** @description There is no such range */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such job is on the list */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeys"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description The key */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeApiKey"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description There is a key with this name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    removeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the key */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyRemoved"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description No such key */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limits */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsView"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    setLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitsPatch"];
            };
        };
        responses: {
            /** @description The limits now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsView"];
                };
            };
            /** @description A field is wrong; nothing was changed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    diffMirror: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MirrorDiffRequest"];
            };
        };
        responses: {
            /** @description What differs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorDiff"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such target */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The target is not mounted */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    pullMirror: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MirrorRunRequest"];
            };
        };
        responses: {
            /** @description What was done, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorAnswer"];
                };
            };
            /** @description The job that does it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorStarted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such target */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The target is not mounted, or the run was cancelled */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The service stops; the job goes on with its next start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    pushMirror: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MirrorRunRequest"];
            };
        };
        responses: {
            /** @description What was done, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorAnswer"];
                };
            };
            /** @description The job that does it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorStarted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such target */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The target is not mounted, or the run was cancelled */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The service stops; the job goes on with its next start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    listMirrorRuns: {
        parameters: {
            query?: {
                /** @description 200 by default */
                limit?: number | string;
                /** @description Only those of this target */
                target?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorRuns"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listMirrorTargets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The targets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorTargets"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    addMirrorTarget: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMirrorTarget"];
            };
        };
        responses: {
            /** @description The target */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorTargetAdded"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description No target may lie there */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description The directory cannot be used, or the target is registered with this path and not mounted */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    removeMirrorTarget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the target */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorTargetRemoved"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such target */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    changeMirrorTarget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the target */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MirrorTargetChange"];
            };
        };
        responses: {
            /** @description The target */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MirrorTarget"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such target */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenApiDocument"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    planDownload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRequest"];
            };
        };
        responses: {
            /** @description The plan, or one for each of `repos` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The destination is not allowed, or the Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such repo or revision */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description A file stands where the folder of localDir should be */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The repo has names that are not safe to store */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    getRateLimit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The windows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RateLimit"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getReadmeAsset: {
        parameters: {
            query: {
                /** @description Address of the picture, below the endpoint */
                url: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": number[];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The address is not below the endpoint, or the Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is no picture that browsers show safely */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    getReadme: {
        parameters: {
            query?: {
                /** @description Branch, tag or commit; `main` by default */
                revision?: string;
                /** @description Whether it is a dataset */
                dataset?: boolean | string;
            };
            header?: never;
            path: {
                /** @description The part of the id before the slash */
                owner: string;
                /** @description The part after it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The README */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readme"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The Hub refuses access */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such repo or revision, or it has no README */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    searchHub: {
        parameters: {
            query?: {
                /** @description Part of the id */
                q?: string;
                /** @description `downloads` by default */
                sort?: components["schemas"]["SearchSort"] | string;
                /** @description Results on a page; 20 by default, at most 100 */
                limit?: number | string;
                /** @description Tags that all results have, divided by commas; at most 20 */
                filter?: string;
                /** @description Namespace */
                author?: string;
                /** @description Only models of at most so many parameters, such as `8B` */
                maxParameters?: string;
                /** @description Datasets instead of models */
                datasets?: boolean | string;
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Results of the last day will do when the Hub gives none; `staleSince` tells */
                stale?: boolean | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResults"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description The Hub gives no usable answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is stopping */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Hub takes too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    getSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every setting, and where it comes from */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    changeSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingsPatch"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsChanged"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description The setting is locked */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    testSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingsTrial"];
            };
        };
        responses: {
            /** @description What works and what does not */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trial"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    showSpeed: {
        parameters: {
            query?: {
                /** @description `10m` (unless told), `1h`, `24h` or `all` */
                range?: ("10m" | "1h" | "24h" | "all") | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The series */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Speed"];
                };
            };
            /** @description There is no such range */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    suggestRepos: {
        parameters: {
            query: {
                /** @description What was searched for */
                q: string;
                /** @description Datasets instead of models */
                datasets?: boolean | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What may have been meant; often nothing */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Suggestions"];
                };
            };
            /** @description No text is given */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers of this moment */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Summary"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getAbout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Version, build and directories */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    listBackups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The copies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backups"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    createBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The copy */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backup"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    downloadBackup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the copy */
                name: components["schemas"]["BackupName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An SQLite database */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.sqlite3": number[];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such copy */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getSystemChecks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each check, also those that are well */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemChecks"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getLog: {
        parameters: {
            query?: {
                /** @description At least so important: `warn` gives warnings and errors. */
                level?: ("error" | "warn" | "info" | "debug" | "trace") | string;
                /** @description Text in sentence, target or fields, in any case. */
                q?: string;
                /** @description Only lines behind this one; the newest ones when it is missing. */
                after?: number | string;
                /** @description 500 unless told; a text has all unless told */
                limit?: number | string;
                /** @description `json` (unless told) or `text` */
                format?: ("json" | "text") | string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                    "text/plain": string;
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    streamLog: {
        parameters: {
            query?: {
                /** @description At least so important: `warn` gives warnings and errors. */
                level?: ("error" | "warn" | "info" | "debug" | "trace") | string;
                /** @description Text in sentence, target or fields, in any case. */
                q?: string;
                /** @description Only lines behind this one; the newest ones when it is missing. */
                after?: number | string;
            };
            header?: {
                /** @description Go on behind this line */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events `line` and `gap` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["LogEvent"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            /** @description Too many clients follow the log */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            507: components["responses"]["DatabaseFull"];
        };
    };
    listTasks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each task */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemTasks"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    runTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the task */
                name: components["schemas"]["TaskName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A round goes on already; nothing else is begun */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemTask"];
                };
            };
            /** @description It begins */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemTask"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description There is no such task */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    getSystemTrends: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last day, or since the start */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemTrends"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    connectLive: {
        parameters: {
            query?: {
                /** @description A kind of job, or `all`; `download` when it is missing */
                kind?: ("download" | "mirror" | "verify" | "export" | "all") | string;
            };
            header: {
                /** @description `Upgrade` */
                Connection: "Upgrade";
                /** @description `websocket` */
                Upgrade: "websocket";
                /** @description `13` */
                "Sec-WebSocket-Version": "13";
                /** @description 16 random bytes in base64 */
                "Sec-WebSocket-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection is a WebSocket now */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is no WebSocket handshake */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    isAlive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `ok` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["InternalError"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The text format 0.0.4 of Prometheus */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseBusy"];
            507: components["responses"]["DatabaseFull"];
        };
    };
    isReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `ok` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["InternalError"];
            /** @description `not ready` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
}
