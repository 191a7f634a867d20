import { describe, expect, it } from 'vitest';

import { bytes, clock, day, eta, initials, span, stretches, wholePercent } from './format';

describe('percent', () => {
  it('is 100 only for all and 0 only for nothing', () => {
    expect([0, 0.0001, 0.455, 0.994, 0.999, 1].map(wholePercent)).toEqual([0, 1, 46, 99, 99, 100]);
  });
});

describe('a place in a video', () => {
  it('has hours only when it needs them', () => {
    expect([0, 7.9, 725, 3723].map(clock)).toEqual(['0:00', '0:07', '12:05', '1:02:03']);
  });
});

describe('lengths of time', () => {
  it('take the unit that fits', () => {
    expect(span(45_000)).toBe('45 sec');
    expect(span(39 * 60_000)).toBe('39 min');
    expect(span(5_400_000)).toBe('1.5 hr');
  });

  it('that still pass are rounded up, so that they do not flicker', () => {
    expect(eta(61_000)).toBe('2 min');
    expect(eta(12_000)).toBe('15 sec');
    expect(eta(200)).toBe('5 sec');
  });
});

describe('sizes', () => {
  it('are in the unit that fits', () => {
    expect(bytes(0)).toBe('0 bytes');
    expect(bytes(62_000_000)).toBe('62 MB');
    expect(bytes(1_450_000_000)).toBe('1.5 GB');
  });
});

describe('days', () => {
  const now = new Date(2026, 10, 23, 9);
  it('are near ones by name, far ones by date', () => {
    expect(day(new Date(2026, 10, 23, 1).toISOString(), now)).toBe('today');
    expect(day(new Date(2026, 10, 22, 23).toISOString(), now)).toBe('yesterday');
    expect(day(new Date(2026, 10, 3).toISOString(), now)).toMatch(/3/u);
    expect(day('nonsense', now)).toBe('unknown');
  });
});

describe('names and stretches', () => {
  it('are short', () => {
    expect(initials('Ada Obi')).toBe('AO');
    expect(initials('jonas')).toBe('J');
    expect(initials('')).toBe('');
    expect(
      stretches([
        [0, 1102],
        [1508, 1855],
      ]),
    ).toBe('0:00–18:22, 25:08–30:55');
  });
});
