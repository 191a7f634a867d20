/** Whole statements have the shape of Video Profile 1.0 (2.3 to 2.7) and of `contract.md`, *A video's statements*. */
import { describe, expect, it } from 'vitest';
import { boxClock, slept } from '../src/player/box-clock';
import { Sensor } from '../src/player/sensor';
import { statement, type Viewing } from '../src/player/statement';

const viewing: Viewing = {
  actor: { objectType: 'Agent', account: { homePage: 'https://box.lectern.invalid', name: 'a1' } },
  activity_id: 'https://box.lectern.invalid/videos/v1',
  registration: '6d6d6bd0-9c3d-4d0b-8bd0-9c3d4d0b8bd0',
  version: 2,
  title: 'Heat',
  language: 'en',
  session: '11111111-1111-4111-8111-111111111111',
  user_agent: 'test',
};
const device = { time: '2026-11-23T18:00:05.000Z', 'offset-ms': 5000 };
const V = 'https://w3id.org/xapi/video/extensions/';

const sensor = new Sensor({ length_s: 10, completion: { rule: 'watched', threshold: 0.9 } });
const start = Date.parse('2026-11-23T18:00:00.000Z');
const drafts = [
  ...sensor.step({
    type: 'load',
    wall_ms: start,
    media_s: 0,
    value: { captions: 'en', quality: 480, hidden: true },
  }),
  ...sensor.step({ type: 'play', wall_ms: start, media_s: 0 }),
  ...sensor.step({ type: 'pause', wall_ms: start + 4000, media_s: 4 }),
];
const [initialized, played, paused] = drafts.map((draft, n) =>
  statement(draft, viewing, `id-${n}`, device),
);

describe('statements', () => {
  it('the session is the id of its initialized statement', () => {
    expect(initialized?.id).toBe(viewing.session);
    for (const s of [initialized, played, paused]) {
      expect(s).toMatchObject({ context: { extensions: { [`${V}session-id`]: viewing.session } } });
    }
  });

  it('initialized tells the whole state of the player, captions under both names', () => {
    expect(initialized).toMatchObject({
      verb: { id: 'http://adlnet.gov/expapi/verbs/initialized' },
      context: {
        extensions: {
          [`${V}length`]: 10,
          [`${V}completion-threshold`]: 0.9,
          [`${V}cc-subtitle-enabled`]: true,
          [`${V}cc-enabled`]: true,
          [`${V}cc-subtitle-lang`]: 'en',
          [`${V}quality`]: 480,
          [`${V}speed`]: '1x',
          [`${V}volume`]: 1,
          [`${V}full-screen`]: false,
          [`${V}user-agent`]: 'test',
        },
      },
    });
    expect(initialized).not.toHaveProperty('result');
  });

  it('every statement has the category, registration, revision and activity of the contract', () => {
    for (const s of [initialized, played, paused]) {
      expect(s).toMatchObject({
        actor: viewing.actor,
        object: {
          id: viewing.activity_id,
          definition: { type: 'https://w3id.org/xapi/video/activity-type/video' },
        },
        context: {
          registration: viewing.registration,
          revision: '2',
          contextActivities: { category: [{ id: 'https://w3id.org/xapi/video' }] },
          extensions: { 'https://lectern.invalid/xapi/extensions/device-clock': device },
        },
      });
    }
  });

  it('what was hidden stands beside what was played, and nothing but completed tells completion', () => {
    expect(paused).toMatchObject({
      timestamp: '2026-11-23T18:00:04.000Z',
      result: {
        extensions: {
          [`${V}time`]: 4,
          [`${V}progress`]: 0.4,
          [`${V}played-segments`]: '0[.]4',
          'https://lectern.invalid/xapi/extensions/hidden-segments': '0[.]4',
        },
      },
    });
    expect(paused?.['result']).not.toHaveProperty('completion');
  });
});

describe('the box’s clock', () => {
  it('goes on by the monotonic clock, whatever the device’s own says', () => {
    let monotonic = 1000;
    const clock = boxClock(
      '2026-11-23T18:00:00.000Z',
      () => monotonic,
      () => Date.parse('2020-01-01T00:00:00Z'),
    );
    monotonic += 2500;
    expect(clock.now()).toBe(start + 2500);
    expect(clock.device()['offset-ms']).toBe(Date.parse('2020-01-01T00:00:00Z') - start - 2500);
  });

  it('makes up for a sleep in which the monotonic clock stood still', () => {
    let monotonic = 1000;
    let wall = Date.parse('2026-11-23T18:00:07Z');
    const clock = boxClock(
      '2026-11-23T18:00:00.000Z',
      () => monotonic,
      () => wall,
    );
    monotonic += 500;
    wall += 500 + 3_600_000;
    expect(clock.now()).toBe(start + 3_600_500);
    monotonic += 1000;
    wall += 1000;
    expect(clock.now()).toBe(start + 3_601_500);
    expect(clock.device()['offset-ms']).toBe(7000);
  });

  it.each([
    ['both clocks go on', 60_000, 60_000, 0],
    ['the device slept', 200, 90_200, 90_000],
    ['a moment is no sleep', 1000, 2500, 0],
    ['the device’s own clock is put back', 1000, -3_600_000, 0],
  ])('%s', (_, monotonic_ms, wall_ms, missed) => {
    const zero = { monotonic_ms: 0, wall_ms: 0 };
    expect(slept(zero, { monotonic_ms, wall_ms })).toBe(missed);
  });
});
