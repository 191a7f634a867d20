import { describe, expect, it } from 'vitest';

import { lagCurve } from './lag';

const sample = (second: number, lag: number): { at: string; lag: number } => ({
  at: new Date(second * 1000).toISOString(),
  lag,
});

describe('the curve of what waits', () => {
  it('begins with two samples and stays inside its picture', () => {
    expect(lagCurve({ every_seconds: 10, samples: [sample(0, 1)] })).toBeNull();
    const curve = lagCurve({
      every_seconds: 10,
      samples: [sample(0, 0), sample(10, 40), sample(20, 10)],
    });
    expect(curve).toMatchObject({ now: 10, most: 40, isWhole: false });
    expect(curve?.line).toBe('0.0,47.0 180.0,2.0 360.0,35.8');
  });

  it('is flat where nothing waits', () => {
    const curve = lagCurve({ every_seconds: 10, samples: [sample(0, 0), sample(3590, 0)] });
    expect(curve).toMatchObject({ line: '0.0,47.0 360.0,47.0', most: 0, isWhole: true });
  });
});
