// A browser whose every complaint fails the test: errors in the console, requests to elsewhere,
// breaches of the Content-Security-Policy, exceptions.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = new URL('../screenshots/', import.meta.url).pathname;

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A page and the list of its complaints. `tolerate` = patterns of console texts that the test brings about. */
export async function open(browser, origin, { phone = false, dark = false, tolerate = [], ...more } = {}) {
  const context = await browser.newContext({
    viewport: phone ? { width: 360, height: 740 } : { width: 1440, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: phone, locale: 'en-GB', reducedMotion: 'reduce', ...more,
  });
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => {
    if (!tolerate.some((pattern) => pattern.test(text))) complaints.push(text);
  };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complain(`exception: ${error.stack}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:')) complain(`request to elsewhere: ${url}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
    });
  });
  page.complaints = complaints;
  return page;
}

/** Ends a page; it must have had nothing to complain about. */
export async function close(page) {
  const found = page.complaints.slice();
  await page.context().close();
  assert.deepEqual(found, []);
}

/** No serious finding of axe, and nothing wider than the window. */
export async function inspect(page, what) {
  const size = page.viewportSize();
  // A window as tall as the page: what sticks to its edges must not count as lying over the rest.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...size, height: Math.max(size.height, Math.min(height, 4000)) });
  // By the debugger, which the policy of the page does not bind.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return result.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical' || impact === 'moderate')
      .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 4) }));
  });
  assert.deepEqual(found, [], `axe on ${what}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  // On a wide screen no table hides a part of itself behind a scroll bar.
  const hidden = size.width < 1280 ? [] : await page.evaluate(() => [...document.querySelectorAll('.card, .frame')]
    .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1).map((one) => `${one.className} of ${one.closest('[data-testid]')?.dataset.testid ?? one.textContent.slice(0, 40)}: ${one.scrollWidth} > ${one.clientWidth}`));
  await page.setViewportSize(size);
  assert.deepEqual(hidden, [], `${what} hides a part of a table`);
  assert.ok(over <= 0, `${what} is ${over} px wider than the window`);
}

export async function shoot(page, name, full = true) {
  mkdirSync(SHOTS, { recursive: true });
  const size = page.viewportSize();
  if (full) {
    // A window as tall as the page: what sticks to its edges then lies where it belongs.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...size, height: Math.max(size.height, Math.min(height, 4000)) });
  }
  await page.screenshot({ path: `${SHOTS}${name}.png` });
  await page.setViewportSize(size);
}

export const id = (name) => `[data-testid="${name}"]`;
