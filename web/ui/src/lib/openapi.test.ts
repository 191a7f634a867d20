// The generated types must be those of the committed description.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import openapi, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

it('the types are made from web/openapi.json as it is (npm run types)', async () => {
  const description = new URL('../../../openapi.json', import.meta.url);
  const generated = astToString(await openapi(description));
  const committed = readFileSync(fileURLToPath(new URL('./openapi.d.ts', import.meta.url)), 'utf8');
  expect(committed.endsWith(generated)).toBe(true);
}, 30_000);
