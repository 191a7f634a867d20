import { describe, expect, it } from 'vitest';

import { parse, print } from './chapter-lines';

describe('chapters in lines', () => {
  it('are a time and a name each', () => {
    expect(parse('0:00 Intro\n\n 4:30.5 — The second law \n1:02:15 Questions: any?')).toEqual([
      { start_ms: 0, title: 'Intro' },
      { start_ms: 270_500, title: 'The second law' },
      { start_ms: 3_735_000, title: 'Questions: any?' },
    ]);
    expect(parse('')).toEqual([]);
  });

  it('name the line that is none', () => {
    for (const bad of ['Intro', '0:00', '0:60 x', '1:60:00 x', '5 x'])
      expect(parse(`0:00 a\n${bad}`), bad).toEqual({ line: 2 });
  });

  it('come back as they were printed', () => {
    const chapters = [
      { start_ms: 7, title: 'a' },
      { start_ms: 3_600_000, title: 'b c' },
      { start_ms: 86_400_000 - 500, title: 'c' },
    ];
    expect(parse(print(chapters))).toEqual(chapters);
  });
});
