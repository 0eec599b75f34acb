// Writes down what the API says and what pages show, both with the time, and finds where they differ.
const ASK_EVERY_MS = 100;
const LOOK_EVERY_MS = 250;

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
  return {
    connection: document.querySelector('[data-testid="shell-connection"]')?.getAttribute('data-kind'),
    rows: all('queue-row').map((row) => ({ id: row.dataset.job, ...numbers(row), files: row.querySelector('td.files')?.innerText ?? null })),
    tabs: Object.fromEntries(['all', 'running', 'queued', 'paused', 'failed', 'completed'].map((name) => [name, document.querySelector(`[data-testid="queue-tab-${name}"] .count`)?.textContent ?? null])),
    badge: text(document, 'nav-queue-count'),
    job: main.querySelector('.facts') === null ? null : {
      ...numbers(main), facts: Object.fromEntries([...main.querySelectorAll('.facts > div')].map((fact) => [fact.querySelector('dt').innerText, fact.querySelector('dd').title || fact.querySelector('dd').innerText])),
    },
    history: all('history-row').map((row) => ({ seq: Number(row.dataset.seq), status: row.dataset.status, network: title(row, 'history-network') })),
    library: all('library-row').map((row) => ({ repo: row.dataset.repo, size: row.querySelector('.size').title, files: row.querySelector('.files').innerText, complete: row.querySelector('.complete').innerText })),
    empty: document.querySelector('[data-testid$="-empty"]') !== null,
  };
}

const exact = (bytes) => `${bytes.toLocaleString('en-GB')} bytes`;
const whole = (text) => Number(text.replaceAll(/\D/g, ''));
const SHOWS = {
  queued: ['queued', 'waiting'], running: ['resolving', 'downloading', 'stalled', 'verifying', 'publishing'], paused: ['paused'],
  completed: ['done', 'doneSize'], failed: ['failed'], cancelled: ['cancelled'],
};
const UNITS = { 'B/s': 1, 'KiB/s': 2 ** 10, 'MiB/s': 2 ** 20, 'GiB/s': 2 ** 30 };
function speedOf(text) {
  const [, number, unit] = /([\d.,]+)\s+(\w*B\/s)/.exec(text) ?? [];
  return number === undefined ? null : Number(number.replaceAll(',', '')) * UNITS[unit];
}

export class Witness {
  #service;
  #said = [];
  #seen = [];
  #outages = [];
  /** Changes of state that came and went between two questions. */
  #events = new Map();
  #going = true;

  constructor(service) {
    this.#service = service;
  }

  /** Writes down from now on; the answer ends it. */
  start(pages) {
    const loop = async (every, step) => {
      while (this.#going) {
        await step();
        await new Promise((done) => setTimeout(done, every));
      }
    };
    const asking = loop(ASK_EVERY_MS, async () => {
      const from = Date.now();
      try {
        const [{ jobs }, { entries }, { repos }] = await Promise.all(['jobs?kind=all', 'history?limit=50', 'cache'].map((path) => this.#service.api(path)));
        this.#said.push({ from, to: Date.now(), jobs: new Map(jobs.map((job) => [job.id, job])), history: entries, library: repos });
      } catch {
        // Down, and meant to be.
      }
    });
    const looking = Object.entries(pages).map(([name, page]) => loop(LOOK_EVERY_MS, async () => {
      const from = Date.now();
      const shown = await page.evaluate(picture);
      this.#seen.push({ name, from, to: Date.now(), shown });
    }));
    return async () => {
      this.#going = false;
      await Promise.all([asking, ...looking]);
      for (const key of new Set(this.#said.flatMap(({ jobs }) => [...jobs.keys()]))) await this.remember(key);
    };
  }

  /** Keeps what happened to a job, before it leaves the list. */
  async remember(key) {
    const { events } = await this.#service.api(`jobs/${key}/events?limit=1000`);
    if (events !== undefined) this.#events.set(key, events.map(({ at, toStatus }) => ({ at: Date.parse(at), status: toStatus })));
  }

  /** Waits until every page was looked at so many times more. */
  async see(times) {
    const count = () => Math.min(...[...new Set(this.#seen.map(({ name }) => name))].map((name) => this.#seen.filter((one) => one.name === name).length));
    const goal = count() + times;
    while (count() < goal) await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }

  down() {
    this.#outages.push({ from: Date.now(), to: Infinity });
  }

  up() {
    this.#outages.at(-1).to = Date.now();
  }

  /** Compares; `late` = how old something may be, in ms, by where it comes from. */
  judge(late) {
    const contradictions = [];
    const judged = {};
    const statuses = new Set();
    for (const { name, from, to, shown } of this.#seen) {
      const bad = (what, is, said) => contradictions.push(`${name} at +${from - this.#seen[0].from} ms: ${what} shows ${JSON.stringify(is)}, the API said ${JSON.stringify(said)}`);
      // Nobody knows yet what was said so long before.
      if (this.#said[0].to > from - late.feed) continue;
      judged[name] = (judged[name] ?? 0) + 1;
      const out = this.#outages.find((outage) => from > outage.from && from < outage.to);
      if (out !== undefined && from > out.from + late.broken && ['live', 'polling'].includes(shown.connection)) bad('the connection', shown.connection, 'nothing');
      /** What was said from so long before until the picture was taken, with the last word before and the first one after. */
      const window = (ms) => {
        // While nothing answers, what is shown is as old as the last answer, and says so.
        const begin = (out?.from ?? from) - ms;
        const last = this.#said.findLastIndex((one) => one.to <= begin);
        const next = this.#said.findIndex((one) => one.from > to);
        return this.#said.slice(Math.max(0, last), next < 0 ? undefined : next + 1);
      };
      const old = shown.connection === 'offline';
      // Before the connection says that it is back, or gone, its pictures are judged as old ones are.
      const recent = window(late.feed + (shown.connection === 'live' ? 0 : 6000));
      const job = (of, is) => this.#compareJob({ of, is, recent, old, bad, statuses });
      if (name === 'queue') {
        for (const row of shown.rows) job(row.id, row);
        const lasting = [...recent[0].jobs.keys()].filter((key) => recent.every((one) => one.jobs.has(key)));
        for (const key of lasting) if (!shown.rows.some((row) => row.id === key)) bad('the list', 'no such row', key);
        this.#between(bad, 'tab all', shown.tabs.all, recent.map(({ jobs }) => jobs.size));
        for (const status of ['running', 'queued', 'paused', 'failed', 'completed']) {
          this.#between(bad, `tab ${status}`, shown.tabs[status], recent.map(({ jobs }) => [...jobs.values()].filter((one) => one.status === status).length));
        }
        this.#between(bad, 'badge', shown.badge?.split('\n')[0] ?? '0', recent.map(({ jobs }) => [...jobs.values()].filter((one) => ['running', 'queued'].includes(one.status)).length));
      } else if (name === 'job' && shown.job !== null) {
        const [key] = recent[0].jobs.keys();
        job(shown.job.facts['Job'] ?? key, shown.job);
      }
      if (old || shown.connection !== 'live') continue;
      const lists = window(late.list);
      if (name === 'history') this.#compareList(shown.history, lists.map(({ history }) => history), 'history', bad, (one, entry) => one.seq === entry.seq, (one, entry) => one.status === entry.status && one.network === exact(entry.networkBytes));
      if (name === 'library') this.#compareList(shown.library, lists.map(({ library }) => library), 'library', bad, (one, repo) => one.repo === repo.repo, (one, repo) => one.size === exact(repo.size) && whole(one.files) === repo.fileCount);
    }
    return { contradictions, judged, statuses };
  }

  #compareJob({ of, is, recent, old, bad, statuses }) {
    const said = recent.flatMap(({ jobs }) => jobs.get(of) ?? []);
    if (said.length === 0) return recent.length === 0 ? undefined : bad(`the row of ${of}`, is.state, 'no such job');
    const range = (pick) => [Math.min(...said.map(pick)), Math.max(...said.map(pick))];
    const between = (this.#events.get(of) ?? []).filter(({ at, status }) => status !== null && at >= recent[0].from && at <= recent.at(-1).to);
    const words = [...new Set([...said, ...between].map(({ status }) => status))];
    if (!words.some((status) => SHOWS[status].includes(is.state))) bad(`the state of ${said[0].repo}`, is.state, words);
    words.forEach((status) => statuses.add(status));
    if (is.bytes !== null) {
      const [done, total] = is.bytes.split('/').map(whole);
      const [least, most] = range(({ progress }) => progress.downloadedBytes);
      if (done < least || done > most) bad(`the bytes of ${said[0].repo}`, done, [least, most]);
      if (!said.some(({ progress }) => progress.totalBytes === total)) bad(`the size of ${said[0].repo}`, total, said[0].progress.totalBytes);
      const finished = ['done', 'doneSize'].includes(is.state);
      if (whole(is.percent) !== (finished ? 100 : Math.min(99, Math.floor((done / total) * 100)))) bad(`the percent of ${said[0].repo}`, is.percent, is.bytes);
    }
    if (is.speed !== null) {
      const speed = speedOf(is.speed);
      const [least, most] = range(({ progress }) => progress.bytesPerSecond);
      const running = SHOWS.running.includes(is.state);
      if (old && running && is.speed !== '—') bad(`the speed of ${said[0].repo}`, is.speed, 'nothing');
      // An average that moves between two questions; a mean is marked as one.
      if (running && !old && speed !== null && speed > 0 && (speed < least * 0.7 || speed > most * 1.3)) bad(`the speed of ${said[0].repo}`, is.speed, [least, most]);
      if (!running && speed !== null && !is.speed.includes('⌀')) bad(`the speed of ${said[0].repo}`, is.speed, is.state);
    }
    if (is.files) {
      const [done, total] = is.files.split('/').map(whole);
      this.#between(bad, `the files of ${said[0].repo}`, done, said.map(({ progress }) => progress.completedFiles));
      this.#between(bad, `the number of files of ${said[0].repo}`, total, said.map(({ progress }) => progress.totalFiles));
    }
    if (is.facts !== undefined) {
      for (const [fact, pick] of [['From the network', 'networkBytes'], ['Reused', 'reusedBytes'], ['Fetched again', 'refetchedBytes'], ['Retries', 'retries']]) {
        if (is.facts[fact] === undefined) bad('the facts', Object.keys(is.facts), fact);
        else this.#between(bad, `${fact} of ${said[0].repo}`, whole(is.facts[fact]), said.map((one) => one[pick]));
      }
    }
  }

  #between(bad, what, is, numbers) {
    if (is === null || numbers.length === 0) return;
    if (Number(is) < Math.min(...numbers) || Number(is) > Math.max(...numbers)) bad(what, is, numbers.at(-1));
  }

  /** What was always told must be shown; what is shown must have been told, just so. */
  #compareList(shown, lists, what, bad, same, equal) {
    if (lists.length === 0) return;
    for (const entry of lists[0]) {
      if (lists.every((list) => list.some((one) => JSON.stringify(one) === JSON.stringify(entry))) && !shown.some((one) => same(one, entry))) bad(what, 'nothing', entry);
    }
    for (const one of shown) {
      const told = lists.flatMap((list) => list.filter((entry) => same(one, entry)));
      if (!told.some((entry) => equal(one, entry))) bad(what, one, told.at(-1) ?? 'no such entry');
    }
  }
}
