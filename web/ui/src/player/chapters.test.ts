import { describe, expect, it } from 'vitest';

import { chapterAt, chapterStep } from './chapters';

const chapters = [
  { start_ms: 1000, title: 'a' },
  { start_ms: 60_000, title: 'b' },
  { start_ms: 90_000, title: 'c' },
];

describe('chapters', () => {
  it('are found by time, and there is none before the first', () => {
    expect(chapterAt(chapters, 0)).toBeNull();
    expect(chapterAt(chapters, 1)?.title).toBe('a');
    expect(chapterAt(chapters, 89.9)?.title).toBe('b');
    expect(chapterAt(chapters, 1e6)?.title).toBe('c');
  });

  it('lead to the next one, or back to the beginning of this one and then to the one before', () => {
    expect(chapterStep(chapters, 10, 1)?.title).toBe('b');
    expect(chapterStep(chapters, 95, 1)).toBeNull();
    expect(chapterStep(chapters, 80, -1)?.title).toBe('b');
    expect(chapterStep(chapters, 61, -1)?.title).toBe('a');
    expect(chapterStep(chapters, 0, -1)?.title).toBe('a');
    expect(chapterStep([], 5, -1)).toBeNull();
  });
});
