/**
 * What a file brings with it: several sounds, subtitles and chapters. From the upload to what a learner chooses in the
 * player and what the author changes on the video's own page.
 * Run: `node e2e/brings.mjs [name of a check…]`; see `lib/box.mjs` for the box it runs against.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newestVersion, openBox, signIn, upload, uploadFile } from './lib/box.mjs';
import { runChecks, until } from './lib/checks.mjs';
import { Chromium } from './lib/chromium.mjs';
import { play, ready } from './lib/player.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lectern-brings-'));
const box = await openBox();
const browser = await Chromium.launch();
let video;

const checks = [];
const check = (name, run) => checks.push({ name, run });

check('the box takes sounds, subtitles and chapters out of a file', async () => {
  video = await upload(box, lecture(), 'In two languages');
  await until(async () => (await newestVersion(box, video)).state === 'ready', 'ready');
  const { captions } = await ask(`videos/${video}`);
  assert.deepEqual(
    captions.map(({ language, revision }) => [language, revision]),
    [['fr', 1]],
  );
  const { chapters, from_file } = await ask(`videos/${video}/chapters`);
  assert.deepEqual(chapters, [
    { start_ms: 0, title: 'Intro' },
    { start_ms: 8000, title: 'Übung' },
  ]);
  assert.equal(from_file, true);
});

check('a learner chooses the sound, by keyboard, and hears it in the next video too', async () => {
  const page = await watching();
  await play(page);
  await press(page, 'button[aria-label^="Sound: "]', 'Enter');
  const offered = await page.evaluate(() =>
    [...document.querySelectorAll('[role="menuitemradio"]')].map((item) => item.textContent.trim()),
  );
  assert.deepEqual(offered, ['English', 'Commentary (German)']);
  await page.press('ArrowDown');
  await page.press('Enter');
  await page.until(
    () => performance.getEntriesByType('resource').some(({ name }) => name.includes('/a2/')),
    'the second sound to be loaded',
  );
  await page.goto(`${box.base}/watch/${video}`);
  await ready(page);
  await page.until(
    () => document.querySelector('button[aria-label="Sound: Commentary (German)"]') !== null,
    'the same sound again',
  );
  await page.close();
});

check('a learner goes from chapter to chapter', async () => {
  const page = await watching();
  await page.evaluate(() => document.querySelector('section[data-state] [role="slider"]').focus());
  await page.press('n');
  await page.until(() => Math.abs(document.querySelector('video').currentTime - 8) < 0.2, '8 s');
  const spoken = await page.evaluate(() =>
    document.querySelector('[role="slider"][aria-valuemax]').getAttribute('aria-valuetext'),
  );
  assert.match(spoken, /, Übung$/u);
  await press(page, 'button[aria-label="Chapters"]', 'Enter');
  await page.press('Home');
  await page.press('Enter');
  await page.until(() => document.querySelector('video').currentTime < 0.5, 'the beginning');
  await shot(page, 'chapters');
  await page.close();
});

check('the author writes other chapters; a wrong line is named and nothing is lost', async () => {
  const page = await browser.page(box.base);
  await signIn(page, { name: 'teacher', password: 'a long enough password' });
  await page.goto(`${box.base}/videos/${video}/edit`);
  const text = 'section textarea';
  await page.until(`document.querySelector('${text}')?.value.startsWith('0:00 Intro')`, 'lines');
  const write = (lines) =>
    page.evaluate((to) => {
      const area = document.querySelector('section textarea');
      area.value = to;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }, lines);
  await write('0:00 One\nnonsense');
  await page.click('section:has(textarea) button[type="submit"]');
  await page.until(() => /Line 2/.test(document.body.textContent), 'the line to be named');
  assert.equal(
    await page.evaluate((at) => document.querySelector(at).value, text),
    '0:00 One\nnonsense',
  );
  await write('0:00 One\n0:10 Two');
  await page.click('section:has(textarea) button[type="submit"]');
  await until(async () => (await ask(`videos/${video}/chapters`)).revision === 2, 'stored');
  const { chapters, from_file } = await ask(`videos/${video}/chapters`);
  assert.deepEqual(
    chapters.map(({ title }) => title),
    ['One', 'Two'],
  );
  assert.equal(from_file, false);
  await shot(page, 'edit-chapters');
  await page.close();
});

check('a new version with other chapters does not change those of a person', async () => {
  const again = await uploadFile(box, lecture());
  await fetch(`${box.base}/api/v1/videos/${video}/versions`, {
    method: 'POST',
    headers: { ...box.teacher, 'Content-Type': 'application/json' },
    body: JSON.stringify({ upload: again }),
  });
  await until(async () => {
    const { version, state } = await newestVersion(box, video);
    return version === 2 && state === 'ready';
  }, 'version 2');
  const { chapters } = await ask(`videos/${video}/chapters`);
  assert.equal(chapters[1].title, 'Two');
});

try {
  process.exitCode = (await runChecks(checks, process.argv.slice(2))) > 0 ? 1 : 0;
} finally {
  await browser.close();
  await box.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Sixteen seconds with two sounds, French subtitles and two chapters, as Matroska. */
function lecture() {
  const at = (name) => join(folder, name);
  writeFileSync(at('s.srt'), '1\n00:00:01,000 --> 00:00:03,000\nBonjour <i>vous</i>\n');
  writeFileSync(
    at('c.txt'),
    ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=8000\ntitle=Intro\n' +
      '[CHAPTER]\nTIMEBASE=1/1000\nSTART=8000\nEND=16000\ntitle=Übung\n',
  );
  const inputs = ['testsrc2=s=426x240:r=25:d=16', 'sine=d=16:r=48000', 'sine=f=880:d=16:r=48000'];
  const options =
    '-map 0 -map 1 -map 2 -map 3 -map_metadata 4 -c:v libx264 -preset ultrafast -g 50 -c:a aac -c:s srt ' +
    '-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:a:1 title=Commentary -metadata:s:s:0 language=fra';
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y'],
    ...inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]),
    ...['-i', at('s.srt'), '-i', at('c.txt')],
    ...options.split(' '),
    at('lecture.mkv'),
  ]);
  return at('lecture.mkv');
}

async function watching() {
  const page = await browser.page(box.base);
  await signIn(page, box.learner());
  await page.goto(`${box.base}/watch/${video}`);
  await ready(page);
  return page;
}

async function press(page, selector, key) {
  await page.until(`document.querySelector('${selector}') !== null`, selector);
  await page.evaluate((at) => document.querySelector(at).focus(), selector);
  await page.press(key);
}

async function shot(page, name) {
  if (!process.env.SHOTS) return;
  const picture = await page.screenshot();
  writeFileSync(join(process.env.SHOTS, `${name}.png`), picture);
}

async function ask(path) {
  const answer = await fetch(`${box.base}/api/v1/${path}`, { headers: box.teacher });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}
