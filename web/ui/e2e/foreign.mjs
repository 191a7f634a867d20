/**
 * Issue 3, *Must show* 3: other people's players play what the box serves. hls.js on a bare page, Shaka Player on DASH,
 * and ffprobe, all from another origin, with the addresses that `play` answers; one begins while the ladder is being made.
 * Run: `node e2e/foreign.mjs [name of a check…]`; see `lib/box.mjs` for the box it runs against. FILM names another film.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { newestVersion, openBox, upload } from './lib/box.mjs';
import { runChecks } from './lib/checks.mjs';
import { Chromium } from './lib/chromium.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const FILM = process.env.FILM ?? here('../../../media/vod/samples/big-buck-bunny-480p-30s.mp4');
const SCRIPTS = {
  '/hls.js': here('../node_modules/hls.js/dist/hls.min.js'),
  '/shaka.js': here('../node_modules/shaka-player/dist/shaka-player.compiled.js'),
};
/** What ffprobe 5.1 says of every HLS presentation with subtitles. */
const KNOWN = /Can't support the subtitle/;

const box = await openBox();
const pages = await barePages();
const browser = await Chromium.launch();
let video;

const checks = [];
const check = (name, run) => checks.push({ name, run });

check('growing: hls.js begins at the beginning while the ladder is still being made', async () => {
  video = await upload(box, FILM, 'For other players');
  const since = Date.now();
  await reached(video, ['playable', 'ready']);
  console.log(`     playable ${Date.now() - since} ms after the upload`);
  const page = await browser.page(`${pages.base}/hls.html`);
  await start(page, (await play(video)).hls);
  const { state } = await newestVersion(box, video);
  if (state === 'ready') console.log('     the ladder was ready before the page was');
  await watched(page, 3);
  assert.ok((await page.evaluate(() => window.began)) < 0.5, 'began at 0');
  await page.close();
  await reached(video, ['ready']);
});

check('report: it says for each rung whether it was encoded or remuxed, and why', async () => {
  const { renditions } = await newestVersion(box, video);
  assert.ok(renditions.length > 0);
  for (const { height, made, reason } of renditions)
    assert.ok(['encoded', 'remuxed'].includes(made) && reason.length > 10, `${height}: ${reason}`);
});

check('hls.js plays the whole ladder, seeks and reaches the end', async () => {
  await captions(video);
  await plays('hls', (await play(video)).hls);
});

check('shaka: Shaka Player plays the DASH manifest, seeks and reaches the end', async () => {
  await plays('shaka', (await play(video)).dash);
});

check('ffprobe: both manifests are read without a message', async () => {
  const { hls, dash } = await play(video);
  for (const address of [hls, dash]) {
    const { stderr, stdout, status } = spawnSync(
      'ffprobe',
      ['-v', 'warning', '-show_entries', 'stream=codec_type,height', '-of', 'json', url(address)],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    const said = stderr.split('\n').filter((line) => line.trim() && !KNOWN.test(line));
    assert.deepEqual(said, [], address);
    const kinds = JSON.parse(stdout).streams.map(({ codec_type }) => codec_type);
    assert.ok(kinds.includes('video') && kinds.includes('audio'), String(kinds));
  }
});

try {
  process.exitCode = (await runChecks(checks, process.argv.slice(2))) > 0 ? 1 : 0;
} finally {
  await browser.close();
  pages.close();
  await box.close();
}

/** Pages with a video element and one player each, from an origin of their own. */
async function barePages() {
  const page = (script, begin) => `<!doctype html><meta charset="utf-8"><title>bare</title>
    <video muted></video><script src="${script}"></script><script>
      const video = document.querySelector('video');
      video.addEventListener('loadeddata', () => (window.began ??= video.currentTime));
      window.begin = async (address) => { ${begin}; await video.play(); };
    </script>`;
  const bodies = {
    '/hls.html': page(
      '/hls.js',
      `const hls = new Hls();
       hls.on(Hls.Events.ERROR, (_, { details, fatal }) => console.error('hls.js', details, fatal));
       hls.loadSource(address); hls.attachMedia(video);
       await new Promise((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, resolve));
       window.renditions = hls.levels.length`,
    ),
    '/shaka.html': page(
      '/shaka.js',
      `shaka.polyfill.installAll(); const player = new shaka.Player(); await player.attach(video);
       player.addEventListener('error', ({ detail }) => console.error('Shaka', detail.code));
       await player.load(address);
       window.renditions = new Set(player.getVariantTracks().map(({ height }) => height).filter(Boolean)).size`,
    ),
  };
  const server = createServer((request, response) => {
    const body =
      bodies[request.url] ?? (SCRIPTS[request.url] && readFileSync(SCRIPTS[request.url]));
    const type = request.url.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(body ? 200 : 404, { 'Content-Type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function url(address) {
  return new URL(address, box.base).href;
}

async function play(id) {
  const answer = await fetch(`${box.base}/api/v1/videos/${id}/play`, {
    method: 'POST',
    headers: { ...box.teacher, 'Content-Type': 'application/json' },
    body: '{}',
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function captions(id) {
  const answer = await fetch(`${box.base}/api/v1/videos/${id}/captions/en`, {
    method: 'PUT',
    headers: { ...box.teacher, 'Content-Type': 'text/vtt' },
    body: 'WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nA meadow in the morning\n',
  });
  assert.ok(answer.ok, await answer.text());
}

async function reached(id, states, within_ms = 180_000) {
  const deadline = Date.now() + within_ms;
  for (;;) {
    const version = await newestVersion(box, id);
    if (states.includes(version.state)) return version;
    assert.notEqual(version.state, 'failed', version.error);
    assert.ok(Date.now() < deadline, `still ${version.state}, ${version.progress}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function start(page, address) {
  await page.evaluate((at) => window.begin(at), url(address));
}

/** Until the picture has gone `seconds` on from where it stands. */
async function watched(page, seconds) {
  const from = await page.evaluate(() => document.querySelector('video').currentTime);
  await page.until(
    `document.querySelector('video').currentTime >= ${from + seconds}`,
    `${seconds} s of playing from ${from}`,
    60_000,
  );
}

async function plays(player, address) {
  const { renditions, duration_ms } = await newestVersion(box, video);
  const page = await browser.page(`${pages.base}/${player}.html`);
  await start(page, address);
  const rungs = renditions.filter(({ height }) => height > 0).length;
  assert.ok((await page.evaluate(() => window.renditions)) >= rungs, 'every rung is offered');
  const length = await page.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(length - duration_ms / 1000) < 0.1, `duration ${length}`);
  await watched(page, 3);
  const late = Math.max(0, duration_ms / 1000 - 4);
  await page.evaluate((to) => void (document.querySelector('video').currentTime = to), late);
  await page.until(() => document.querySelector('video').ended, 'the end', 60_000);
  assert.deepEqual(page.console, []);
  await page.close();
}
