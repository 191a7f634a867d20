/**
 * How long a learner waits, measured in real Chromium on loopback (a bench, no test: figures and no verdict).
 *   first frame   from pressing play to the next picture painted, with nothing cached: on a page that is ready, on one
 *                 on which the button has just appeared, and from pressing a video in the library
 *   seek          from the press of a key to the first picture painted there, at places that are not buffered
 *   slow line     1 Mbit/s and 40 ms: until the first picture, and how often and how long it stalls afterwards
 * Run: `node e2e/speed.mjs [ROUNDS]`; FILM names another film (ten minutes of the sample otherwise).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { newestVersion, openBox, signIn, upload } from './lib/box.mjs';
import { Chromium } from './lib/chromium.mjs';

const ROUNDS = Number(process.argv[2] ?? 10);
const SAMPLE = fileURLToPath(
  new URL('../../../media/vod/samples/big-buck-bunny-480p-30s.mp4', import.meta.url),
);
const SLOW_SECONDS = 60;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function film(folder) {
  if (process.env.FILM) return process.env.FILM;
  const path = join(folder, 'long.mp4');
  const loop = ['-stream_loop', '19', '-i', SAMPLE, '-map', '0', '-c', 'copy', path];
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...loop]);
  return path;
}

/** In the page: milliseconds from now (or from `since`) until the picture that follows `act` is painted. */
const WATCHER = `globalThis.painted = (ready, since = performance.now()) =>
  new Promise((done) => {
    const look = () => {
      const video = document.querySelector('video');
      if (!video) return requestAnimationFrame(look);
      video.requestVideoFrameCallback((now, frame) =>
        ready(video, frame) ? done(Math.max(now, frame.expectedDisplayTime) - since) : look());
    };
    look();
  });`;

const spread = (all) => {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return `median ${at(0.5)} ms, 90 of 100 ${at(0.9)} ms, longest ${at(1)} ms (${all.length})`;
};

/** A browser that has nothing cached, signed in, on a page of the box. */
async function fresh(box, who, path) {
  const browser = await Chromium.launch();
  const page = await browser.page(`${box.base}/`);
  await signIn(page, who);
  await page.send('Network.clearBrowserCache');
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source: WATCHER });
  await page.goto(`${box.base}${path}`);
  return { browser, page };
}

const isReady = () => document.querySelector('section[data-state="ready"] video')?.readyState >= 3;
const hasButton = () => document.querySelector('button[aria-label="Play"]:not([disabled])');

/** Presses play when the page is so far. */
const firstFrame = (isSoFar) => async (box, who) => {
  const { browser, page } = await fresh(box, who, `/watch/${box.video}`);
  await page.until(isSoFar);
  const took = await page.evaluate(() => {
    const painted = globalThis.painted((video) => !video.paused);
    document.querySelector('button[aria-label="Play"]').click();
    return painted;
  });
  await browser.close();
  return took;
};

/** From the library: page, player and first segments all come after the press. */
async function fromLibrary(box, who) {
  const { browser, page } = await fresh(box, who, '/');
  const card = `a[href="/watch/${box.video}"]`;
  await page.until(`document.querySelector('${card}')`);
  const took = await page.evaluate((selector) => {
    const painted = globalThis.painted(() => true);
    document.querySelector(selector).click();
    return painted;
  }, card);
  await browser.close();
  return took;
}

async function seeks(box, who) {
  const { browser, page } = await fresh(box, who, `/watch/${box.video}`);
  await page.until(isReady);
  await page.evaluate(() => document.querySelector('video').play());
  const all = [];
  for (let round = 0; round < ROUNDS * 2; round += 1) {
    await wait(300);
    all.push(
      await page.evaluate(() => {
        const video = document.querySelector('video');
        const isBuffered = (at) =>
          Array.from({ length: video.buffered.length }, (_, n) => n).some(
            (n) => video.buffered.start(n) - 5 <= at && at <= video.buffered.end(n),
          );
        let to = 0;
        do to = Math.random() * (video.duration - 10);
        while (isBuffered(to));
        const painted = globalThis.painted((_, frame) => Math.abs(frame.mediaTime - to) < 1);
        video.currentTime = to;
        return painted;
      }),
    );
  }
  await browser.close();
  return all;
}

async function slowLine(box, who) {
  const { browser, page } = await fresh(box, who, '/');
  await page.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 40,
    downloadThroughput: 1e6 / 8,
    uploadThroughput: 1e6 / 8,
  });
  const opened = Date.now();
  await page.goto(`${box.base}/watch/${box.video}`);
  await page.until(hasButton);
  const shown = Date.now() - opened;
  const first = await page.evaluate(() => {
    const video = document.querySelector('video');
    globalThis.stalls = [];
    video.addEventListener('waiting', () =>
      globalThis.stalls.push({ at: video.currentTime, from: performance.now() }),
    );
    video.addEventListener('playing', () => {
      const last = globalThis.stalls.at(-1);
      if (last) last.ms ??= performance.now() - last.from;
    });
    const painted = globalThis.painted((element) => !element.paused);
    document.querySelector('button[aria-label="Play"]').click();
    return painted;
  });
  await page.evaluate(
    () => void (globalThis.stalls = globalThis.stalls.filter(({ at }) => at > 0.5)),
  );
  await wait(SLOW_SECONDS * 1000);
  const { stalls, at, lines } = await page.evaluate(() => {
    const video = document.querySelector('video');
    return { stalls: globalThis.stalls, at: video.currentTime, lines: video.videoHeight };
  });
  await browser.close();
  return { shown, first, stalls, at, lines };
}

const folder = mkdtempSync(join(tmpdir(), 'lectern-speed-'));
const box = await openBox();
try {
  box.video = await upload(box, film(folder), 'A long film');
  while ((await newestVersion(box, box.video)).state !== 'ready') await wait(500);
  const who = await box.learner();
  const rounds = async (measure) => {
    const all = [];
    for (let round = 0; round < ROUNDS; round += 1) all.push(await measure(box, who));
    return all;
  };
  console.log(`first frame after pressing play: ${spread(await rounds(firstFrame(isReady)))}`);
  console.log(
    `first frame after pressing play as soon as there is a button: ${spread(await rounds(firstFrame(hasButton)))}`,
  );
  console.log(
    `first frame after pressing a video in the library: ${spread(await rounds(fromLibrary))}`,
  );
  console.log(`seek to what is not buffered: ${spread(await seeks(box, who))}`);
  // Somebody new: who was there before goes on where they were.
  const slow = await slowLine(box, await box.learner());
  const stalled = slow.stalls.map(
    ({ at, ms }) => `${Math.round(ms ?? -1)} ms at ${at.toFixed(1)} s`,
  );
  console.log(
    `1 Mbit/s: page after ${slow.shown} ms, first frame ${Math.round(slow.first)} ms after pressing play, ` +
      `${slow.at.toFixed(0)} s played in ${SLOW_SECONDS} s at ${slow.lines} lines, stalls: ${stalled.join(', ') || 'none'}`,
  );
} finally {
  await box.close();
  rmSync(folder, { recursive: true, force: true });
}
