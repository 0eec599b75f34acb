// Runs the browser tests. Those against the real service need a binary: HFDEPOT_BIN, or the release build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { BINARY } from './service.mjs';

if (!existsSync(new URL('../../dist/index.html', import.meta.url))) {
  console.error('e2e: web/dist is missing; npm run build makes it');
  process.exit(1);
}
const files = ['tests/e2e/pages.test.mjs', 'tests/e2e/queue.test.mjs', 'tests/e2e/files.test.mjs', 'tests/e2e/browse.test.mjs', 'tests/e2e/places.test.mjs', 'tests/e2e/deeds.test.mjs', 'tests/e2e/system.test.mjs'];
if (existsSync(BINARY)) files.push(...['journey', 'ways', 'depot', 'care', 'self', 'sharing', 'truth', 'idle'].map((name) => `tests/e2e/${name}.test.mjs`));
else if (process.env.HFDEPOT_BIN !== undefined) throw new Error(`HFDEPOT_BIN names no file: ${BINARY}`);
else console.error(`e2e: no ${BINARY}, so only the pages are tested, on the mock; cargo build --release makes it`);

const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
