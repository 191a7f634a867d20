import { describe, expect, it } from 'vitest';

import { reportLines } from './report';

describe('the report on a source file', () => {
  it('is sentences for a person', () => {
    const report = {
      container: 'MP4',
      duration_ms: 30_083,
      size_bytes: 4_139_823,
      video: {
        codec: 'H.264 High 3.0',
        width: 854,
        height: 480,
        frame_rate: { num: 24000, den: 1001 },
        bitrate_bps: 1_000_000,
        longest_gop_ms: 10_417,
      },
      audio: [{ codec: 'AAC-LC', channels: 2, sample_rate: 48_000, bitrate_bps: null }],
      notes: ['The sound ends early.'],
    };
    expect(reportLines(report)).toEqual([
      'MP4, 0:30, 4.1 MB',
      'Picture: H.264 High 3.0, 854 × 480, 23.98 frames a second, 1 Mb/s, key frames up to 10.4 s apart',
      'Sound: AAC-LC, stereo, 48 kHz',
      'The sound ends early.',
    ]);
  });

  it('of a shape that nobody knows yet is left out, not broken', () => {
    for (const report of [null, 7, 'x', [], {}, { video: 3, audio: 'no', notes: [4] }]) {
      expect(reportLines(report)).toEqual([]);
    }
  });
});
