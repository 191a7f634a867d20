// Pages of other people's software in a real Chromium, and what they send: every statement is taken from the wire, read
// back from the box and compared.
import assert from 'node:assert/strict';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Serves what `made` says for a path (text, or an object as JSON), else a file of `node_modules`. */
export async function serve(made) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://box');
    const found = made[pathname];
    const file = join(import.meta.dirname, 'node_modules', pathname);
    response.setHeader('Content-Type', TYPES[extname(pathname)] ?? 'application/octet-stream');
    if (found !== undefined) {
      response.end(typeof found === 'string' ? found : JSON.stringify(found));
    } else if (!pathname.includes('..') && existsSync(file)) {
      createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { base: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((done) => server.close(done)) };
}

/** Opens a page, waits until it says that it is done (`window.done`), and gives back the statements that it sent. */
export async function statementsOf(url) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  try {
    const page = await browser.newPage();
    const sent = [];
    const failed = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname !== '/xapi/statements' || !['POST', 'PUT'].includes(request.method())) return;
      // Chromium shows no body that is a Blob, as one with attachments is: the page says itself what was in it.
      if (request.postData() === null) return;
      const body = request.postDataJSON();
      for (const statement of Array.isArray(body) ? body : [body]) {
        sent.push({ id: searchParams.get('statementId') ?? undefined, ...statement });
      }
    });
    page.on('response', (response) => {
      if (response.url().includes('/xapi/') && response.status() >= 400 && response.status() !== 404) {
        failed.push(`${response.request().method()} ${response.url()}: ${response.status()}`);
      }
    });
    page.on('pageerror', (error) => failed.push(String(error)));
    await page.goto(url);
    await page.waitForFunction('window.done !== undefined', undefined, { timeout: 60_000 });
    assert.deepEqual(failed, []);
    return { sent, done: await page.evaluate('window.done') };
  } finally {
    await browser.close();
  }
}
