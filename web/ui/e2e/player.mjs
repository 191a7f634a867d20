/**
 * The player in real Chromium: the faults that players are reported for again and again (WCAG 2.1 AA), one check each.
 * Run: `node e2e/player.mjs [name of a check…]`; see `lib/box.mjs` for the box it runs against (its video: 40 s or more, with captions).
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { openBox, signIn } from './lib/box.mjs';
import { runChecks } from './lib/checks.mjs';
import { Chromium } from './lib/chromium.mjs';
import { play, ready } from './lib/player.mjs';

const checks = [];
const check = (name, run) => checks.push({ name, run });
const time = (page) => page.evaluate(() => document.querySelector('video').currentTime);
const paused = (page) => page.evaluate(() => document.querySelector('video').paused);
const focused = (page) =>
  page.evaluate(
    () =>
      document.activeElement?.getAttribute('aria-label') ??
      document.activeElement?.textContent?.trim(),
  );
const focus = (page, selector) =>
  page.evaluate((s) => document.querySelector(s)?.focus(), selector);
const SLIDER = '[role="slider"][aria-label="Position"]';

/** Waits two frames, so that what was pressed is shown. */
const settle = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))),
  );

check('the play button is a button that the keyboard reaches and presses', async (page) => {
  await focus(page, 'button[aria-label="Play"]');
  assert.equal(await focused(page), 'Play');
  await page.press('Enter');
  // The button tells what the video says, which is a moment after it was told to play.
  await page.until(() => document.activeElement.getAttribute('aria-label') === 'Pause');
  assert.ok(await page.evaluate(() => !document.querySelector('video').paused));
  await page.press(' ', 'Space', ' ');
  await page.until(() => document.activeElement.getAttribute('aria-label') === 'Play');
  assert.ok(await page.evaluate(() => document.querySelector('video').paused));
});

check('every control has a name, and toggles change it', async (page) => {
  const nameless = await page.evaluate(() =>
    [
      ...document.querySelectorAll(
        'section[data-state] :is(button, input, [role="slider"]):not([aria-hidden="true"])',
      ),
    ]
      .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim()))
      .map((one) => one.outerHTML),
  );
  assert.deepEqual(nameless, []);
});

check('the seek bar tells its time in words', async (page) => {
  await page.evaluate(() => void (document.querySelector('video').currentTime = 25));
  await page.until(() =>
    /^25 seconds of .*(second|minute)/.test(
      document
        .querySelector('[role="slider"][aria-label="Position"]')
        .getAttribute('aria-valuetext'),
    ),
  );
});

check('arrows, Home, End and pages move the seek bar', async (page) => {
  await focus(page, SLIDER);
  await page.press('Home');
  assert.ok((await time(page)) < 0.2);
  await page.press('ArrowRight');
  assert.ok(Math.abs((await time(page)) - 5) < 0.2);
  await page.press('ArrowUp');
  assert.ok(Math.abs((await time(page)) - 10) < 0.2);
  await page.press('ArrowLeft');
  assert.ok(Math.abs((await time(page)) - 5) < 0.2);
  await page.press('PageDown');
  assert.ok((await time(page)) < 0.2);
});

check('dragging seeks when the pointer is let go, and Esc gives up', async (page) => {
  const box = await page.evaluate((s) => {
    const { x, y, width, height } = document.querySelector(s).getBoundingClientRect();
    return { x, y: y + height / 2, width };
  }, SLIDER);
  const before = await time(page);
  await page.mouse('mousePressed', box.x + box.width * 0.3, box.y, { buttons: 1 });
  await page.mouse('mouseMoved', box.x + box.width * 0.6, box.y, { buttons: 1 });
  assert.equal(await time(page), before);
  await page.press('Escape');
  await page.mouse('mouseReleased', box.x + box.width * 0.6, box.y);
  assert.equal(await time(page), before);
  await page.mouse('mousePressed', box.x + box.width * 0.3, box.y, { buttons: 1 });
  await page.mouse('mouseMoved', box.x + box.width * 0.5, box.y, { buttons: 1 });
  await page.mouse('mouseReleased', box.x + box.width * 0.5, box.y);
  const half = await page.evaluate(
    (s) => Number(document.querySelector(s).getAttribute('aria-valuemax')) / 2,
    SLIDER,
  );
  await page.until(`Math.abs(document.querySelector('video').currentTime - ${half}) < 0.7`);
});

check('a menu is reached by keyboard, chosen from, and gives the focus back', async (page) => {
  await focus(page, 'button[aria-label^="Speed"]');
  await page.press('Enter');
  await page.until(() => document.activeElement.getAttribute('role') === 'menuitemradio');
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute('aria-checked')),
    'true',
  );
  await page.press('End');
  await page.press('Enter');
  await page.until(() => document.querySelector('video').playbackRate === 2);
  await page.until(() => document.activeElement.getAttribute('aria-label') === 'Speed 2×');
  assert.equal(await page.evaluate(() => document.querySelector('[role="menu"]')), null);
  await page.press('ArrowUp');
  await page.until(() => document.querySelector('[role="menu"]'));
  await page.press('Escape');
  assert.match(await focused(page), /^Speed/);
  await page.evaluate(() => void (document.querySelector('video').playbackRate = 1));
});

check('full screen keeps the focus', async (page) => {
  await focus(page, 'button[aria-label="Full screen"]');
  await page.press('Enter');
  await page.until(() => document.activeElement.getAttribute('aria-label') === 'Leave full screen');
  await page.press('f');
  await page.until(() => document.activeElement.getAttribute('aria-label') === 'Full screen');
});

check('the bar stays while the focus is in it, also in full screen', async (page) => {
  await focus(page, 'button[aria-label="Full screen"]');
  await page.press('Enter');
  await page.until(() => document.fullscreenElement);
  await page.evaluate(() => document.querySelector('video').play());
  await page.evaluate(() => new Promise((done) => setTimeout(done, 3600)));
  assert.ok(
    await page.evaluate(
      () => document.activeElement.checkVisibility() && document.activeElement.closest('section'),
    ),
  );
  // Without the focus it goes, and a movement brings it back.
  await page.evaluate(() => document.activeElement.blur());
  await page.until(
    () => !document.querySelector('button[aria-label="Leave full screen"]').checkVisibility(),
    'the bar to go',
  );
  await page.mouse('mouseMoved', 300, 300);
  await page.until(
    () => document.querySelector('button[aria-label="Leave full screen"]').checkVisibility(),
    'the bar to come',
  );
  await page.evaluate(() => document.exitFullscreen());
  await page.evaluate(() => document.querySelector('video').pause());
});

check('a button acts when it is let go, not when it is pressed', async (page) => {
  const at = await page.evaluate(() => {
    const { x, y, width, height } = document
      .querySelector('button[aria-label="Play"]')
      .getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  });
  await page.mouse('mousePressed', at.x, at.y);
  await settle(page);
  assert.equal(await paused(page), true);
  await page.mouse('mouseMoved', at.x, at.y + 300, { buttons: 1 });
  await page.mouse('mouseReleased', at.x, at.y + 300);
  await settle(page);
  assert.equal(await paused(page), true);
});

check('single keys work while the player has the focus, and only then', async (page) => {
  await focus(page, 'section[data-state]');
  await page.press('2', 'Digit2', '2');
  const fifth = await page.evaluate(
    (s) => Number(document.querySelector(s).getAttribute('aria-valuemax')) * 0.2,
    SLIDER,
  );
  await page.until(`Math.abs(document.querySelector('video').currentTime - ${fifth}) < 0.7`);
  await page.press('m', 'KeyM', 'm');
  await page.until(() => document.querySelector('video').muted);
  await page.press('m', 'KeyM', 'm');
  await page.until(() => !document.querySelector('video').muted);
  await page.press('k', 'KeyK', 'k');
  await page.until(() => !document.querySelector('video').paused);
  await page.press('k', 'KeyK', 'k');
  await page.until(() => document.querySelector('video').paused);
  const before = await time(page);
  await page.press('.', 'Period', '.');
  await page.until(`document.querySelector('video').currentTime > ${before}`);
  assert.ok((await time(page)) - before < 0.1);
  await page.evaluate(() => document.activeElement.blur());
  await page.press('k', 'KeyK', 'k');
  await settle(page);
  assert.equal(await paused(page), true);
});

check('captions are shown, in the learner’s size, and are no live region', async (page) => {
  await focus(page, 'section[data-state]');
  await page.evaluate(() => void (document.querySelector('video').currentTime = 6));
  await page.press('c', 'KeyC', 'c');
  await page.until(() => document.querySelector('[data-testid="captions"]')?.textContent.trim());
  assert.equal(
    await page.evaluate(() =>
      document
        .querySelector('[data-testid="captions"]')
        .closest('[aria-live], [role="status"], [role="alert"]'),
    ),
    null,
  );
  assert.match(
    await page.evaluate(
      () => document.querySelector('section[data-state] > [role="status"]').textContent,
    ),
    /^Captions on/,
  );
  await focus(page, 'button[aria-label^="CC"]');
  const size = () =>
    page.evaluate(() =>
      parseFloat(getComputedStyle(document.querySelector('[data-testid="captions"]')).fontSize),
    );
  const before = await size();
  await page.press('Enter');
  await page.until(() => document.querySelector('[role="menu"]'));
  await page.press('v', 'KeyV', 'v');
  await page.press('Enter');
  await page.press('Escape');
  await settle(page);
  assert.ok((await size()) > before);
  await page.press('c', 'KeyC', 'c');
  await page.until(() => !document.querySelector('[data-testid="captions"]'));
});

check('the player can be told apart in high contrast', async (page) => {
  await page.send('Emulation.setEmulatedMedia', {
    features: [{ name: 'forced-colors', value: 'active' }],
  });
  const colors = await page.evaluate((s) => {
    const bar = document.querySelector(s);
    return {
      head: getComputedStyle(bar.querySelector('.head')).backgroundColor,
      ground: getComputedStyle(bar.querySelector('.ribbon')).backgroundColor,
    };
  }, SLIDER);
  await page.send('Emulation.setEmulatedMedia', { features: [] });
  assert.notEqual(colors.head, colors.ground);
});

check('the transcript jumps and marks what is said', async (page) => {
  await page.click('section[aria-label="Transcript"] li:nth-child(3) button');
  await page.until(
    () =>
      document
        .querySelector('section[aria-label="Transcript"] li:nth-child(3) button')
        .getAttribute('aria-current') === 'true',
  );
});

check('two hundred random seeks, also to the end, and it still plays', async (page) => {
  await page.evaluate(
    () =>
      new Promise((done) => {
        const video = document.querySelector('video');
        let left = 200;
        let seed = 1;
        const next = () => {
          if (left-- === 0) return done(true);
          seed = (seed * 16807) % 2147483647;
          if (left % 9 === 0) void video.play();
          video.currentTime =
            left % 20 === 0 ? video.duration : (seed / 2147483647) * (video.duration - 1);
          setTimeout(next, seed % 60);
        };
        next();
      }),
  );
  await page.evaluate(() => {
    const video = document.querySelector('video');
    video.pause();
    video.currentTime = 3;
  });
  await page.until(() => !document.querySelector('video').seeking);
  await play(page);
  await page.until(() => document.querySelector('video').currentTime > 5);
  await page.evaluate(() => document.querySelector('video').pause());
});

check('the record store took everything that was done here', async (page) => {
  const left = () =>
    page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open('lectern-player');
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const db = opening.result;
            const shelves = db.transaction(['rows', 'refused']);
            const rows = shelves.objectStore('rows').getAll();
            const refused = shelves.objectStore('refused').getAll();
            shelves.oncomplete = () => {
              db.close();
              resolve({ rows: rows.result.length, refused: refused.result });
            };
          };
        }),
    );
  const deadline = Date.now() + 30_000;
  let now = await left();
  while (now.rows > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    now = await left();
  }
  assert.deepEqual(now, { rows: 0, refused: [] });
});

const box = await openBox();
const browser = await Chromium.launch();
let failed = 0;
try {
  const page = await browser.page(box.base);
  await page.send('Emulation.setDeviceMetricsOverride', {
    width: 1280,
    height: 800,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await signIn(page, await box.learner());
  await page.goto(`${box.base}/watch/${box.video}`);
  await ready(page);
  failed = await runChecks(
    checks.map(({ name, run }) => ({ name, run: () => run(page) })),
    process.argv.slice(2),
    async (name) => {
      const folder = process.env.SHOTS;
      if (folder)
        writeFileSync(`${folder}/${name.replaceAll(/\W+/g, '-')}.png`, await page.screenshot());
    },
  );
  if (page.console.length > 0) {
    failed += 1;
    console.log(`FAIL the page is quiet\n     ${page.console.join('\n     ')}`);
  }
} finally {
  await browser.close();
  await box.close();
}
process.exitCode = failed > 0 ? 1 : 0;
