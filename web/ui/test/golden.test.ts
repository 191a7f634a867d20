/** The golden event sequences make exactly the statements that the box's folds are tested with. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, visible } from '../src/player/segments';
import { Sensor } from '../src/player/sensor';
import type { Completion, Draft, Prior, SensorEvent } from '../src/player/sensor-events';

interface Case {
  name: string;
  length_s: number;
  completion: Completion;
  registration_prior?: Prior;
  events: SensorEvent[];
  statements: Draft[];
  retention: { views: number[]; viewers: number[]; hidden_views: number[] };
}

const folder = fileURLToPath(new URL('../../../tracking/golden/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): Case[] =>
  (JSON.parse(readFileSync(folder + name, 'utf8')) as { cases: Case[] }).cases;

describe.each(files)('%s', (file) => {
  it.each(read(file))('$name', (golden) => {
    const sensor = new Sensor({
      length_s: golden.length_s,
      completion: golden.completion,
      prior: golden.registration_prior,
    });
    const statements = golden.events.flatMap((event) => sensor.step(event));
    expect(statements).toEqual(golden.statements);
  });

  it.each(read(file))('$name: a second with viewers is one that the segments show', (golden) => {
    const last = golden.statements.at(-1)?.result ?? {};
    const shown = visible(
      parse(last['played-segments'] ?? ''),
      parse(last['hidden-segments'] ?? ''),
    );
    expect(golden.retention.viewers).toHaveLength(Math.ceil(golden.length_s));
    golden.retention.viewers.forEach((viewers, second) => {
      const end = Math.min(second + 1, golden.length_s);
      const covered = shown.reduce(
        (sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, second)),
        0,
      );
      if (viewers > 0) expect(covered).toBeGreaterThanOrEqual((end - second) / 2 - 1e-9);
    });
  });
});

it('has at least fifteen cases', () => {
  expect(files.flatMap(read).length).toBeGreaterThanOrEqual(15);
});
