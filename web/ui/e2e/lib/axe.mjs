/** axe-core on a page of Playwright's: what it finds, in short. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Violations of WCAG 2.1 A and AA and of axe's best practice, as they stand on the page now. */
export async function violationsOf(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    });
    return violations.map((one) => ({
      rule: one.id,
      help: one.help,
      nodes: one.nodes
        .slice(0, 4)
        .map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
    }));
  });
}
