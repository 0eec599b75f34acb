// Writes down what the service tells each page, and what the pages show; then finds where they differ.
//
// No clock decides: every shown job names the edition (`updatedAt`) that it was drawn from, and must be
// just that edition as the service told it. That a page keeps up is waited for, not timed.
const ASK_EVERY_MS = 100;
const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 60_000;

/** What stands on the page that is open, read in one go. Runs inside the browser. */
function picture() {
  const text = (root, name) => root.querySelector(`[data-testid="${name}"]`)?.innerText.trim() ?? null;
  const title = (root, name) => root.querySelector(`[data-testid="${name}"]`)?.getAttribute('title') ?? null;
  const all = (name) => [...document.querySelectorAll(`[data-testid="${name}"]`)];
  const numbers = (root) => ({
    state: root.querySelector('[data-state]')?.getAttribute('data-state') ?? null,
    percent: text(root, 'job-percent'), bytes: title(root, 'job-bytes'), speed: text(root, 'job-speed'),
  });
  const main = document.querySelector('main');
  const head = main.querySelector('[data-testid="job-head"]');
  return {
    connection: document.querySelector('[data-testid="shell-connection"]')?.getAttribute('data-kind'),
    rows: all('queue-row').map((row) => ({ id: row.dataset.job, updated: row.dataset.updated, ...numbers(row), files: row.querySelector('td.files')?.innerText ?? null })),
    tabs: Object.fromEntries(['all', 'running', 'queued', 'paused', 'failed', 'completed'].map((name) => [name, document.querySelector(`[data-testid="queue-tab-${name}"] .count`)?.textContent ?? null])),
    badge: text(document, 'nav-queue-count'),
    job: head === null || main.querySelector('.facts') === null ? null : {
      updated: head.dataset.updated, ...numbers(main), facts: Object.fromEntries([...main.querySelectorAll('.facts > div')].map((fact) => [fact.querySelector('dt').innerText, fact.querySelector('dd').title || fact.querySelector('dd').innerText])),
    },
    history: all('history-row').map((row) => ({ seq: Number(row.dataset.seq), status: row.dataset.status, network: title(row, 'history-network') })),
    library: all('library-row').map((row) => ({ repo: row.dataset.repo, size: row.querySelector('.size').title, files: row.querySelector('.files').innerText })),
  };
}

const exact = (bytes) => `${bytes.toLocaleString('en-GB')} bytes`;
const whole = (text) => Number(text.replaceAll(/\D/g, ''));
function speedText(bytes) {
  const unit = bytes < 2 ** 10 ? 0 : bytes < 2 ** 20 ? 1 : bytes < 2 ** 30 ? 2 : 3;
  const digits = unit >= 2 ? 1 : 0;
  const size = Math.floor((bytes / 1024 ** unit) * 10 ** digits) / 10 ** digits;
  return `${size.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${['B', 'KiB', 'MiB', 'GiB'][unit]}/s`;
}
/** The words that may stand for a job: that none stalls is for the clock of the page to say. */
function wordsOf({ status, phase, waitReason, verify }) {
  if (status === 'queued') return [waitReason === null ? 'queued' : 'waiting'];
  if (status === 'completed') return [verify === 'none' ? 'doneSize' : 'done'];
  if (status !== 'running') return [status];
  return { resolving: ['resolving'], planning: ['resolving'], verifying: ['verifying'], publishing: ['publishing'] }[phase] ?? ['downloading', 'stalled'];
}
const WITHOUT_BYTES = ['resolving', 'verifying', 'publishing'];
const STATUS = { resolving: 'running', downloading: 'running', stalled: 'running', verifying: 'running', publishing: 'running', waiting: 'queued', done: 'completed', doneSize: 'completed' };
const statusOf = (state) => STATUS[state] ?? state;

export class Witness {
  #service;
  /** Every edition that was told of a job: id → time of the edition → jobs. */
  #told = new Map();
  /** Ends that were told, by number; repos of the library as they were told. */
  #ends = new Map();
  #repos = new Map();
  #pages = {};
  #seen = [];
  #pending = [];
  #down = null;
  #outages = [];
  #going = true;

  constructor(service) {
    this.#service = service;
  }

  #note(job) {
    if (!this.#told.has(job.id)) this.#told.set(job.id, new Map());
    const editions = this.#told.get(job.id);
    if (!editions.has(job.updatedAt)) editions.set(job.updatedAt, []);
    editions.get(job.updatedAt).push(job);
  }

  #take(path, answer) {
    if (/jobs$/.test(path)) answer.jobs?.forEach((job) => this.#note(job));
    else if (/jobs\/\w+$/.test(path) && answer.id !== undefined) this.#note(answer);
    else if (/history$/.test(path)) answer.entries?.forEach((entry) => this.#ends.set(entry.seq, entry));
    else if (/cache$/.test(path)) for (const repo of answer.repos ?? []) this.#repos.set(repo.repo, [...(this.#repos.get(repo.repo) ?? []), repo]);
  }

  #hear(text) {
    const { type, data } = JSON.parse(text);
    if (type === 'init') data.jobs.forEach((job) => this.#note(job));
    else if (type === 'job_update') this.#note(data);
  }

  /** Listens to everything that a page is told, from before it is opened. */
  async listen(name, page) {
    this.#pages[name] = page;
    const wire = await page.context().newCDPSession(page);
    await wire.send('Network.enable');
    wire.on('Network.webSocketFrameReceived', ({ response }) => {
      if (response.opcode === 1) this.#hear(response.payloadData);
    });
    wire.on('Network.eventSourceMessageReceived', ({ eventName, data }) => this.#hear(JSON.stringify({ type: eventName, data: JSON.parse(data) })));
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      // An answer that was cut off told nothing.
      if (pathname.startsWith('/api/') && response.ok()) this.#pending.push(response.json().then((answer) => this.#take(pathname, answer), () => {}));
    });
  }

  /** Writes down from now on; the answer ends it. */
  start() {
    const loop = async (every, step) => {
      while (this.#going) {
        await step();
        await new Promise((done) => setTimeout(done, every));
      }
    };
    const asking = loop(ASK_EVERY_MS, async () => {
      // Down is meant to be.
      for (const path of ['jobs?kind=all', 'history?limit=50', 'cache']) await this.#service.api(path).then((answer) => this.#take(path.split('?')[0], answer), () => {});
    });
    const looking = Object.entries(this.#pages).map(([name, page]) => loop(LOOK_EVERY_MS, () => this.#look(name, page)));
    return async () => {
      this.#going = false;
      await Promise.all([asking, ...looking, ...this.#pending]);
    };
  }

  async #look(name, page) {
    const down = this.#down;
    const shown = await page.evaluate(picture);
    // The service went or came back meanwhile: then this picture says nothing about that.
    this.#seen.push({ name, shown, down: down === this.#down ? down : undefined });
    return shown;
  }

  async #until(what, check) {
    const end = Date.now() + PATIENCE_MS;
    for (let last = await check(); last !== true; last = await check()) {
      if (Date.now() > end) throw new Error(`in vain: ${what}: ${JSON.stringify(last)}`);
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS / 4));
    }
  }

  /** Waits until the queue shows a job in one of these states. */
  async shows(id, ...states) {
    await this.#until(`${id} is shown as ${states}`, async () => {
      const { rows } = await this.#look('queue', this.#pages.queue);
      const state = rows.find((row) => row.id === id)?.state;
      return states.includes(state) || `shown as ${state}`;
    });
  }

  /** Waits until every page shows all that the service says now, or something newer. */
  async catchUp() {
    const [{ jobs }, { entries }, { repos }] = await Promise.all(['jobs?kind=all', 'history?limit=50', 'cache'].map((path) => this.#service.api(path)));
    // A repo that is being written is listed anew when its job ends.
    const busy = new Set(jobs.filter(({ endedAt }) => endedAt === null).map(({ repo }) => repo));
    const isNew = (updated, job) => updated !== undefined && updated >= job.updatedAt;
    await this.#until('the pages catch up', async () => {
      const now = Object.fromEntries(await Promise.all(Object.entries(this.#pages).map(async ([name, page]) => [name, await this.#look(name, page)])));
      const rows = new Map(now.queue.rows.map((row) => [row.id, row.updated]));
      const late = jobs.filter((job) => !isNew(rows.get(job.id), job)).map((job) => `row of ${job.repo}`);
      for (const id of rows.keys()) if (!jobs.some((job) => job.id === id)) late.push(`row of the gone ${id}`);
      for (const entry of entries) if (!now.history.history.some((one) => one.seq === entry.seq)) late.push(`end ${entry.seq}`);
      for (const repo of repos) if (!busy.has(repo.repo) && !now.library.library.some((one) => one.repo === repo.repo && one.size === exact(repo.size))) late.push(`library: ${repo.repo}`);
      const own = jobs.find((job) => job.id === now.job.job?.facts.Job);
      if (own === undefined || !isNew(now.job.job?.updated, own)) late.push('the page of the job');
      return late.length === 0 || late;
    });
  }

  down() {
    this.#down = this.#outages.push(false);
  }

  up() {
    this.#down = null;
  }

  /** Compares every picture with what was told. */
  judge() {
    const contradictions = [];
    const judged = {};
    const statuses = new Set();
    const newest = {};
    const offline = {};
    for (const { name, shown, down } of this.#seen) {
      judged[name] = (judged[name] ?? 0) + 1;
      const bad = (what, is, said) => contradictions.push(`${name}, picture ${judged[name]}: ${what} shows ${JSON.stringify(is)}, the API said ${JSON.stringify(said)}`);
      const old = shown.connection === 'offline';
      // Once it says that nothing answers it says so until something does.
      if (typeof down === 'number') {
        if (old) offline[`${name} ${down}`] = true;
        else if (offline[`${name} ${down}`]) bad('the connection', shown.connection, 'nothing');
      }
      const job = (id, is) => {
        const key = `${name} ${id}`;
        if (newest[key] !== undefined && is.updated < newest[key]) bad(`the edition of ${id}`, is.updated, newest[key]);
        newest[key] = is.updated;
        statuses.add(statusOf(is.state));
        this.#compareJob(id, is, old, bad);
      };
      if (name === 'queue') {
        for (const row of shown.rows) job(row.id, row);
        const count = (...wanted) => shown.rows.filter((row) => wanted.includes(statusOf(row.state))).length;
        const counts = { all: shown.rows.length, ...Object.fromEntries(['running', 'queued', 'paused', 'failed', 'completed'].map((status) => [status, count(status)])) };
        for (const [tab, number] of Object.entries(counts)) if (shown.tabs[tab] !== null && whole(shown.tabs[tab]) !== number) bad(`tab ${tab}`, shown.tabs[tab], number);
        const badge = whole(shown.badge?.split('\n')[0] ?? '0');
        if (badge !== count('running', 'queued')) bad('the badge', badge, count('running', 'queued'));
      } else if (name === 'job' && shown.job !== null) {
        job(shown.job.facts.Job, shown.job);
      }
      for (const end of shown.history) {
        const told = this.#ends.get(end.seq);
        if (told === undefined || end.status !== told.status || end.network !== exact(told.networkBytes)) bad('the history', end, told);
      }
      for (const repo of shown.library) {
        const told = this.#repos.get(repo.repo) ?? [];
        if (!told.some((one) => repo.size === exact(one.size) && whole(repo.files) === one.fileCount)) bad('the library', repo, told.at(-1));
      }
    }
    return { contradictions, judged, statuses };
  }

  /** One shown job must be one edition of it, in everything that is shown. */
  #compareJob(id, is, old, bad) {
    const editions = this.#told.get(id)?.get(is.updated) ?? [];
    if (editions.length === 0) return bad(`job ${id}`, is.updated, 'no such edition');
    const wrong = editions.map((said) => this.#differences(is, said, old));
    if (!wrong.some((list) => list.length === 0)) for (const [what, shown, said] of wrong.at(-1)) bad(`${what} of ${editions[0].repo}`, shown, said);
  }

  #differences(is, said, old) {
    const { progress } = said;
    const found = [];
    const same = (what, shown, told) => {
      if (shown !== told) found.push([what, shown, told]);
    };
    if (!wordsOf(said).includes(is.state)) found.push(['the state', is.state, wordsOf(said)]);
    if (is.bytes !== null) {
      same('the bytes', is.bytes, `${exact(progress.downloadedBytes)} / ${exact(progress.totalBytes)}`);
      const share = progress.totalBytes > 0 ? Math.min(99, Math.floor((progress.downloadedBytes / progress.totalBytes) * 100)) : 0;
      same('the percent', whole(is.percent), said.status === 'completed' ? 100 : share);
    }
    if (is.speed !== null) {
      if (said.status !== 'running') {
        // What has ended has a mean, marked as one.
        if (is.speed !== '—' && !is.speed.includes('⌀')) found.push(['the speed', is.speed, said.status]);
      } else {
        const speed = is.state === 'stalled' ? 0 : progress.bytesPerSecond;
        // What fetches nothing yet, or no more, has no speed.
        same('the speed', is.speed, old || (speed === 0 && WITHOUT_BYTES.includes(is.state)) ? '—' : speedText(speed));
      }
    }
    if (is.files) same('the files', is.files.replaceAll(/\s/g, ''), `${progress.completedFiles}/${progress.totalFiles}`);
    if (is.facts !== undefined) {
      for (const [fact, number] of [['From the network', said.networkBytes], ['Reused', said.reusedBytes], ['Fetched again', said.refetchedBytes], ['Retries', said.retries]]) {
        same(fact, is.facts[fact] === undefined ? undefined : whole(is.facts[fact]), number);
      }
    }
    return found;
  }
}
