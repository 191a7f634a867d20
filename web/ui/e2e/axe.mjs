// Walks every page of a running box at two widths, in light and dark, and runs axe-core on each; takes a
// picture of each for the eye. Not a test of what pages do: that is `player.mjs` and the daemon's tests. What only a
// fresh box shows, the set-up wizard and the empty library, is looked at in `pages.mjs`.
//
//   BASE=http://127.0.0.1:8080 NAME=admin PASSWORD=… [SHOTS=folder] [ONLY=who,edit] [FAST=1] node e2e/axe.mjs
//
// The person should be admin and instructor. Pages about a video take the first in the library that plays.
// Exit 1 on any violation, 2 on a page that did not come.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';

import { violationsOf } from './lib/axe.mjs';

const { BASE = 'http://127.0.0.1:8080', NAME, PASSWORD, SHOTS, ONLY, FAST, RTL } = process.env;
if (!NAME || !PASSWORD) {
  console.error('Set NAME and PASSWORD of a person who is admin and instructor (and BASE).');
  process.exit(2);
}

const WIDTHS = [360, 1280];
const SCHEMES = FAST ? ['light'] : ['light', 'dark'];
const PATIENCE_MS = 15_000;

if (SHOTS) await mkdir(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

/** Opens a dialog by its button's accessible name. */
const press = (name) => async (page) => {
  const button = page.getByRole('button', { name }).first();
  if (await button.count()) await button.click();
};

/** Opens a menu of the player, where the width and the video have it. */
const menu = (name) => async (page) => {
  await page.locator('section[data-state="ready"]').waitFor({ timeout: PATIENCE_MS });
  await press(name)(page);
};

/** Signs in with a password that is not the right one. */
async function mistake(page) {
  await page.locator('input[name=username]').fill(NAME);
  await page.locator('input[name=password]').fill('not this one');
  await page.locator('form button.primary').click();
  await page.getByRole('alert').waitFor({ timeout: PATIENCE_MS });
}

function pages(video, me) {
  const list = [
    { name: 'library', path: '/' },
    { name: 'library-nothing', path: '/?q=zzzz-no-such-title' },
    { name: 'upload', path: '/upload' },
    { name: 'people', path: '/people' },
    { name: 'people-add', path: '/people', then: press('Add a person') },
    { name: 'people-import', path: '/people', then: press('Import a list') },
    { name: 'people-change', path: '/people', then: press(/^Change /u) },
    { name: 'people-erase', path: `/people/${me}/erase` },
    { name: 'record', path: '/record' },
    { name: 'record-of', path: `/people/${me}/record` },
    { name: 'statements', path: '/statements' },
    {
      name: 'statements-more',
      path: '/statements',
      then: (page) => page.locator('main summary').first().click(),
    },
    { name: 'statements-one', path: '/statements', then: press(/^Details/u) },
    { name: 'statements-none', path: '/statements?verb=https://nobody.example/did' },
    { name: 'system', path: '/system' },
    { name: 'upstreams', path: '/system/upstreams' },
    { name: 'sources', path: '/system/sources' },
    { name: 'sources-add', path: '/system/sources', then: press('Add a source') },
    { name: 'upstreams-add', path: '/system/upstreams', then: press('Add an upstream') },
    { name: 'sources-file', path: '/system/sources', then: press('From a file…') },
    { name: 'credentials', path: '/system/credentials' },
    { name: 'credentials-add', path: '/system/credentials', then: press('Add a credential') },
    { name: 'settings', path: '/system/settings' },
    { name: 'speech', path: '/system/speech' },
    { name: 'chips', path: '/system/chips' },
    { name: 'audit', path: '/system/audit' },
    { name: 'evidence', path: '/system/evidence' },
    { name: 'definitions', path: '/definitions' },
    { name: 'trust', path: '/trust' },
    { name: 'account', path: '/account' },
    { name: 'missing', path: '/no/such/page' },
    { name: 'gone', path: '/watch/00000000-0000-7000-8000-000000000000' },
  ];
  if (video) {
    list.push(
      { name: 'watch', path: `/watch/${video}` },
      { name: 'watch-captions', path: `/watch/${video}`, then: menu(/^CC: /u) },
      { name: 'watch-speed', path: `/watch/${video}`, then: menu(/^Speed /u) },
      { name: 'watch-quality', path: `/watch/${video}`, then: menu(/^Quality /u) },
      { name: 'watch-more', path: `/watch/${video}`, then: menu('More controls') },
      { name: 'edit', path: `/videos/${video}/edit` },
      { name: 'captions', path: `/videos/${video}/captions/en` },
      { name: 'descriptions-none', path: `/videos/${video}/descriptions/en` },
      { name: 'captions-none', path: `/videos/${video}/captions/zu` },
      {
        name: 'edit-report',
        path: `/videos/${video}/edit`,
        then: (page) => page.locator('summary').first().click(),
      },
      { name: 'edit-delete', path: `/videos/${video}/edit`, then: press(/^Delete video/u) },
      { name: 'who', path: `/videos/${video}/who` },
    );
  }
  const only = ONLY?.split(',');
  return only ? list.filter((page) => only.includes(page.name)) : list;
}

/** Loaded, drawn, and no longer saying that it loads. */
async function settled(page) {
  await page.waitForSelector('main h1', { timeout: PATIENCE_MS });
  await page
    .waitForFunction(() => !document.querySelector('main .wait, main .ghost'), null, {
      timeout: PATIENCE_MS,
    })
    .catch(() => undefined);
  await page.waitForTimeout(300);
}

/** No sideways scrolling at 320 px (which is also 1280 px at 400 %), nor from right to left. */
async function reflow(page) {
  const size = page.viewportSize();
  const found = [];
  const measure = async (where) => {
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (wide > 0) found.push({ rule: 'reflow', help: `${wide} px too wide ${where}`, nodes: [] });
  };
  await measure(`at ${size.width} px`);
  if (size.width < 600) {
    await page.setViewportSize({ ...size, width: 320 });
    await measure('at 320 px');
    await page.evaluate(() => (document.documentElement.dir = 'rtl'));
    if (SHOTS && RTL) await page.screenshot({ path: join(SHOTS, `rtl-${Date.now()}.png`) });
    await measure('from right to left');
    await page.evaluate(() => (document.documentElement.dir = 'ltr'));
    await page.setViewportSize(size);
  }
  return found;
}

let violations = 0;
let missing = 0;

async function look(page, name) {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  const found = [...(await violationsOf(page)), ...(await reflow(page))];
  violations += found.length;
  console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  for (const one of found) {
    console.log(`     ${one.rule}: ${one.help}`);
    for (const node of one.nodes) console.log(`       ${node.replaceAll('\n', ' ')}`);
  }
}

async function visit(page, base, { name, path, then }, suffix) {
  try {
    await page.goto(base + path, { waitUntil: 'load' });
    await settled(page);
    if (then) {
      await then(page);
      await page.waitForTimeout(200);
    }
    await look(page, `${name}-${suffix}`);
  } catch (error) {
    missing += 1;
    console.log(`GONE ${name}-${suffix}: ${String(error).split('\n')[0]}`);
  }
}

for (const colorScheme of SCHEMES) {
  for (const width of WIDTHS) {
    const suffix = `${width}-${colorScheme}`;
    const context = await browser.newContext({
      viewport: { width, height: width < 600 ? 780 : 860 },
      colorScheme,
      reducedMotion: 'reduce',
      bypassCSP: false,
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      violations += 1;
      console.log(`FAIL ${suffix}: script error: ${error.message}`);
    });
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/u.test(message.text())) {
        violations += 1;
        console.log(`FAIL ${suffix}: ${message.text()}`);
      }
    });
    if (!ONLY || ONLY.split(',').includes('signin')) {
      await visit(page, BASE, { name: 'signin', path: '/signin' }, suffix);
      await visit(page, BASE, { name: 'signin-wrong', path: '/signin', then: mistake }, suffix);
      await visit(page, BASE, { name: 'setup', path: '/setup#token' }, suffix);
    }
    await page.goto(`${BASE}/signin`);
    await settled(page);
    if ((await page.locator('input[name=username]').count()) === 0) {
      console.log('     nobody can sign in here yet: only the public pages were looked at');
      await context.close();
      continue;
    }
    await page.locator('input[name=username]').fill(NAME);
    await page.locator('input[name=password]').fill(PASSWORD);
    await page.locator('form button.primary').click();
    await page.waitForURL((url) => !url.pathname.startsWith('/signin'), { timeout: PATIENCE_MS });
    const me = await page.evaluate(async () => (await (await fetch('/api/v1/session')).json()).id);
    const video = await page.evaluate(async () => {
      const answer = await fetch('/api/v1/videos?limit=50');
      const { items } = await answer.json();
      const plays = (one) => one.state === 'ready' || one.state === 'playable';
      return (items.find((one) => plays(one) && one.version > 1) ?? items.find(plays))?.id ?? null;
    });
    if (!video) console.log('     no video plays here: pages about a video are left out');
    for (const one of pages(video, me)) await visit(page, BASE, one, suffix);
    await context.close();
  }
}

await browser.close();
console.log(`${violations} violations, ${missing} pages that did not come`);
process.exit(missing > 0 ? 2 : violations > 0 ? 1 : 0);
