/**
 * Captions from the sound to the screen: IT installs a model from a file, the box drafts what is said in a video, the
 * author mends and approves it in the page, and a learner whose video plays has it without a reload.
 * Needs the model that `.ci/speech-model` makes. Run: `node e2e/captions.mjs [name of a check…]`; see `lib/box.mjs`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { newestVersion, openBox, upload } from './lib/box.mjs';
import { runChecks, until } from './lib/checks.mjs';
import { openPeople, shot } from './lib/people.mjs';

const MODEL =
  process.env.MODEL ??
  fileURLToPath(new URL('../../../target/models/ggml-base.bin', import.meta.url));
const SAID =
  'Welcome to the second lecture on mechanics. Today we look at the laws of motion. ' +
  'The first law says that a body stays at rest, unless a force acts on it.';
const PASSWORD = 'a long enough password';
const PATIENCE_MS = 180_000;

const folder = mkdtempSync(join(tmpdir(), 'lectern-captions-'));
const box = await openBox();
const people = await openPeople(box);
const { check, checks, person } = people;
let video;
let teacher;
let learner;

check('IT installs a model from a file, and what is none is refused with a sentence', async () => {
  teacher = await person({ name: 'teacher', password: PASSWORD });
  await teacher.goto(`${box.base}/system/speech`);
  await teacher.getByText('No model is installed').waitFor();
  const input = teacher.locator('input[type=file]');
  const none = join(folder, 'holiday.bin');
  writeFileSync(none, 'no model\n'.repeat(99));
  await input.setInputFiles(none);
  await teacher.getByText('This is not a Whisper model').waitFor();
  await input.setInputFiles(MODEL);
  await teacher.getByText('in use').waitFor({ timeout: 60_000 });
  const hash = createHash('sha256').update(readFileSync(MODEL)).digest('hex');
  assert.equal(await teacher.getByLabel('SHA-256 of the file', { exact: true }).inputValue(), hash);
  await teacher.getByText('Whisper base').first().waitFor();
  await shot(teacher, 'speech');
});

check('a video without captions gets a draft that says what it is', async () => {
  video = await upload(box, lecture(), 'Mechanics');
  await until(
    async () => (await newestVersion(box, video)).state === 'ready',
    'ready',
    PATIENCE_MS,
  );
  await teacher.goto(`${box.base}/videos/${video}/edit`);
  await teacher.getByText('From the sound').waitFor();
  await shot(teacher, 'edit-listening');
  await until(
    async () => (await ask(`videos/${video}`)).captions.length > 0,
    'a draft',
    PATIENCE_MS,
  );
  const [track] = (await ask(`videos/${video}`)).captions;
  assert.equal(track.machine_made, true);
  assert.equal(track.label, 'English (automatic)');
  const master = await text(`media/${video}/1/master.m3u8`);
  assert.match(master, /public\.machine-generated/u);
  const [item] = (await ask('videos')).items.filter(({ id }) => id === video);
  assert.equal(item.needs_review, true);
  const heard = words(await text(`api/v1/videos/${video}/captions/en`));
  const missing = words(SAID).filter((word) => !heard.includes(word));
  assert.ok(missing.length <= 4, `not heard: ${missing.join(' ')}`);
});

check('a learner sees that nobody has read it over, and reads it', async () => {
  learner = await person(box.learner());
  await learner.goto(`${box.base}/watch/${video}`);
  await learner.locator('section[data-state="ready"]').waitFor();
  await learner.getByRole('button', { name: /^CC: /u }).click();
  await learner.getByRole('menuitemradio', { name: 'English (automatic)' }).click();
  await learner.keyboard.press('Escape');
  await learner.locator('section[data-state] video').evaluate((element) => {
    element.muted = true;
    element.currentTime = 2;
    return element.play();
  });
  await learner.getByTestId('captions').waitFor();
});

check('the author mends it by keyboard; it saves itself and survives a reload', async () => {
  await teacher.goto(`${box.base}/videos/${video}/edit`);
  await teacher.getByRole('link', { name: /^Read over captions/u }).click();
  const first = teacher.getByRole('textbox', { name: 'Caption 1', exact: true });
  await first.waitFor();
  const count = await teacher.locator('textarea').count();
  await first.fill('Welcome, everybody. This is about mechanics.');
  await first.evaluate((area) => area.setSelectionRange(20, 20));
  await teacher.keyboard.press('Control+Enter');
  const second = teacher.getByRole('textbox', { name: 'Caption 2', exact: true });
  assert.equal(await second.inputValue(), 'This is about mechanics.');
  assert.equal(await first.inputValue(), 'Welcome, everybody.');
  await teacher.waitForFunction(
    () => document.activeElement?.getAttribute('aria-label') === 'Caption 2',
  );
  await teacher.keyboard.press('Control+z');
  assert.equal(await teacher.locator('textarea').count(), count);
  await teacher.keyboard.press('Control+Shift+z');
  assert.equal(await teacher.locator('textarea').count(), count + 1);
  await teacher.keyboard.press('Alt+ArrowUp');
  await teacher.keyboard.press('Control+Shift+Enter');
  assert.equal(await teacher.locator('textarea').count(), count);
  assert.equal(
    (await first.inputValue()).replace('\n', ' '),
    'Welcome, everybody. This is about mechanics.',
  );
  const begins = teacher.getByLabel('Caption 1, begins');
  await begins.fill('0:00.500');
  await begins.press('Tab');
  await saved();
  await shot(teacher, 'captions');
  await teacher.reload();
  await first.waitFor();
  assert.equal(await begins.inputValue(), '0:00.500');
  assert.match(await first.inputValue(), /^Welcome, everybody/u);
  // Learners still have what the machine wrote.
  assert.doesNotMatch(await text(`api/v1/videos/${video}/captions/en`), /everybody/u);
});

check('what cannot be published is named, and brought to the author', async () => {
  const last = teacher.locator('textarea').last();
  const was = await last.inputValue();
  await last.fill('');
  await teacher.getByRole('button', { name: 'Approve and publish' }).click();
  await teacher.getByText('1 caption cannot be published').waitFor();
  await teacher.waitForFunction(
    () => document.activeElement?.getAttribute('aria-invalid') === 'true',
  );
  await last.fill(was);
});

check('what is approved is on the screen of who is watching, without a reload', async () => {
  await learner.evaluate(() => (window.notReloaded = true));
  await learner.locator('section[data-state] video').evaluate((element) => {
    element.pause();
    element.currentTime = 1;
  });
  await teacher.getByRole('button', { name: 'Approve and publish' }).click();
  await teacher.getByText('Who is watching now has them already').waitFor();
  await learner.getByTestId('captions').getByText('Welcome, everybody').waitFor();
  await learner.getByRole('button', { name: 'CC: captions on, English', exact: true }).waitFor();
  await learner.locator('.transcript').getByText('Welcome, everybody').waitFor();
  assert.equal(await learner.evaluate(() => window.notReloaded), true);
  await shot(learner, 'watch-approved');
  const [track] = (await ask(`videos/${video}`)).captions;
  assert.equal(track.machine_made, false);
  assert.doesNotMatch(await text(`media/${video}/1/master.m3u8`), /machine-generated/u);
});

check('an earlier text is a step away, and a step back', async () => {
  await teacher.getByText('Earlier texts').click();
  await teacher.getByRole('button', { name: 'Load text 1' }).click();
  const first = teacher.getByRole('textbox', { name: 'Caption 1', exact: true });
  await teacher.waitForFunction(
    () => !document.querySelector('textarea')?.value.includes('everybody'),
  );
  await first.focus();
  await teacher.keyboard.press('Control+z');
  assert.match(await first.inputValue(), /everybody/u);
  await saved();
});

check('two authors do not write over each other', async () => {
  const other = await person({ name: 'teacher', password: PASSWORD });
  await other.goto(`${box.base}/videos/${video}/captions/en`);
  const first = (page) => page.getByRole('textbox', { name: 'Caption 1', exact: true });
  await first(other).waitFor();
  await first(teacher).fill('Mine, and first.');
  await saved();
  await first(other).fill('Mine, and second.');
  await other.getByText('Somebody else has saved this text meanwhile').waitFor();
  await other.getByRole('button', { name: 'Load the page anew' }).click();
  await other.waitForFunction(
    () => document.querySelector('textarea')?.value === 'Mine, and first.',
  );
  await other.close();
  // The draft goes; what is published stays.
  await teacher.getByRole('button', { name: 'Throw the draft away' }).click();
  await teacher.getByRole('dialog').getByRole('button', { name: 'Throw the draft away' }).click();
  await teacher.waitForFunction(() =>
    document.querySelector('textarea')?.value.startsWith('Welcome, everybody'),
  );
});

try {
  process.exitCode = (await runChecks(checks, process.argv.slice(2))) > 0 ? 1 : 0;
} finally {
  await people.close();
  await box.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A film in which espeak-ng says what we know. */
function lecture() {
  const [spoken, film] = [join(folder, 'spoken.wav'), join(folder, 'lecture.mp4')];
  execFileSync('espeak-ng', ['-v', 'en-us', '-s', '150', '-w', spoken, SAID]);
  execFileSync('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=426x240:r=10'],
    ...['-i', spoken, '-shortest', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20'],
    ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', film],
  ]);
  return film;
}

function saved() {
  return teacher.locator('[data-saving="saved"]').waitFor();
}

async function text(path) {
  const answer = await fetch(`${box.base}/${path}`, { headers: box.teacher });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.text();
}

async function ask(path) {
  return JSON.parse(await text(`api/v1/${path}`));
}

function words(said) {
  return said.toLowerCase().match(/[a-z]+/gu) ?? [];
}
