// Library, mirror, history, settings and system in every state that matters, light, dark and on a
// phone: axe finds nothing, nothing sticks out, the browser does not complain. On the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';

let browser;
let mock;
before(async () => {
  browser = await launch();
  mock = await startMock();
});
after(async () => {
  await browser?.close();
  await mock?.stop();
});

const visit = async (page, path, part) => {
  await page.goto(`${mock.url}/${path}`);
  await page.waitForSelector(part);
};

const PAGES = {
  library: (page) => visit(page, 'library', id('library-row')),
  'library-updates': async (page) => {
    await visit(page, 'library', id('library-row'));
    await page.click(id('library-check'));
    await page.locator('td.update', { hasText: /3/ }).first().waitFor();
  },
  'library-map': (page) => visit(page, 'library?view=map', `${id('library-treemap')} .cell`),
  'library-no-match': (page) => visit(page, 'library?q=nothing-like-this', id('library-no-match')),
  'library-repo': async (page) => {
    await visit(page, 'library/models/Qwen/Qwen3-32B-GGUF', id('cached-files'));
    await page.waitForSelector(id('variant-list'));
  },
  'library-gone': (page) => visit(page, 'library/models/no/such', id('library-gone')),
  'library-delete': async (page) => {
    await visit(page, 'library/datasets/allenai/c4', id('repo-delete'));
    await page.click(id('repo-delete'));
    await page.waitForSelector(id('delete-typed'));
  },
  'library-export': async (page) => {
    await visit(page, 'library/models/Qwen/Qwen3-32B-GGUF', id('repo-export'));
    await page.click(id('repo-export'));
    await page.fill(id('export-dest'), '/etc');
    await page.click(id('export-start'));
    await page.waitForSelector(id('export-refused'));
  },
  'library-clean': async (page) => {
    await visit(page, 'library/clean', id('clean-bar'));
    await page.locator(`${id('clean-orphans')} summary`).click();
  },
  'library-clean-revisions': async (page) => {
    await visit(page, 'library/clean/revisions', id('clean-revisions'));
    await page.locator(`${id('clean-revisions')} tbody input`).first().check();
  },
  'library-clean-unused': async (page) => {
    await visit(page, 'library/clean/unused', id('clean-unused'));
    await page.locator(`${id('clean-unused')} tbody input`).first().check();
  },
  'library-clean-duplicates': (page) => visit(page, 'library/clean/duplicates', id('twins')),
  'library-clean-none': async (page) => {
    await visit(page, 'library/clean/duplicates', id('twins'));
    await page.selectOption(id('twins-least'), { index: 3 });
    await page.waitForSelector(id('twins-none'));
  },
  'library-verify': async (page) => {
    await visit(page, 'library/verify', id('verify-start'));
    await page.click(id('verify-start'));
    await page.waitForSelector(id('verify-report'), { timeout: 10_000 });
  },
  'library-import': async (page) => {
    await visit(page, 'library/import', id('import-dir'));
    await page.fill(id('import-dir'), '/srv/models');
    await page.click(id('import-look'));
    await page.waitForSelector(id('import-answer'));
  },
  mirror: async (page) => {
    await visit(page, 'mirror', id('mirror-target'));
    await page.waitForSelector(id('mirror-runs'));
  },
  'mirror-behind': async (page) => {
    await visit(page, 'mirror/nas', id('diff-row'));
    await page.click('a.back');
    await page.locator(id('target-lag'), { hasText: /359[.,]7/ }).waitFor();
  },
  'mirror-add': async (page) => {
    await visit(page, 'mirror', id('mirror-target'));
    await page.click(id('mirror-add'));
    await page.fill(id('target-name'), 'no good');
    await page.waitForSelector(id('target-dialog'));
  },
  'mirror-schedule': async (page) => {
    await visit(page, 'mirror', id('mirror-target'));
    await page.locator(`${id('mirror-target')}[data-name="nas"] ${id('mirror-edit')}`).click();
    await page.waitForSelector(id('schedule-at'));
  },
  'mirror-compare': (page) => visit(page, 'mirror/nas', id('diff-row')),
  'mirror-push': async (page) => {
    await visit(page, 'mirror/nas', id('diff-row'));
    await page.click(id('compare-push'));
    await page.waitForSelector(id('sync-preview'));
    await page.click(id('sync-delete'));
    await page.waitForSelector(`${id('sync-dialog')} .warn`);
    await page.click(id('sync-start'));
    await page.waitForSelector(id('sync-typed'));
  },
  'history-chart': async (page) => {
    await visit(page, 'history', id('history-row'));
    await page.waitForSelector(id('history-chart'));
    await page.click(id('history-verify'));
    await page.waitForSelector(id('history-chain'));
  },
  'history-details': async (page) => {
    await visit(page, 'history?status=completed&range=7d', id('history-row'));
    await page.locator(`${id('history-row')} button[aria-expanded]`).first().click();
    await page.waitForSelector(id('history-files'));
    await page.click(id('history-compare'));
    await page.waitForSelector(`${id('history-upstream')} [role="status"] > *`);
  },
  'settings-speed': (page) => visit(page, 'settings/speed', id('week-grid')),
  'settings-speed-refused': async (page) => {
    await visit(page, 'settings/speed', id('week-grid'));
    await page.fill(id('speed-normal'), 'fast!');
    await page.click(id('settings-save'));
    await page.waitForSelector(id('speed-refused'));
  },
  'settings-keys': async (page) => {
    await visit(page, 'settings/keys', id('key-table'));
    await page.fill(id('key-name'), 'laptop');
    await page.click(id('key-create'));
    await page.waitForSelector(id('key-secret'));
  },
  'settings-test': async (page) => {
    await visit(page, 'settings/hub', id('hub-test'));
    await page.click(id('hub-test'));
    await page.waitForSelector(id('hub-test-answer'));
  },
  'settings-search': (page) => visit(page, 'settings?q=connection', id('setting-connections')),
  system: async (page) => {
    await visit(page, 'system', id('system-volume'));
    await page.waitForSelector(id('system-health'));
    await page.waitForSelector(id('system-budget'));
  },
  'system-log': async (page) => {
    await visit(page, 'system/log', id('log-line'));
    await page.waitForSelector('[data-state="live"]');
  },
  'system-log-empty': (page) => visit(page, 'system/log?q=nothing-like-this', id('log-empty')),
  'system-tasks': (page) => visit(page, 'system/tasks', id('task-row')),
  'system-backups': (page) => visit(page, 'system/backups', id('backup-row')),
  'system-about': (page) => visit(page, 'system/about', id('system-path-hub')),
};
// Refusals that a test brings about are written into the console by the browser itself.
const tolerate = [/Failed to load resource: .*(400|404)/];
const DIALOGS = ['library-delete', 'library-export', 'mirror-add', 'mirror-push'];

for (const [look, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { phone: true } })) {
  for (const [name, go] of Object.entries(PAGES)) {
    test(`${name} is sound in ${look}`, async () => {
      const page = await open(browser, mock.url, { ...options, tolerate });
      await go(page);
      await shoot(page, `${name}-${look}`, !DIALOGS.includes(name));
      await inspect(page, `${name} (${look})`);
      await close(page);
    });
  }
}

test('the narrowest screen and German words have room here too', async () => {
  const page = await open(browser, mock.url, { viewport: { width: 320, height: 640 }, locale: 'de-DE', tolerate });
  for (const [name, go] of Object.entries(PAGES)) {
    await go(page);
    await inspect(page, `${name} (320 px, German)`);
    if (['library', 'mirror-behind', 'settings-speed', 'history-chart', 'system'].includes(name)) await shoot(page, `${name}-german-320`);
    await page.evaluate(() => { globalThis.onbeforeunload = null; });
  }
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  await close(page);
});
