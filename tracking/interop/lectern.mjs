// A real lecternd on a free port in a state folder of its own; stopped by its `stop`.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const BINARY = resolve(import.meta.dirname, '../../target/release/lecternd');
const PATIENCE_MS = 120_000;

/** Starts lecternd: { base, run(args, input) → JSON, stop() }. */
export async function startLectern() {
  const folder = mkdtempSync(join(tmpdir(), 'lectern-'));
  const state = join(folder, 'state');
  const child = spawn(BINARY, ['serve', '--state', state, '--http', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async () => {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const [first] = await new Promise((done, fail) => {
    const lines = createInterface({ input: child.stdout });
    lines.once('line', (line) => done([line]));
    child.once('exit', (code) => fail(new Error(`lecternd ended with ${code}`)));
  });
  const base = `http://${/http=(\S+)/.exec(first)[1]}`;
  const run = (args, input = '') => JSON.parse(execFileSync(BINARY, ['--state', state, '--json', ...args], { input, encoding: 'utf8' }));
  return { base, run, stop };
}

/** Waits until the condition holds. */
export async function until(condition, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('waited too long');
    await new Promise((done) => setTimeout(done, 200));
  }
}
