/**
 * Issue 5, *Must show* 1: what the worker made of each hard input, played by a player that is not ours (Shaka Player), by
 * HLS and by DASH: it begins at 0, every rung and sound is offered, a seek near the end lands, and the end comes when it
 * should. `node e2e/kinds.mjs FOLDER [name…]`, where FOLDER is what `LECTERN_KEEP=FOLDER` kept of the worker's tests
 * (`make test-media` does both).
 */
import assert from 'node:assert/strict';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runChecks } from './lib/checks.mjs';
import { Chromium } from './lib/chromium.mjs';

const SHAKA = fileURLToPath(
  new URL('../node_modules/shaka-player/dist/shaka-player.compiled.js', import.meta.url),
);
const TYPES = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.vtt': 'text/vtt',
};
const PAGE = `<!doctype html><meta charset="utf-8"><title>kinds</title><video muted></video>
  <script src="/shaka.js"></script><script>
    const video = document.querySelector('video');
    video.addEventListener('loadeddata', () => (window.began ??= video.currentTime));
    window.begin = async (address) => {
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      await player.attach(video);
      player.addEventListener('error', ({ detail }) => console.error('Shaka', detail.code));
      await player.load(address).catch(({ code, data }) => {
        throw new Error('Shaka ' + code + ' ' + JSON.stringify(data));
      });
      const variants = player.getVariantTracks();
      await video.play();
      return {
        rungs: new Set(variants.map(({ height }) => height).filter(Boolean)).size,
        sounds: new Set(variants.map(({ audioId }) => audioId).filter((id) => id !== null)).size,
        texts: player.getTextTracks().length,
        duration: video.duration,
      };
    };
  </script>`;

const [folder, ...names] = process.argv.slice(2);
assert.ok(folder && existsSync(folder), 'node e2e/kinds.mjs FOLDER [name…]');
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, 'http://x').pathname);
  if (path === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
  if (path === '/shaka.js') return response.writeHead(200).end(readFileSync(SHAKA));
  const file = join(folder, path);
  if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await Chromium.launch();

const kinds = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'master.m3u8')));
assert.ok(names.length > 0 || kinds.length >= 40, `only ${kinds.length} kinds`);
const checks = kinds.flatMap((kind) =>
  ['master.m3u8', 'manifest.mpd'].map((manifest) => ({
    name: `${kind} by ${manifest.endsWith('mpd') ? 'DASH' : 'HLS'}`,
    run: () => plays(kind, manifest),
  })),
);
try {
  process.exitCode = (await runChecks(checks, names)) > 0 ? 1 : 0;
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}

async function plays(kind, manifest) {
  const mpd = readFileSync(join(folder, kind, 'manifest.mpd'), 'utf8');
  const count = (pattern) => [...mpd.matchAll(pattern)].length;
  const seconds = Number(/mediaPresentationDuration="PT([\d.]+)S"/.exec(mpd)[1]);
  const page = await browser.page(base);
  const found = await page.evaluate((at) => window.begin(at), `/${kind}/${manifest}`);
  // A rung of sound alone is a variant of HLS, too.
  assert.equal(found.rungs, count(/<Representation[^>]* height=/g), 'rungs');
  assert.ok(found.sounds >= Math.min(1, count(/contentType="audio"/g)), 'sounds');
  assert.equal(found.texts, count(/contentType="text"/g), 'texts');
  assert.ok(Math.abs(found.duration - seconds) < 0.1, `lasts ${found.duration}, not ${seconds}`);
  await page.until(`document.querySelector('video').currentTime > 0.5`, 'half a second', 20_000);
  assert.ok((await page.evaluate(() => window.began)) < 0.1, 'begins at 0');
  await page.evaluate((to) => void (document.querySelector('video').currentTime = to), seconds - 1);
  await page.until(() => document.querySelector('video').ended, 'the end', 20_000);
  const end = await page.evaluate(() => document.querySelector('video').currentTime);
  assert.ok(Math.abs(end - seconds) < 0.15, `ends at ${end}, not ${seconds}`);
  assert.deepEqual(page.console, []);
  await page.close();
}
