import { describe, expect, it } from 'vitest';

import { asTable, mostAgain, peak, steepestDrop, windowOf } from './retention';

const flat = (length: number, value: number): number[] => Array.from({ length }, () => value);

describe('the steepest fall', () => {
  it('is found where people really leave, not a minute before', () => {
    const viewers = [...flat(1900, 100), ...flat(1000, 60)];
    expect(steepestDrop(viewers)).toEqual({ at: 1899, people: 40, window: 60 });
  });

  it('is not the end, where everyone leaves', () => {
    expect(steepestDrop([...flat(990, 50), ...flat(10, 0)])).toBeNull();
  });

  it('is not named for one person, or for few of many', () => {
    expect(steepestDrop([...flat(300, 1), ...flat(300, 0)])).toBeNull();
    expect(steepestDrop([...flat(300, 100), ...flat(300, 95)])).toBeNull();
  });

  it('looks at a shorter stretch in a short video', () => {
    expect(windowOf(30)).toBe(3);
    expect(windowOf(5)).toBe(2);
    expect(windowOf(7200)).toBe(60);
  });

  it('has nothing to say about an empty record', () => {
    expect(steepestDrop([])).toBeNull();
    expect(peak([])).toEqual({ at: 0, people: 0 });
  });
});

describe('what was watched again', () => {
  it('is the second with most views beyond the first of each person', () => {
    expect(mostAgain({ views: [3, 9, 4], viewers: [3, 4, 4] })).toEqual({ at: 1, times: 5 });
  });

  it('is not one stray replay', () => {
    expect(mostAgain({ views: [3, 4], viewers: [3, 3] })).toBeNull();
  });
});

describe('the table', () => {
  it('has at most the rows asked for and loses no peak', () => {
    const views = flat(95, 1);
    views[94] = 7;
    const rows = asTable({ version: 1, bucket_ms: 1000, views, viewers: views, hidden_views: [] });
    expect(rows).toHaveLength(19);
    expect(rows.at(-1)).toEqual({ from: 90, views: 7, viewers: 7, hidden: 0 });
  });
});
