// Drives the pages as people do, on a fresh box: set-up wizard, sample lecture, upload, captions, access,
// people, credentials, sign-out. The player has its own (`player.mjs`), looks and access theirs (`axe.mjs`), but for
// what only a fresh box shows.
//
//   SETUP='http://127.0.0.1:8080/setup#TOKEN' FILM=film.mp4 [SHOTS=folder] [NO_SAMPLE=1] node e2e/pages.mjs
//
// Ends with an admin `ada` whose password is `three quiet words`. Exit 1 at the first step that fails.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';

import { violationsOf } from './lib/axe.mjs';
import { lay } from './lib/wire.mjs';

const { SETUP, FILM, SHOTS } = process.env;
if (!SETUP || !FILM) {
  console.error("Set SETUP (the box's set-up link) and FILM (a video file).");
  process.exit(2);
}
const wire = await lay(new URL(SETUP));
const BASE = wire.origin;
const PASSWORD = 'three quiet words';
if (SHOTS) await mkdir(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const errors = [];
page.on('pageerror', (error) => errors.push(error.message));

let steps = 0;
async function step(name, work) {
  steps += 1;
  try {
    await work();
    assert.deepEqual(errors, [], 'a script failed on the page');
    console.log(`ok   ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}\n${error.stack ?? error}`);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'failed.png'), fullPage: true });
    await browser.close();
    wire.close();
    process.exit(1);
  }
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${steps}.png`), fullPage: true });
}

const button = (name) => page.getByRole('button', { name });
const link = (name) => page.getByRole('link', { name });
const label = (name) => page.getByLabel(name, { exact: true });
const heading = (name) => page.getByRole('heading', { level: 1, name });
const accessible = async (what) => {
  // A busy machine may still be loading the page's chunk.
  await page.locator('main h1').first().waitFor();
  assert.deepEqual(await violationsOf(page), [], what);
};
const focused = () => page.evaluate(() => document.activeElement?.tagName);
const saved = async (file, text) => {
  const path = join(tmpdir(), `lectern-${process.pid}-${file}`);
  await writeFile(path, text);
  return path;
};

await step('the wizard refuses what cannot be, and makes the first admin', async () => {
  await page.goto(BASE + new URL(SETUP).pathname + new URL(SETUP).hash);
  await accessible('the first step');
  await button('Next').click();
  await page.getByText('Choose a name without spaces.').first().waitFor();
  await accessible('the first step with mistakes');
  await page.getByLabel('Your name').fill('Ada Obi');
  await label('Sign-in name').fill('ada');
  await label('Password').fill(PASSWORD);
  await button('Next').click();
  await page.getByLabel('Site name').fill('North School');
  await accessible('the second step');
  await button('Next').click();
  await page.getByText('it is fixed').first().waitFor();
  await accessible('the third step');
  await button('Finish').click();
  await page.getByText('The box is yours').first().waitFor();
  await button('Go to the library').click();
  await heading('Library').waitFor();
  await page.getByText('No lectures yet').first().waitFor();
  await accessible('the empty library');
});

await step('a page begins at its heading, by keyboard as by mouse', async () => {
  await link('People').press('Enter');
  await heading('People').waitFor();
  assert.equal(await focused(), 'H1');
  assert.match(await page.title(), /^People · North School$/u);
  await page.goBack();
  await heading('Library').waitFor();
});

await step('the empty library adds the sample lecture', async () => {
  if (process.env.NO_SAMPLE) return;
  await button('Add the sample lecture').click();
  await page.getByText('The sample lecture is being prepared').first().waitFor();
  await page.locator('article, li.card').first().waitFor();
});

let video = '';
await step('an upload shows its progress and becomes a video that plays', async () => {
  await link('Upload video').first().click();
  await page.locator('input[type=file]').setInputFiles(FILM);
  await link(/^Open: /u).click({ timeout: 60_000 });
  video = new URL(page.url()).pathname.split('/').pop();
  await page.locator('video').waitFor({ timeout: 120_000 });
});

await step('an empty file is refused before anything is sent', async () => {
  await page.goto(`${BASE}/upload`);
  await page.locator('input[type=file]').setInputFiles(await saved('nothing.mp4', ''));
  await page.getByText('This file is empty').first().waitFor();
});

await step('a file that is no video fails with a sentence', async () => {
  await page
    .locator('input[type=file]')
    .setInputFiles(await saved('noise.mp4', 'no video\n'.repeat(999)));
  await link(/^Open: .*noise/u).waitFor({ timeout: 60_000 });
  await page.goto(BASE);
  await page.getByText('could not be prepared').first().waitFor({ timeout: 240_000 });
});

await step('an upload outlives a lost network and a reload', async () => {
  const film = await saved(
    'long.mp4',
    Buffer.concat([await readFile(FILM), randomBytes(24 << 20)]),
  );
  const patches = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH' && request.url().includes('/uploads/')) {
      patches.push(Number(request.headers()['upload-offset']));
    }
  });
  const sending = page.locator('[role=progressbar]');
  const grown = (to) =>
    page.waitForFunction(
      (least) =>
        Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) >=
        least,
      to,
    );
  wire.rate = 3 << 20;
  await page.goto(`${BASE}/upload`);
  await page.locator('input[type=file]').setInputFiles(film);
  await grown(20);
  wire.cut();
  await page.getByText('the network is gone').first().waitFor({ timeout: 40_000 });
  wire.mend();
  await grown(70);
  assert.ok(patches.at(-1) > 0, 'it went on where it stopped');
  const before = patches.length;
  await page.reload();
  await page.getByText('it goes on where it stopped').first().waitFor();
  await page.locator('input[type=file]').setInputFiles(film);
  await sending.waitFor();
  await grown(75);
  // How much had really arrived is the kernel's to say: it buffers megabytes that look sent.
  assert.ok(patches.at(before) > 0, 'the reload began anew');
  wire.rate = Infinity;
  await link(/^Open: .*long/u).waitFor({ timeout: 60_000 });
});

await step('title and language are saved', async () => {
  await page.goto(`${BASE}/videos/${video}/edit`);
  await page.getByLabel('Title').fill('Heat and work');
  await page.getByLabel('Language spoken').selectOption('en');
  await button(/^Save$/u)
    .first()
    .click();
  await page.getByText('Saved').first().waitFor();
  await page.reload();
  await heading('Heat and work').waitFor();
});

await step('captions are added, broken ones refused, removed ones brought back', async () => {
  const vtt = 'WEBVTT\n\n00:00.000 --> 00:02.000\nSo far the gas only gets warmer.\n';
  await page.getByLabel('Language of the captions').selectOption('en');
  const file = page.locator('#captions-new');
  await file.setInputFiles(await saved('broken.vtt', 'no captions at all'));
  await page.getByRole('alert').waitFor();
  await file.setInputFiles(await saved('good.vtt', vtt));
  await page.getByText('Captions in English are saved.').first().waitFor();
  await button('Remove captions in English').click();
  await page.getByText('Captions in English are removed.').first().waitFor();
  await button('Undo').click();
  await button('Remove captions in English').waitFor();
});

await step('people are added, imported with the bad lines named, and blocked', async () => {
  await link('People').first().click();
  await button('Add a person').first().click();
  await page.getByRole('dialog').getByLabel('Sign-in name').fill('jonas');
  await page.getByRole('dialog').getByLabel('First password', { exact: true }).fill(PASSWORD);
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /jonas/u }).waitFor();
  await button('Import a list').first().click();
  const csv = 'name,display_name,role\nmei,Mei-Ling Chou,learner\nbad name,Nobody,learner\n';
  await page
    .getByRole('dialog')
    .locator('input[type=file]')
    .setInputFiles(await saved('people.csv', csv));
  await page.getByText('1 person added').first().waitFor();
  await page
    .getByText(/^Line 3: /u)
    .first()
    .waitFor();
  await button('Close').first().click();
  await button('Change Mei-Ling Chou').click();
  await button('Block sign-in').click();
  await page.getByText('may not sign in').first().waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
});

await step('a video is shared with named people', async () => {
  await page.goto(`${BASE}/videos/${video}/edit`);
  await page.getByLabel('Named people').check();
  await page.getByLabel('Find people by name').fill('jon');
  await button(/^Add jonas/iu).click();
  await button(/^Save$/u)
    .nth(1)
    .click();
  await page.getByText('Saved').first().waitFor();
  await page.reload();
  await button(/^Remove jonas/iu).waitFor();
});

await step('a credential shows its secret once', async () => {
  await page.goto(`${BASE}/system/credentials`);
  await button('Add a credential').click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Dashboard');
  await button('Make the credential').click();
  const secret = await page.getByLabel('Secret', { exact: true }).inputValue();
  assert.ok(secret.length >= 16);
  await button('I have copied it').click();
  await page.getByRole('row', { name: /Dashboard/u }).waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
});

await step('an upstream that is not there says so when it is tested', async () => {
  await page.goto(`${BASE}/system/upstreams`);
  await button('Add an upstream').click();
  const form = page.getByRole('dialog');
  // Sent too early: one is brought to what is wrong, also where that lies in a closed block.
  const add = form.getByRole('button', { name: 'Add', exact: true });
  await add.click();
  const name = form.getByLabel('Name', { exact: true });
  assert.ok(await name.evaluate((field) => field === document.activeElement));
  await name.fill('Nowhere');
  await form.getByLabel('Address of the LRS').fill('http://127.0.0.1:9/xapi');
  await form.getByLabel('Key', { exact: true }).fill('k');
  await form.getByLabel('Secret', { exact: true }).fill('s');
  await form.getByLabel('This address is in our own network').check();
  const identities = form.locator('details', { hasText: 'Whom it sees' });
  await identities.locator('summary').click();
  await form.getByLabel('People in the records').selectOption('map');
  await identities.locator('summary').click();
  await add.click();
  await identities.locator('textarea').waitFor({ state: 'visible' });
  await form.getByLabel('People in the records').selectOption('keep');
  await add.click();
  await button('Test: Nowhere').click();
  await page.getByRole('alert').waitFor({ timeout: 60_000 });
});

await step('a source is tried before it is added, and one that is not there says so', async () => {
  await page.goto(`${BASE}/system/sources`);
  await button('Add a source').click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name', { exact: true }).fill('Old store');
  await form.getByLabel('Address of the LRS').fill('http://127.0.0.1:9/xapi');
  await form.getByLabel('Key', { exact: true }).fill('k');
  await form.getByLabel('Secret', { exact: true }).fill('s');
  await form.getByLabel('This address is in our own network').check();
  await form.getByRole('button', { name: 'Test', exact: true }).click();
  await form.getByRole('alert').waitFor({ timeout: 60_000 });
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('not getting through').waitFor({ timeout: 60_000 });
  await accessible('sources');
  await button('Remove: Old store').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('No source yet').waitFor();
});

await step('statements come from a file, and a line that is none is named', async () => {
  await page.goto(`${BASE}/system/sources`);
  await button('From a file…').click();
  const dialog = page.getByRole('dialog');
  const statement = {
    id: '2f5d9f2a-7f0e-4a9c-8f0e-2d3c4b5a6978',
    actor: { account: { homePage: 'https://elsewhere.example', name: 'pia' } },
    verb: { id: 'http://adlnet.gov/expapi/verbs/attended' },
    object: { id: 'https://elsewhere.example/lecture' },
  };
  const file = (...lines) => ({
    name: 'old.ndjson',
    mimeType: '',
    buffer: Buffer.from(lines.join('\n')),
  });
  const choose = dialog.locator('input[type=file]');
  await choose.setInputFiles(file(JSON.stringify(statement), '{"actor":', ''));
  await dialog.getByText('1 statement stored, 0 statements here already.').waitFor();
  await dialog.getByText(/^Line 2: /u).waitFor();
  await accessible('statements from a file');
  await choose.setInputFiles(file(JSON.stringify(statement)));
  await dialog.getByText('0 statements stored, 1 statement here already.').waitFor();
  await choose.setInputFiles(file(''));
  await dialog.getByText('There is no statement in this file.').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
});

await step('the evidence is verified when it is asked for', async () => {
  await page.goto(`${BASE}/system`);
  await link('Evidence').click();
  await heading('Evidence').waitFor();
  await button('Verify now').click();
  await page.getByText('The chain is whole').first().waitFor();
  assert.match(
    await label('Fingerprint of the key (SHA-256)').inputValue(),
    /^(?:[0-9A-F]{2}:){31}/u,
  );
  await accessible('the evidence');
});

await step('what was watched reads as sentences, live, and everybody reads their own', async () => {
  await page.goto(`${BASE}/watch/${video}`);
  await button('Play').first().click();
  await page.waitForFunction(() => document.querySelector('video').currentTime > 1);
  await button('Pause').first().click();
  await page.goto(`${BASE}/statements`);
  const paused = page.getByText(/^Ada Obi\s+paused\s+“Heat and work”/u).first();
  await paused.waitFor();
  await accessible('statements');
  await button(/^Details: Ada Obi paused/u)
    .first()
    .click();
  await page.getByText('"verb"').first().waitFor();
  await button('Copy as curl').click();
  await page.getByText('Copied').first().waitFor();
  await page.getByLabel('What they did').selectOption('completed');
  await paused.waitFor({ state: 'detached' });
  await button('Clear all filters').click();
  await page.getByRole('searchbox', { name: 'Person' }).fill('ada');
  await button('Only Ada Obi').click();
  await link('The whole record of Ada Obi').click();
  await heading('Record of Ada Obi').waitFor();
  await page.goto(`${BASE}/statements?person=nobody`);
  await page.getByRole('alert').first().waitFor();

  // Somebody else's device tells more while the list is open.
  await page.goto(`${BASE}/statements`);
  await paused.waitFor();
  await page.evaluate(async (id) => {
    const { csrf } = await (await fetch('/api/v1/session')).json();
    const begun = await fetch(`/api/v1/videos/${id}/play`, {
      method: 'POST',
      headers: { 'X-CSRF-Token': csrf },
    });
    const { actor, activity_id, registration, xapi } = await begun.json();
    const statement = {
      actor,
      verb: { id: 'https://e2e.example/verbs/praised', display: { en: 'praised' } },
      object: { id: activity_id },
      context: { registration },
    };
    await fetch('/xapi/statements', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${xapi.token}`,
        'Content-Type': 'application/json',
        'X-Experience-API-Version': '2.0.0',
      },
      body: JSON.stringify(statement),
    });
  }, video);
  await page
    .getByText(/praised/u)
    .first()
    .waitFor();

  await link('My record').click();
  await heading('My record').waitFor();
  await page.getByRole('row', { name: /Heat and work/u }).waitFor();
  await accessible('my record');
  const saved = page.waitForEvent('download');
  await link('Download as CSV').click();
  const csv = await readFile(await (await saved).path(), 'utf8');
  assert.match(csv, /^\u{feff}stored,timestamp,/u);
  assert.match(csv, /praised/u);
});

await step('settings are kept', async () => {
  await page.goto(`${BASE}/system/settings`);
  await page.getByLabel('Share of the different seconds').fill('80');
  await button('Save').click();
  await page.getByText('Settings are saved.').first().waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('Share of the different seconds').inputValue(), '80');
});

await step(
  'a video waits for the hours that IT sets, and is prepared at once for who wants it',
  async () => {
    const hour = (ahead) => `${String((new Date().getHours() + ahead) % 24).padStart(2, '0')}:00`;
    await page.getByLabel('Videos are prepared').selectOption('between');
    await label('From').fill('');
    await button('Save').click();
    await page.getByText('Both times, and not the same.').first().waitFor();
    await label('From').fill(hour(3));
    await label('To').fill(hour(5));
    await accessible('the hours');
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'hours.png'), fullPage: true });
    await button('Save').click();
    await page.getByText('Settings are saved.').first().waitFor();
    // The box looks at its hours every five seconds.
    await page.waitForTimeout(6000);
    await page.goto(`${BASE}/videos/${video}/edit`);
    await page.locator('input[type=file]').first().setInputFiles(FILM);
    await page
      .getByText(`Videos are prepared from ${hour(3)} to ${hour(5)}`)
      .first()
      .waitFor();
    await page.getByText('It goes on').first().waitFor();
    await accessible('a version that waits');
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'waits.png'), fullPage: true });
    await page.goto(`${BASE}/system`);
    await page
      .getByText(`Videos are prepared from ${hour(3)} to ${hour(5)}`)
      .first()
      .waitFor();
    await page.goto(`${BASE}/videos/${video}/edit`);
    await button('Prepare it now').click();
    await button('Prepare it now').waitFor({ state: 'detached' });
    await page.getByText('ready', { exact: true }).nth(1).waitFor({ timeout: 120_000 });
    await page.goto(`${BASE}/system/settings`);
    await page.getByLabel('Videos are prepared').selectOption('always');
    await button('Save').click();
    await page.getByText('Settings are saved.').first().waitFor();
  },
);

await step(
  'IT reads of each way to a chip what it offers or why not, and has all tried again',
  async () => {
    await page.goto(`${BASE}/system/chips`);
    await page.getByText(/^Tried /u).waitFor();
    for (const way of ['NVIDIA', 'Intel Quick Sync', 'VA-API', 'V4L2']) {
      const section = page.locator('section', { has: page.getByRole('heading', { name: way }) });
      assert.ok((await section.locator('p, li').count()) > 0, way);
    }
    const [answer] = await Promise.all([
      page.waitForResponse(
        (one) => one.request().method() === 'POST' && one.url().endsWith('/chips'),
      ),
      button('Try again').click(),
    ]);
    assert.equal(answer.status(), 202);
    await page.getByText(/^Tried .*(second|now)/u).waitFor();
  },
);

await step(
  'signing out closes every page but the door, and signing in comes back to it',
  async () => {
    await page.goto(`${BASE}/account`);
    await button('Sign out').click();
    await heading('Sign in').waitFor();
    await page.goto(`${BASE}/people?q=jonas`);
    await heading('Sign in').waitFor();
    await label('Name').fill('ada');
    await label('Password').fill('not this one');
    await button('Sign in').click();
    await page.getByText('Name and password do not match').first().waitFor();
    await label('Password').fill(PASSWORD);
    await button('Sign in').click();
    await heading('People').waitFor();
    assert.equal(new URL(page.url()).search, '?q=jonas');
  },
);

await step('a learner sees the library and no room of IT', async () => {
  const other = await browser.newContext();
  const learner = await other.newPage();
  await learner.goto(`${BASE}/signin?next=/people`);
  await learner.getByLabel('Name', { exact: true }).fill('jonas');
  await learner.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await learner.getByRole('button', { name: 'Sign in' }).click();
  await learner.getByText('This page is not for your role').first().waitFor();
  assert.equal(await learner.getByRole('link', { name: 'System' }).count(), 0);
  await learner.goto(`${BASE}/watch/${video}`);
  await learner.locator('video').waitFor();
  assert.equal(await learner.getByRole('link', { name: 'Edit' }).count(), 0);
  await other.close();
});

await browser.close();
wire.close();
console.log(`${steps} steps`);
