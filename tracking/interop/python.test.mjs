// TinCanPython (`client.py`) over a real socket; `.ci/interop` makes the environment that it runs in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { startLectern } from './lectern.mjs';

const here = (name) => join(import.meta.dirname, name);

test('TinCanPython stores and reads statements, states and profiles', async () => {
  const lectern = await startLectern();
  try {
    const { key, secret } = lectern.run(['credential', 'add', '--name', 'python', '--scope', 'all']);
    const said = execFileSync(here('.venv/bin/python'), [here('client.py'), `${lectern.base}/xapi/`, key, secret], { encoding: 'utf8' });
    assert.equal(said, 'as sent\n');
  } finally {
    await lectern.stop();
  }
});
