/**
 * Issue 3, *Must show* 4: what a learner watches in real Chromium is what the record store holds and the chart shows.
 * Run: `node e2e/watch.mjs [name of a check…]`; see `lib/box.mjs` for the box it runs against.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  askPlay,
  film,
  newestVersion,
  openBox,
  retention,
  signIn,
  statements,
  upload,
} from './lib/box.mjs';
import { runChecks } from './lib/checks.mjs';
import { Chromium } from './lib/chromium.mjs';
import { near, play, ready, segments, short, watchHiddenTo, watchTo } from './lib/player.mjs';

const ARRIVE_MS = 20_000;
const HOST = 'lectern.test';

const box = await openBox();
const checks = [];
const check = (name, run) => checks.push({ name, run });

check('example: 0 to 10, seek to 20, to 25, back to 5, to 8, hide, close', async () => {
  await watchExample({});
});

check('outage: the same with the network cut for 10 s in the middle', async () => {
  await watchExample({ outage: true });
});

check('plain: the same over plain HTTP under a host name', async () => {
  const { port } = new URL(box.base);
  await watchExample({
    base: `http://${HOST}:${port}`,
    launch: { hostRules: `MAP ${HOST} 127.0.0.1` },
    then: async (page) => assert.equal(await page.evaluate(() => window.isSecureContext), false),
  });
});

check('hidden: what plays in a hidden tab shows in hidden_views alone', async () => {
  await withLearner({}, async ({ browser, home, learner }) => {
    const before = await retention(box);
    const { page, registration } = await open(browser, home, learner);
    await home.front();
    assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
    await page.evaluate(() => document.querySelector('video').play());
    await watchHiddenTo(page, 8);
    await page.evaluate(() => document.querySelector('video').pause());
    await page.close();
    const told = await arrived(registration, 'terminated');
    const last = told.at(-1);
    assert.ok(
      near(segments(last.played), segments(last.hidden), 0.001),
      `${last.played} and ${last.hidden}`,
    );
    const grown = await grownFrom(before, (now) => sum(now.hidden_views) >= 8);
    assert.equal(sum(grown.views), 0, 'no view');
    assert.equal(sum(grown.viewers), 0, 'no viewer');
    assert.deepEqual(grown.hidden_views.slice(0, 8), Array(8).fill(1));
  });
});

check('killed: what a killed browser showed is told at the next visit of any page', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'lectern-e2e-'));
  const learner = await box.learner();
  try {
    let browser = await Chromium.launch({ profile });
    let home = await browser.page(box.base);
    await signIn(home, learner);
    const { page, registration } = await open(browser, home, learner);
    await play(page);
    await watchTo(page, 9);
    await browser.kill();
    assert.ok(
      !(await statements(box, registration)).map(short).some(({ verb }) => verb === 'terminated'),
    );
    browser = await Chromium.launch({ profile });
    home = await browser.page(box.base);
    try {
      const told = await arrived(registration, 'terminated', 45_000);
      assertClosing(told);
      // The last checkpoint is up to 3 s old.
      const [[from, to]] = segments(told.at(-1).played);
      assert.ok(from <= 0.25 && to >= 5.5 && to <= 9.5, told.at(-1).played);
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

check('reopened: after a kill this device goes on where it was, told or not', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'lectern-e2e-'));
  const learner = await box.learner();
  try {
    let browser = await Chromium.launch({ profile });
    let home = await browser.page(box.base);
    await signIn(home, learner);
    const { page } = await open(browser, home, learner);
    await play(page);
    await watchTo(page, 9);
    await browser.kill();
    browser = await Chromium.launch({ profile });
    try {
      home = await browser.page(box.base);
      await signIn(home, learner);
      const { page: again } = await open(browser, home, learner);
      const at = await again.evaluate(() => document.querySelector('video').currentTime);
      // The last checkpoint is up to 3 s old.
      assert.ok(at >= 5.5 && at <= 9.5, `went on at ${at}`);
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

check(
  'resume: another device goes on where this one stopped, and its segments follow',
  async () => {
    const learner = await box.learner();
    await withLearner({ learner }, async ({ browser, home }) => {
      const { page, registration } = await open(browser, home, learner);
      await play(page);
      await watchTo(page, 6);
      await page.close();
      await arrived(registration, 'terminated');
    });
    await withLearner({ learner }, async ({ browser, home }) => {
      const { page, registration, answer } = await open(browser, home, learner);
      assert.ok(Math.abs(answer.resume_ms / 1000 - 6) < 0.5, `resume_ms ${answer.resume_ms}`);
      assert.ok(
        Math.abs((await page.evaluate(() => document.querySelector('video').currentTime)) - 6) <
          0.5,
      );
      await page.until(() =>
        [...document.querySelectorAll('section[data-state] button')].some(
          (b) => b.textContent === 'Start from the beginning',
        ),
      );
      await play(page);
      await watchTo(page, 9);
      await page.close();
      const told = await arrived(registration, 'terminated', ARRIVE_MS, 2);
      assertNear(told.at(-1).played, [
        [0, 6],
        [6, 9],
      ]);
    });
  },
);

check(
  'growing: a video plays from its beginning while its ladder is still being made',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lectern-e2e-'));
    try {
      // Key frames 12 s apart: nothing can be remuxed, so that the ladder takes its time.
      const id = await upload(
        box,
        film(folder, { size: '1280x720', seconds: 60, gop: 300 }),
        'Growing',
      );
      await withLearner({}, async ({ browser, home, learner }) => {
        const deadline = Date.now() + 120_000;
        let version = await newestVersion(box, id);
        while (!['playable', 'ready', 'failed'].includes(version.state) && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          version = await newestVersion(box, id);
        }
        assert.equal(version.state, 'playable');
        const { page, registration } = await open(browser, home, learner, box.base, id);
        assert.ok((await page.evaluate(() => document.querySelector('video').currentTime)) < 0.5);
        assert.match(
          await page.evaluate(() =>
            document
              .querySelector('[role="slider"][aria-label="Position"]')
              .getAttribute('aria-valuetext'),
          ),
          / of 1 minute$/,
        );
        await play(page);
        await watchTo(page, 9);
        await page.close();
        const told = await arrived(registration, 'terminated');
        assertNear(told.at(-1).played, [[0, 9]], 0.6);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

check('token: the token of one learner cannot write for another', async () => {
  await withLearner({}, async ({ home }) => {
    const mine = await askPlay(home, box.video);
    let theirs;
    await withLearner({}, async ({ home: other }) => (theirs = await askPlay(other, box.video)));
    const send = async (statement) => {
      const response = await fetch(
        new URL(`${mine.xapi.endpoint.replace(/\/$/, '')}/statements`, box.base),
        {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${mine.xapi.token}`,
            'Content-Type': 'application/json',
            'X-Experience-API-Version': '2.0.0',
          },
          body: JSON.stringify([statement]),
        },
      );
      return response.status;
    };
    const statement = (
      { actor, registration, activity_id },
      verb = 'http://adlnet.gov/expapi/verbs/interacted',
    ) => ({
      actor: { objectType: 'Agent', ...actor },
      verb: { id: verb },
      object: {
        id: activity_id,
        definition: { type: 'https://w3id.org/xapi/video/activity-type/video' },
      },
      context: {
        registration,
        revision: String(mine.version),
        contextActivities: { category: [{ id: 'https://w3id.org/xapi/video' }] },
      },
    });
    assert.equal(await send(statement(mine)), 200);
    assert.equal(await send(statement(theirs)), 403);
    assert.equal(await send(statement({ ...mine, actor: theirs.actor })), 403);
    assert.equal(await send(statement({ ...mine, registration: theirs.registration })), 403);
    assert.equal(await send(statement({ ...mine, activity_id: `${mine.activity_id}x` })), 403);
    const { registration } = mine;
    const voiding = {
      ...statement(mine, 'http://adlnet.gov/expapi/verbs/voided'),
      object: { objectType: 'StatementRef', id: '6f2c1a52-6c1c-4b5e-9d6d-111111111111' },
      context: { registration },
    };
    assert.equal(await send(voiding), 403);
  });
});

/** The contract's example, watched as a person does, checked in the record store and in the chart. */
async function watchExample({
  base = box.base,
  launch = {},
  outage = false,
  then = async () => undefined,
}) {
  await withLearner({ base, launch }, async ({ browser, home, learner }) => {
    const before = await retention(box);
    const { page, registration } = await open(browser, home, learner, base);
    await then(page);
    if (outage)
      await page.until(() => {
        const { buffered: b } = document.querySelector('video');
        return b.length > 0 && b.end(b.length - 1) >= 26;
      });
    await play(page);
    if (outage) {
      await watchTo(page, 6);
      await page.send('Network.emulateNetworkConditions', {
        offline: true,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: -1,
      });
      setTimeout(
        () =>
          page
            .send('Network.emulateNetworkConditions', {
              offline: false,
              latency: 0,
              downloadThroughput: -1,
              uploadThroughput: -1,
            })
            .catch(() => undefined),
        10_000,
      );
    }
    // A busy machine leaves a little late: what was shown is where the picture stood, and that must be recorded.
    const first = await watchTo(page, 10, 20);
    const second = await watchTo(page, 25, 5);
    const third = await watchTo(page, 8);
    const shown = [
      [0, first],
      [20, second],
      [5, third],
    ];
    await home.front();
    assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
    await page.close();

    const told = await arrived(registration, 'terminated');
    assert.deepEqual(
      told.map(({ verb }) => verb),
      ['initialized', 'played', 'seeked', 'seeked', 'paused', 'terminated'],
    );
    assertClosing(told);
    assertNear(told.at(-1).played, shown);
    const [, played, ahead, back, paused] = told;
    const edges = segments(paused.played);
    assert.deepEqual(
      [played.time, ahead.from, ahead.to, back.from, back.to, paused.time],
      edges.flat(),
      'times are the edges of the segments',
    );
    assert.equal(new Set(told.map(({ session }) => session)).size, 1);
    assert.equal(told[0].session, told[0].id);
    const stamps = told.map(({ timestamp }) => Date.parse(timestamp));
    assert.deepEqual(
      stamps,
      [...stamps].sort((a, b) => a - b),
    );

    const halfOf = (second, [from, to]) => Math.min(to, second + 1) - Math.max(from, second) >= 0.5;
    const expected = Array.from(
      before.views,
      (_, second) => edges.filter((edge) => halfOf(second, edge)).length,
    );
    const grown = await grownFrom(before, (now) => sum(now.views) >= sum(expected));
    assert.deepEqual(grown.views, expected);
    assert.deepEqual(
      grown.viewers,
      expected.map((views) => Math.min(1, views)),
    );
    assert.equal(sum(grown.hidden_views), 0);
  });
}

async function withLearner({ base = box.base, launch = {}, learner: known }, run) {
  const learner = known ?? (await box.learner());
  const browser = await Chromium.launch(launch);
  try {
    const home = await browser.page(base);
    await signIn(home, learner);
    await run({ browser, home, learner });
  } finally {
    await browser.close();
  }
}

async function open(browser, home, learner, base = box.base, video = box.video) {
  const answer = await askPlay(home, video);
  const page = await browser.page(`${base}/watch/${video}`);
  await ready(page);
  return { page, registration: answer.registration, answer };
}

/** The registration's statements in short, once its last one is there. */
async function arrived(registration, verb, within_ms = ARRIVE_MS, times = 1) {
  const deadline = Date.now() + within_ms;
  for (;;) {
    const told = (await statements(box, registration)).map((statement) => ({
      ...short(statement),
      id: statement.id,
    }));
    if (told.filter((one) => one.verb === verb).length >= times) return told;
    if (Date.now() > deadline)
      throw new Error(
        `no ${verb} within ${within_ms} ms, but ${told.map((one) => one.verb).join(', ')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** How much each second's counts have grown since `before`, once `enough` of it is there. */
async function grownFrom(before, enough) {
  const deadline = Date.now() + ARRIVE_MS;
  for (;;) {
    const now = await retention(box);
    const less = (name) => now[name].map((count, second) => count - (before[name][second] ?? 0));
    const grown = {
      views: less('views'),
      viewers: less('viewers'),
      hidden_views: less('hidden_views'),
    };
    if (enough(grown) || Date.now() > deadline) return grown;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function assertClosing(told) {
  assert.deepEqual(
    told.slice(-2).map(({ verb }) => verb),
    ['paused', 'terminated'],
  );
}

function assertNear(text, expected, within = 0.25) {
  assert.ok(
    near(segments(text), expected, within),
    `${text} is not within ${within} s of ${JSON.stringify(expected)}`,
  );
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}

try {
  process.exitCode = (await runChecks(checks, process.argv.slice(2))) > 0 ? 1 : 0;
} finally {
  await box.close();
}
