import { describe, expect, it } from 'vitest';

import {
  change,
  faults,
  insert,
  join,
  lineAt,
  parse,
  print,
  readTime,
  shift,
  showTime,
  split,
  words,
} from './caption-doc';

const VTT = `WEBVTT

intro
00:00:01.000 --> 00:00:03.000 line:0
<v Ada>Force &amp; mass, a &lt; b</v>

00:00:03.500 --> 00:01:05.250
two
rows
`;
const times = (lines: { from_ms: number; to_ms: number }[]): number[][] =>
  lines.map(({ from_ms, to_ms }) => [from_ms, to_ms]);

describe('captions as a document', () => {
  it('come back as they were', () => {
    const lines = parse(VTT);
    expect(lines.map(({ text }) => text)).toEqual(['<v Ada>Force & mass, a < b</v>', 'two\nrows']);
    expect(lines[0]).toMatchObject({ name: 'intro', settings: 'line:0' });
    expect(print(lines)).toBe(VTT);
  });

  it('keep what somebody writes from becoming a tag', () => {
    const lines = parse(VTT);
    const text = 'a <script> & 1 < 2 <i>yes</i> &nbsp;';
    const again = parse(print(change(lines, 0, { text })));
    expect(again[0]?.text).toBe(text);
    expect(print(again)).toContain('a &lt;script&gt; &amp; 1 &lt; 2 <i>yes</i> &nbsp;');
    expect(words('<v Ada>a < b</v>')).toBe('a < b');
  });

  it('leave out what cannot be shown', () => {
    const lines = change(parse(VTT), 0, { text: '  ' });
    expect(faults(lines, 0)).toContain('empty');
    expect(parse(print(lines))).toHaveLength(1);
    expect(faults(change(parse(VTT), 1, { to_ms: 3_500 }), 1)).toContain('order');
  });

  it('are split where the cursor is, by length or at the time that plays', () => {
    const lines = parse('WEBVTT\n\n00:00:00.000 --> 00:00:04.000\n<v Ada>one two\n');
    const at = lines[0]?.text.indexOf('two') ?? 0;
    const halves = split(lines, 0, at, null);
    expect(halves.map(({ text }) => text)).toEqual(['<v Ada>one', '<v Ada>two']);
    expect(times(split(lines, 0, at, 1_500))).toEqual([
      [0, 1_500],
      [1_500, 4_000],
    ]);
    expect(split(lines, 0, 0, null)).toHaveLength(1);
    expect(new Set(halves.map(({ id }) => id)).size).toBe(2);
  });

  it('are joined with the next, and folded where they are too wide', () => {
    const [one] = join(parse(VTT), 0);
    expect(one?.text).toBe('<v Ada>Force & mass, a < b</v> two rows');
    expect(one?.to_ms).toBe(65_250);
    const long = 'x'.repeat(30);
    const wide = join(
      parse(`WEBVTT\n\n00:00.000 --> 00:01.000\n${long}\n\n00:01.000 --> 00:02.000\n${long}\n`),
      0,
    );
    expect(wide[0]?.text).toBe(`${long}\n${long}`);
  });

  it('are shifted from a line on, never before the beginning', () => {
    const lines = parse(VTT);
    expect(times(shift(lines, 1, 250))).toEqual([
      [1_000, 3_000],
      [3_750, 65_500],
    ]);
    expect(times(shift(lines, 0, -5_000))[0]).toEqual([0, 2_000]);
  });

  it('find their place by time', () => {
    const lines = parse(VTT);
    expect([0, 1_000, 3_200, 4_000].map((at) => lineAt(lines, at))).toEqual([-1, 0, 0, 1]);
    const [more, place] = insert(lines, 3_100);
    expect([place, times(more)[1]]).toEqual([1, [3_100, 3_500]]);
    const moved = change(lines, 0, { from_ms: 70_000, to_ms: 71_000 });
    expect(moved[1]?.from_ms).toBe(70_000);
  });

  it('say what is hard to read', () => {
    const text = 'a caption with far more letters than anybody reads in a second';
    const lines = parse(
      `WEBVTT\n\n00:00.000 --> 00:01.000\n${text}\n\n00:00.500 --> 00:09.000\nok\n`,
    );
    expect(faults(lines, 0)).toEqual(['long', 'fast']);
    expect(faults(lines, 1)).toEqual(['overlap']);
  });

  it('read and show times as people write them', () => {
    for (const [text, at] of [
      ['1:02.345', 62_345],
      ['62,3', 62_300],
      ['1:00:02', 3_602_000],
      ['0', 0],
      ['1:2:3:4', null],
      ['a', null],
      ['1.5:00', null],
      ['', null],
    ] as const)
      expect(readTime(text), text).toBe(at);
    for (const at of [0, 999, 62_345, 600_000, 3_602_000, 36_000_000])
      expect(readTime(showTime(at)), showTime(at)).toBe(at);
    expect(showTime(62_345)).toBe('1:02.345');
    expect(showTime(3_602_000)).toBe('1:00:02.000');
  });
});
