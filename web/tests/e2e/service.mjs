// The real service and the stand-in Hub, on free ports in a directory of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = new URL('../../../', import.meta.url).pathname;
export const BINARY = process.env.HFDEPOT_BIN ?? join(ROOT, 'target/release/hfdepot');
const HUB = process.env.HFDEPOT_HUB_BIN;
const PATIENCE_MS = 30_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until `check` is content. */
export async function until(what, check) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await Promise.resolve().then(check).catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function run(command, args, env = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: process.env.HOME, CARGO_HOME: process.env.CARGO_HOME, RUSTUP_HOME: process.env.RUSTUP_HOME, ...env } });
  child.output = '';
  child.on('error', (error) => { child.output += error; });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { child.output = (child.output + text).slice(-20_000); });
  return child;
}

async function end(child, signal) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

/** A Hub with `repos` (`owner/name` → file → bytes or Buffer), at most `rate` a second; and the service before it, with more flags and variables. */
export async function startService(repos, rate, { flags = [], env = {} } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'hfdepot-web-'));
  for (const [repo, files] of Object.entries(repos)) {
    await mkdir(join(directory, 'hub', repo), { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, 'hub', repo, name), content);
  }
  const [hubPort, cdnPort, port] = [await freePort(), await freePort(), await freePort()];
  const words = [join(directory, 'hub'), '--port', `${hubPort}`, '--cdn-port', `${cdnPort}`, '--rate', rate];
  const hub = HUB === undefined
    ? run('cargo', ['run', '--quiet', '--locked', '--manifest-path', join(ROOT, 'Cargo.toml'), '--example', 'hub', '--', ...words])
    : run(HUB, words);
  const url = `http://127.0.0.1:${port}`;
  let child;

  const service = {
    url,
    async api(path, init) {
      const response = await fetch(`${url}/api/${path}`, init);
      return response.json();
    },
    async start() {
      child = run(BINARY, ['serve', '--port', `${port}`, '--data-dir', join(directory, 'data'), '--cache-dir', join(directory, 'cache'),
        '--endpoint', `http://127.0.0.1:${hubPort}`, '--max-connections', '12', ...flags], env);
      await until('the service starts', async () => {
        if (child.exitCode !== null) throw new Error(child.output);
        return (await fetch(`${url}/readyz`)).ok;
      }).catch((error) => { throw new Error(`${error.message}\n${child.output}`); });
    },
    /** Tells the stand-in Hub to misbehave, or to stop that. */
    async hub(call, body, method = 'POST') {
      const answer = await fetch(`http://127.0.0.1:${hubPort}/__stand-in/${call}`, { method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
      if (!answer.ok) throw new Error(`the stand-in Hub refused ${call}: ${await answer.text()}`);
    },
    directory,
    /** Ends it as a power cut would: nothing is written any more. */
    kill: () => end(child, 'SIGKILL'),
    async stop() {
      if (child !== undefined) await end(child, 'SIGKILL');
      await end(hub, 'SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
  // The first run of the example may have to build it.
  const giveUp = Date.now() + (HUB === undefined ? 600_000 : PATIENCE_MS);
  // It listens before it knows its repos, and says when it does.
  while (!hub.output.includes('Ctrl-C')) {
    if (hub.exitCode !== null || Date.now() > giveUp) {
      await service.stop();
      throw new Error(`the stand-in Hub did not start\n${hub.output}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  try {
    await service.start();
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}
