import { describe, expect, it } from 'vitest';

import type { Mine, VideoItem } from './api-types';
import { preparing, watchedLong, watchedShort } from './watched';

const mine = (part: Partial<Mine>): Mine => ({
  watched: 0,
  segments: [],
  replayed: [],
  completed: false,
  resume_ms: 0,
  ...part,
});

describe('what someone watched, in words', () => {
  it('says where, not only how much', () => {
    expect(
      watchedLong(0.46, [
        [0, 1102],
        [1508, 1855],
      ]),
    ).toBe('46\u00a0% watched: 0:00–18:22, 25:08–30:55');
    expect(watchedLong(0, [])).toBe('Not started');
  });

  it('has short words for the ends of the way', () => {
    expect(watchedShort(null)).toBe('Not started');
    expect(watchedShort(mine({ watched: 0.004, segments: [[0, 3]] }))).toBe('Just begun');
    expect(watchedShort(mine({ watched: 0.93, segments: [[0, 1]], completed: true }))).toBe(
      'Watched',
    );
  });
});

describe('a video being prepared', () => {
  const video = (part: Partial<VideoItem>): VideoItem =>
    ({ state: 'playable', progress: 0.4, eta_ms: 350_000, ...part }) as VideoItem;

  it('says what can be done now and how long it still takes', () => {
    expect(preparing(video({ renditions_done: 2, renditions_total: 5 }))).toBe(
      'playable now · 2 of 5 renditions · 6 min left',
    );
  });

  it('promises nothing that it does not know', () => {
    expect(preparing(video({ state: 'queued' }))).toBe('waiting to be prepared');
    expect(preparing(video({ state: 'processing', eta_ms: null }))).toBe('not playable yet');
    expect(preparing(video({ state: 'failed' }))).toBe('could not be prepared');
  });
});
