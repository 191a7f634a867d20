/** Laws of the sensor under random use: it never adds what was not shown, and always tells a story that holds together. */
import { describe, expect, it } from 'vitest';
import { isoDuration } from '../src/player/duration';
import {
  parse,
  print,
  ratio,
  replayed,
  total,
  union,
  visible,
  type Segment,
} from '../src/player/segments';
import { Sensor } from '../src/player/sensor';
import type { Draft, SensorEvent } from '../src/player/sensor-events';
import { uuid4 } from '../src/player/uuid';

/** mulberry32: the same numbers for the same seed on every machine. */
function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A player that behaves as browsers do, and keeps a book of what it really showed. */
class Browser {
  readonly shown: Segment[] = [];
  readonly hiddenShown: Segment[] = [];
  readonly statements: Draft[] = [];
  readonly sensor: Sensor;
  private wall = 0;
  private media = 0;
  private playing = false;
  private rate = 1;
  private hidden = false;

  constructor(
    readonly length: number,
    private readonly random: () => number,
  ) {
    this.sensor = new Sensor({ length_s: length, completion: { rule: 'watched', threshold: 0.9 } });
    this.send({ type: 'load' });
  }

  act(): void {
    const roll = this.random();
    if (roll < 0.4) this.runFor(this.random() * 4000);
    else if (roll < 0.7) this.seek();
    else if (roll < 0.78) this.toggle();
    else if (roll < 0.86) this.setRate([0.5, 1, 1.5, 2][Math.floor(this.random() * 4)] ?? 1);
    else if (roll < 0.92) this.setHidden(!this.hidden);
    else if (roll < 0.96) this.send({ type: 'mute', value: this.random() < 0.5 });
    else this.runFor(this.random() * 400);
  }

  play(): void {
    if (this.playing) return;
    if (this.media >= this.length) {
      this.media = 0;
      this.send({ type: 'seeking' });
      this.playing = true;
      this.send({ type: 'play' });
      this.wall += 80;
      this.send({ type: 'seeked' });
      return;
    }
    this.playing = true;
    this.send({ type: 'play' });
  }

  seek(to = this.random() < 0.1 ? this.length : this.random() * this.length): void {
    const steps = 1 + Math.floor(this.random() * 3);
    for (let i = 0; i < steps; i++) {
      this.media = i === steps - 1 ? to : this.random() * this.length;
      this.send({ type: 'seeking' });
      this.wall += this.random() * 200;
      // Browsers do send these in mid-seek, with the target's time.
      if (this.random() < 0.5) this.send({ type: 'tick' });
      if (this.random() < 0.1) this.toggle();
      if (this.random() < 0.7 || i === steps - 1) this.send({ type: 'seeked' });
    }
    this.endIfThere();
  }

  close(): void {
    this.send({ type: 'close' });
  }

  private toggle(): void {
    if (this.playing) {
      this.playing = false;
      this.send({ type: 'pause' });
    } else this.play();
  }

  private setRate(rate: number): void {
    this.rate = rate;
    this.send({ type: 'rate', value: rate });
  }

  private setHidden(hidden: boolean): void {
    this.hidden = hidden;
    this.send({ type: 'visibility', value: hidden ? 'hidden' : 'visible' });
  }

  private runFor(ms: number): void {
    let left = ms;
    while (left > 0) {
      const slice = Math.min(left, 20 + this.random() * 300);
      left -= slice;
      this.wall += slice;
      if (this.playing && this.random() > 0.05) {
        const from = this.media;
        this.media = Math.min(this.length, this.media + (slice / 1000) * this.rate);
        this.shown.push([from, this.media]);
        if (this.hidden) this.hiddenShown.push([from, this.media]);
      }
      this.send({ type: 'tick' });
      this.endIfThere();
    }
  }

  private endIfThere(): void {
    if (!this.playing || this.media < this.length) return;
    this.playing = false;
    this.send({ type: 'pause' });
    this.send({ type: 'ended' });
  }

  private send(event: { type: string; value?: unknown }): void {
    const full = { ...event, wall_ms: this.wall, media_s: this.media } as SensorEvent;
    this.statements.push(...this.sensor.step(full));
  }
}

/** Seconds of `inner` that `outer` does not cover. */
function outside(inner: readonly Segment[], outer: readonly Segment[]): number {
  return total(union([...inner, ...outer])) - total(union(outer));
}

const ROUNDING = 0.002;

describe('random use', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed + 1);

  it.each(seeds)('seed %i: 200 random seeks never add a second that was not shown', (seed) => {
    const random = seeded(seed);
    const browser = new Browser(20 + random() * 600, random);
    browser.play();
    for (let i = 0; i < 200; i++) {
      browser.seek();
      if (random() < 0.5) browser.play();
      for (let j = random() * 3; j > 0; j--) browser.act();
    }
    browser.close();
    const last = browser.statements.at(-1);
    const played = parse(last?.result['played-segments'] ?? '');
    const pieces = played.length + 1;
    expect(outside(played, browser.shown)).toBeLessThan(ROUNDING * pieces);
    expect(total(played)).toBeLessThan(total(browser.shown) + ROUNDING * pieces);
    const hidden = parse(last?.result['hidden-segments'] ?? '');
    expect(outside(hidden, browser.hiddenShown)).toBeLessThan(ROUNDING * pieces);
    // And it forgets no more than what flashed by within a gesture.
    expect(total(played)).toBeGreaterThan(total(browser.shown) * 0.85 - 1);
  });

  it.each(seeds)('seed %i: the statements tell one story', (seed) => {
    const random = seeded(1000 + seed);
    const browser = new Browser(20 + random() * 100, random);
    for (let i = 0; i < 150; i++) browser.act();
    browser.close();
    const verbs = browser.statements.map((statement) => statement.verb);
    expect(verbs[0]).toBe('initialized');
    expect(verbs.at(-1)).toBe('terminated');
    expect(verbs.filter((verb) => verb === 'completed').length).toBeLessThanOrEqual(1);
    let playing = false;
    let at: number | undefined;
    let before = '';
    let wall = 0;
    for (const { verb, result, wall_ms } of browser.statements) {
      expect(wall_ms).toBeGreaterThanOrEqual(wall);
      wall = wall_ms;
      if (verb === 'played') expect(playing).toBe(false);
      if (verb === 'paused') expect(playing).toBe(true);
      if (verb === 'played' || verb === 'paused') playing = verb === 'played';
      if (verb === 'terminated') expect(playing).toBe(false);
      if (verb === 'seeked') {
        expect(result['time-from']).not.toBe(result['time-to']);
        // While paused the clock stands: a seek begins where the story left off.
        if (!playing && at !== undefined)
          expect(Math.abs((result['time-from'] ?? 0) - at)).toBeLessThan(0.11);
      }
      at = result['time-to'] ?? result.time ?? at;
      const segments = result['played-segments'];
      if (segments !== undefined) {
        expect(parse(segments).length).toBeGreaterThanOrEqual(parse(before).length);
        for (const [from, to] of parse(segments)) expect(to).toBeGreaterThan(from);
        expect(result.progress).toBe(ratio(parse(segments), browser.length));
        before = segments;
      }
    }
  });

  it('what a closed tab would say is what closing says', () => {
    const browser = new Browser(60, seeded(7));
    for (let i = 0; i < 80; i++) {
      browser.act();
      const once = browser.sensor.ifClosed();
      expect(browser.sensor.ifClosed()).toEqual(once);
      expect(once.at(-1)?.verb).toBe('terminated');
    }
    const would = browser.sensor.ifClosed();
    const said = browser.statements.length;
    browser.close();
    expect(browser.statements.slice(said).map(({ verb, result }) => ({ verb, result }))).toEqual(
      would.map(({ verb, result }) => ({ verb, result })),
    );
  });
});

describe('edges', () => {
  it('nothing is said before load and after close', () => {
    const sensor = new Sensor({ length_s: 10, completion: { rule: 'end' } });
    expect(sensor.step({ type: 'play', wall_ms: 0, media_s: 0 })).toEqual([]);
    sensor.step({ type: 'load', wall_ms: 0, media_s: 0 });
    sensor.step({ type: 'close', wall_ms: 1, media_s: 0 });
    expect(sensor.step({ type: 'play', wall_ms: 2, media_s: 0 })).toEqual([]);
    expect(sensor.step({ type: 'close', wall_ms: 3, media_s: 0 })).toEqual([]);
  });

  it('a choice of quality is said, and so is giving it back', () => {
    const sensor = new Sensor({ length_s: 100, completion: { rule: 'end' } });
    sensor.step({ type: 'load', wall_ms: 0, media_s: 0, value: { quality: 480 } });
    const say = (value: number | 'auto', wall_ms: number) => {
      sensor.step({ type: 'quality', value, wall_ms, media_s: 0 });
      return sensor.step({ type: 'tick', wall_ms: wall_ms + 2000, media_s: 0 });
    };
    expect(say(240, 1000)).toMatchObject([{ verb: 'interacted', context: { quality: 240 } }]);
    expect(say('auto', 5000)).toMatchObject([{ verb: 'interacted', context: { quality: 'auto' } }]);
  });

  it('numbers have three decimals at most and stay within the video', () => {
    const sensor = new Sensor({ length_s: 10, completion: { rule: 'end' } });
    sensor.step({ type: 'load', wall_ms: 0, media_s: 0 });
    sensor.step({ type: 'play', wall_ms: 0, media_s: 0.12345678 });
    const [paused] = sensor.step({ type: 'pause', wall_ms: 10_400, media_s: 10.04 });
    expect(paused?.result).toMatchObject({ time: 10, 'played-segments': '0.123[.]10' });
  });
});

describe('segments', () => {
  it('print and parse are each other’s inverse', () => {
    const segments: Segment[] = [
      [0, 10],
      [20.125, 25],
      [5, 8.5],
    ];
    expect(print(segments)).toBe('0[.]10[,]20.125[.]25[,]5[.]8.5');
    expect(parse(print(segments))).toEqual(segments);
    expect(parse('')).toEqual([]);
  });

  it('what does not read as a segment is left out', () => {
    expect(parse('0[.]5[,]x[.]7[,]9[.]8[,][.]3[,]4[.]4[,]1[.]2[.]3')).toEqual([[0, 5]]);
  });

  it('any order of segments gives the same union', () => {
    const random = seeded(3);
    const segments = Array.from({ length: 40 }, (): Segment => {
      const from = random() * 100;
      return [from, from + 0.1 + random() * 10];
    });
    const once = union(segments);
    for (let i = 0; i < 20; i++)
      expect(union([...segments].sort(() => random() - 0.5))).toEqual(once);
  });

  it('overlaps count once for progress and show as replayed', () => {
    expect(
      ratio(
        [
          [14, 21],
          [18, 30],
        ],
        40,
      ),
    ).toBe(0.4);
    expect(
      replayed([
        [14, 21],
        [18, 30],
      ]),
    ).toEqual([[18, 21]]);
  });

  it('a hidden pass takes away one pass', () => {
    expect(
      visible(
        [
          [0, 10],
          [0, 10],
        ],
        [[2, 4]],
      ),
    ).toEqual([[0, 10]]);
    expect(visible([[0, 10]], [[2, 4]])).toEqual([
      [0, 2],
      [4, 10],
    ]);
  });
});

it('durations are ISO 8601', () => {
  expect([0, 27_000, 61_250, 3_600_000, 3_723_456].map(isoDuration)).toEqual([
    'PT0S',
    'PT27S',
    'PT1M1.25S',
    'PT1H',
    'PT1H2M3.46S',
  ]);
});

it('ids are version 4 UUIDs', () => {
  expect(uuid4()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuid4((bytes) => bytes.fill(255))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
});
