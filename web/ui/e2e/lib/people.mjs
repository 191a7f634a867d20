/** People in a real Chromium, each with a browser of their own, signed in to a box. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';

export async function openPeople(box) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  });
  const errors = [];
  const checks = [];
  return {
    checks,
    /** Adds a check that also fails where a script did, on anybody's page. */
    check: (name, run) =>
      checks.push({
        name,
        run: async () => {
          await run();
          assert.deepEqual(errors, [], 'a script failed on the page');
        },
      }),
    async person({ name, password }) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(`${box.base}/signin`);
      await page.locator('input[name=username]').fill(name);
      await page.locator('input[name=password]').fill(password);
      await page.locator('form button.primary').click();
      await page.waitForURL(`${box.base}/`);
      return page;
    },
    close: () => browser.close(),
  };
}

/** Keeps a picture of the page in the folder SHOTS, where there is one. */
export async function shot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}
