/** The player says `completed` where the box finds it: the same rows as `tracking/analytics/src/rule.rs` decides. */
import { expect, it } from 'vitest';
import { isCompleted } from '../src/player/completion';
import type { Segment } from '../src/player/segments';
import type { Completion } from '../src/player/sensor-events';

const end: Completion = { rule: 'end' };
const watched = (threshold: number): Completion => ({ rule: 'watched', threshold });

it.each<[string, Completion, Segment[], number, boolean]>([
  ['nothing seen is never complete', end, [], 0, false],
  ['the last second, entered', end, [[28, 29.001]], 30, true],
  ['the last second, not entered', end, [[0, 29]], 30, false],
  ['of a very short video its second half', end, [[0, 0.501]], 1, true],
  ['and not its first', end, [[0, 0.5]], 1, false],
  ['nine tenths', watched(0.9), [[0, 18]], 20, true],
  ['a millisecond less than nine tenths', watched(0.9), [[0, 17.999]], 20, false],
  [
    'in pieces',
    watched(0.9),
    [
      [0, 9],
      [11, 20],
    ],
    20,
    true,
  ],
  ['all but a second is all', watched(1), [[0, 19]], 20, true],
  ['more than a second missing', watched(1), [[0, 18.999]], 20, false],
  ['less than all has no slack', watched(0.99), [[0, 19.7]], 20, false],
  ['shares are whole percents', watched(0.07), [[0, 7]], 100, true],
])('%s', (_, completion, shown, length_s, complete) => {
  expect(isCompleted(completion, shown, length_s)).toBe(complete);
});
