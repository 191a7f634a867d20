/**
 * Real Chromium by raw CDP over a pipe: no library between test and browser, so that a tab that is hidden is hidden
 * (Playwright keeps every page visible). CHROMIUM names another binary.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ANSWER_MS = 120_000;

export class Chromium {
  #process;
  #profile;
  #next = 1;
  #waiting = new Map();
  #listeners = new Set();

  static async launch({ hostRules, args = [], profile } = {}) {
    const browser = new Chromium();
    browser.#profile = profile ?? mkdtempSync(join(tmpdir(), 'lectern-e2e-'));
    browser.keepProfile = profile !== undefined;
    browser.#process = spawn(
      process.env.CHROMIUM ?? 'chromium',
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--mute-audio',
        '--window-size=1280,900',
        '--autoplay-policy=no-user-gesture-required',
        '--remote-debugging-pipe',
        `--user-data-dir=${browser.#profile}`,
        ...(hostRules ? [`--host-resolver-rules=${hostRules}`] : []),
        ...args,
        'about:blank',
      ],
      {
        stdio: [
          'ignore',
          'ignore',
          process.env.CHROMIUM_LOG ? 'inherit' : 'ignore',
          'pipe',
          'pipe',
        ],
      },
    );
    const [, , , into, from] = browser.#process.stdio;
    browser.#into = into;
    let rest = '';
    from.setEncoding('utf8');
    from.on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) browser.#hear(JSON.parse(message));
    });
    browser.#process.on('exit', () => {
      for (const { reject } of browser.#waiting.values()) reject(new Error('Chromium ended'));
      browser.#waiting.clear();
    });
    await browser.send('Browser.getVersion');
    return browser;
  }

  #into;

  #hear(message) {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    if (message.error) waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
    else waiting.resolve(message.result);
  }

  send(method, params = {}, sessionId) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      this.#waiting.set(id, { resolve, reject, method, timer });
      this.#into.write(
        `${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`,
      );
    });
  }

  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A new tab, in front. */
  async page(url = 'about:blank') {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, targetId, sessionId);
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.send('Network.enable');
    await page.front();
    if (url !== 'about:blank') await page.goto(url);
    return page;
  }

  /** As a person would end it: every page gets to say its last words. */
  async close() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.send('Browser.close').catch(() => undefined);
    await ended;
    this.#clean();
  }

  /** As a power cut would. */
  async kill() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    this.#clean();
  }

  #clean() {
    if (!this.keepProfile)
      rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

export class Page {
  constructor(browser, targetId, sessionId) {
    this.browser = browser;
    this.targetId = targetId;
    this.sessionId = sessionId;
    this.console = [];
    browser.on(({ method, params, sessionId: from }) => {
      if (from !== sessionId) return;
      if (method === 'Runtime.exceptionThrown')
        this.console.push(
          `exception: ${params.exceptionDetails.exception?.description ?? params.exceptionDetails.text}`,
        );
      if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
        this.console.push(`error: ${params.args.map((a) => a.value ?? a.description).join(' ')}`);
    });
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  front() {
    return this.browser.send('Target.activateTarget', { targetId: this.targetId });
  }

  close() {
    return this.browser.send('Target.closeTarget', { targetId: this.targetId });
  }

  async goto(url) {
    const loaded = new Promise((resolve) => {
      const off = this.browser.on(({ method, sessionId }) => {
        if (method !== 'Page.loadEventFired' || sessionId !== this.sessionId) return;
        off();
        resolve();
      });
    });
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** Runs `source` (an expression, or a function with JSON arguments) in the page and awaits it. */
  async evaluate(source, ...args) {
    const expression =
      typeof source === 'function'
        ? `(${source})(${args.map((a) => JSON.stringify(a)).join(',')})`
        : source;
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Until `source` is truthy in the page. */
  async until(source, what = String(source), within_ms = 30_000) {
    const deadline = Date.now() + within_ms;
    for (;;) {
      const value = await this.evaluate(source).catch(() => undefined);
      if (value) return value;
      if (Date.now() > deadline)
        throw new Error(`waited ${within_ms} ms in vain for ${what}\n${this.console.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async press(key, code = key, text = key.length === 1 ? key : undefined) {
    const virtual = {
      ' ': 32,
      Escape: 27,
      Tab: 9,
      Enter: 13,
      ArrowLeft: 37,
      ArrowUp: 38,
      ArrowRight: 39,
      ArrowDown: 40,
      Home: 36,
      End: 35,
      PageUp: 33,
      PageDown: 34,
    };
    const common = {
      key,
      code,
      windowsVirtualKeyCode: virtual[key] ?? key.toUpperCase().charCodeAt(0),
    };
    await this.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      ...common,
      ...(key === 'Enter' ? { text: '\r' } : text && { text }),
    });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  async mouse(type, x, y, more = {}) {
    await this.send('Input.dispatchMouseEvent', {
      type,
      x,
      y,
      button: type === 'mouseMoved' && !more.buttons ? 'none' : 'left',
      clickCount: 1,
      ...more,
    });
  }

  async click(selector) {
    const at = await this.evaluate((s) => {
      document.querySelector(s)?.scrollIntoView({ block: 'nearest', behavior: 'instant' });
      const box = document.querySelector(s)?.getBoundingClientRect();
      return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }, selector);
    if (!at) throw new Error(`nothing to click: ${selector}`);
    await this.mouse('mousePressed', at.x, at.y);
    await this.mouse('mouseReleased', at.x, at.y);
  }

  async screenshot(width, height) {
    if (width)
      await this.send('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: false,
      });
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data, 'base64');
  }
}
