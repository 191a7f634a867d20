/**
 * Descriptions of what is seen, from the author's hand to the learner: written in the page, published, turned on by
 * keyboard, read out in a live region (this browser has no voice), with the video held where one takes longer than its
 * pause. Run: `node e2e/descriptions.mjs [name of a check…]`; see `lib/box.mjs`.
 */
import assert from 'node:assert/strict';
import process from 'node:process';

import { violationsOf } from './lib/axe.mjs';
import { askPlay, openBox, statements } from './lib/box.mjs';
import { runChecks, until } from './lib/checks.mjs';
import { openPeople, shot } from './lib/people.mjs';

const PASSWORD = 'a long enough password';
/** It stands for a second and takes about four to read. */
const LONG = 'A test picture: eight bars of colour, and a number that counts.';
const SHORT = 'Bars.';

const box = await openBox();
const people = await openPeople(box);
const { check, checks } = people;
const teacher = await people.person({ name: 'teacher', password: PASSWORD });
const learner = await people.person(box.learner());

check('an author writes them where something is shown that nobody says', async () => {
  await teacher.goto(`${box.base}/videos/${box.video}/edit`);
  await teacher.getByText('No descriptions yet.').waitFor();
  await teacher.getByLabel('Language of the descriptions').selectOption('en');
  await teacher.getByRole('button', { name: 'Write descriptions' }).click();
  await teacher.getByText('There are no descriptions in this language yet').waitFor();
  await add(1, LONG, '0:02.000', '0:03.000');
  await add(2, SHORT, '0:10.000', '0:12.000');
  // How long it takes to read is no fault of a description.
  assert.equal(await teacher.getByText('Too fast to read').count(), 0);
  await shot(teacher, 'descriptions-editor');
  assert.deepEqual(await violationsOf(teacher), []);
  await teacher.getByRole('button', { name: 'Approve and publish' }).click();
  await teacher.getByText('Published.').waitFor();
  await teacher.goto(`${box.base}/videos/${box.video}/edit`);
  await teacher.getByRole('link', { name: 'Edit descriptions in English' }).waitFor();
  await shot(teacher, 'descriptions-edit');
});

check('nobody who has not asked for them is told anything', async () => {
  await open();
  await seek(1.5);
  await play();
  await until(async () => (await at()) > 3.5, 'the video to play past a description', 10_000);
  assert.equal(await learner.getByTestId('description').count(), 0);
});

check('one that takes longer than its pause holds the video until it is read', async () => {
  await open();
  await learner.locator('section[data-state]').focus();
  await learner.keyboard.press('d');
  await learner
    .getByRole('status')
    .filter({ hasText: 'This browser has no voice' })
    .waitFor({ state: 'attached' });
  await seek(1.5);
  await play();
  const spoken = learner.getByTestId('description').locator('[aria-live="assertive"]');
  await spoken.getByText(LONG).waitFor();
  await learner.getByText('The video waits for the description.').waitFor();
  const held = await at();
  assert.ok(held >= 3 && held < 3.6, `held at ${held}`);
  assert.deepEqual(await violationsOf(learner), []);
  await shot(learner, 'described');
  await learner.waitForFunction(() => !document.querySelector('video').paused);
  assert.ok((await at()) - held < 0.6, 'it goes on where it was held');
  await learner.waitForFunction(
    () => document.querySelector('[data-testid="description"] p').textContent.trim() === '',
  );
});

check('one that fits its pause holds nothing', async () => {
  await open();
  await seek(9.5);
  await play();
  await learner.getByTestId('description').getByText(SHORT).waitFor();
  await until(async () => (await at()) > 12.2, 'the video to play on', 10_000);
  assert.equal(await learner.getByTestId('description').locator('p').textContent(), '');
});

check('one that begins just where they are turned on is read', async () => {
  await open();
  await learner.locator('section[data-state]').focus();
  await learner.keyboard.press('d');
  await learner.getByTestId('description').waitFor({ state: 'detached' });
  await learner.locator('section[data-state] video').evaluate((element) => element.pause());
  await seek(10);
  await learner.locator('section[data-state]').focus();
  await learner.keyboard.press('d');
  await learner.getByTestId('description').waitFor();
  await play();
  await learner.getByTestId('description').getByText(SHORT).waitFor();
});

check('play goes on at once, and a jump leaves it behind', async () => {
  await open();
  await seek(1.5);
  await play();
  await learner.getByText('The video waits for the description.').waitFor();
  await learner.locator('section[data-state]').focus();
  await learner.keyboard.press('k');
  await learner.waitForFunction(() => !document.querySelector('video').paused);
  assert.equal(await learner.getByText('The video waits').count(), 0);
  await seek(1.5);
  await learner.getByText('The video waits for the description.').waitFor();
  await learner.keyboard.press('5');
  await learner.waitForFunction(() => !document.querySelector('video').paused);
  assert.ok((await at()) > 19);
});

check('the choice is kept, and what is mended meanwhile is read', async () => {
  await open();
  await learner.getByRole('button', { name: 'AD: descriptions on, English' }).waitFor();
  const vtt = 'WEBVTT\n\n00:05.000 --> 00:08.000\nThe number is five.\n';
  const answer = await fetch(`${box.base}/api/v1/videos/${box.video}/descriptions/en`, {
    method: 'PUT',
    headers: { ...box.teacher, 'Content-Type': 'text/vtt' },
    body: vtt,
  });
  assert.equal(answer.status, 200);
  await seek(1.5);
  await play();
  await learner.getByTestId('description').getByText('The number is five.').waitFor();
  await learner.getByRole('button', { name: /^AD: /u }).click();
  await learner.getByRole('menuitemradio', { name: 'By my screen reader' }).waitFor();
  await shot(learner, 'described-menu');
  await learner.getByRole('menuitemradio', { name: 'Off' }).click();
  await learner.getByTestId('description').waitFor({ state: 'detached' });
});

check('the record says when the video stood still', async () => {
  await learner.goto(`${box.base}/`);
  const { registration } = await askPlay(learner, box.video);
  const pauses = async () =>
    (await statements(box, registration)).filter((one) => {
      const at_s = one.result?.extensions?.['https://w3id.org/xapi/video/extensions/time'];
      return one.verb.id.endsWith('/paused') && at_s >= 3 && at_s < 3.6;
    }).length;
  await until(async () => (await pauses()) >= 3, 'three holds in the record', 20_000);
});

try {
  process.exitCode = (await runChecks(checks, process.argv.slice(2))) > 0 ? 1 : 0;
} finally {
  await people.close();
  await box.close();
}

async function add(n, text, from, to) {
  const video = teacher.locator('video');
  await video.evaluate((element, at) => (element.currentTime = at), n * 10);
  await teacher.waitForTimeout(200);
  await teacher.getByRole('button', { name: 'Add a description here' }).click();
  const area = teacher.getByRole('textbox', { name: `Description ${n}`, exact: true });
  await area.fill(text);
  for (const [label, value] of [
    [`Description ${n}, ends`, to],
    [`Description ${n}, begins`, from],
    [`Description ${n}, ends`, to],
  ]) {
    await teacher.getByLabel(label).fill(value);
    await teacher.getByLabel(label).press('Tab');
  }
}

async function open() {
  await learner.goto(`${box.base}/watch/${box.video}`);
  await learner.locator('section[data-state="ready"]').waitFor();
  await learner.locator('section[data-state] video').evaluate((element) => (element.muted = true));
}

function seek(to) {
  return learner.locator('section[data-state] video').evaluate((element, at) => {
    element.currentTime = at;
    return new Promise((done) => element.addEventListener('seeked', () => done(), { once: true }));
  }, to);
}

function play() {
  return learner.locator('section[data-state] video').evaluate((element) => element.play());
}

function at() {
  return learner.locator('section[data-state] video').evaluate((element) => element.currentTime);
}
