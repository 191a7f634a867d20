import { expect, test } from 'vitest';

import { tableOf } from './identities';

test('a line is whom, a comma, semicolon or tab, and as whom', () => {
  const text =
    'ada,mailto:ada@uni.example\r\n\nbob; https://uni.example 4711\neve\tmailto:e@uni.example';
  expect(tableOf(text)).toEqual({
    rows: [
      { from: 'ada', to: 'mailto:ada@uni.example' },
      { from: 'bob', to: 'https://uni.example 4711' },
      { from: 'eve', to: 'mailto:e@uni.example' },
    ],
    wrong: null,
  });
  expect(tableOf('')).toEqual({ rows: [], wrong: null });
});

test('the first line that is none is named', () => {
  for (const line of ['ada', 'ada,', ',mailto:a@a']) {
    expect(tableOf(`bob,mailto:b@b\n${line}`)).toEqual({ rows: [], wrong: 2 });
  }
});
