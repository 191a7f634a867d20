/**
 * Captions as somebody works on them: lines with times that are split, joined, moved and shifted. Reads what the box
 * serves (normalised WebVTT, `media/vod` captions) and writes it back without losing what it does not show: names,
 * positions, tags. Pure.
 */
export interface Line {
  /** Of this line for as long as the page is open. */
  id: number;
  from_ms: number;
  to_ms: number;
  /** Tags as in WebVTT (`<v Ada>`); `&` and `<` as one writes them. */
  text: string;
  /** WebVTT cue settings, kept as they are. */
  settings: string;
  /** The author's name for it, kept as it is. */
  name: string;
}

/** What may be wrong with a line; `order` and `empty` keep it from being saved as it is. */
export type Fault = 'order' | 'empty' | 'overlap' | 'fast' | 'long';

const TIMES =
  /^(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})\s*(.*)$/u;
const TAG =
  /<(?:\/(?:v|c|i|b|u|ruby|rt|lang)|(?:v|c|i|b|u|ruby|rt|lang)(?:[.\s][^<>]*)?|(?:\d+:)?\d{2}:\d{2}\.\d{3})>/gu;
const SIGN = new RegExp(`(${TAG.source}|&(?:nbsp|lrm|rlm);)|[&<>]`, 'gu');
const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** Characters of a line on the screen, lines of a caption, and what most people can read in a second. */
const LINE_CHARS = 42;
const MOST_LINES = 2;
const CHARS_A_SECOND = 21;
const SHORTEST_MS = 100;
const NEW_MS = 2000;

let last = 0;
const next = (): number => (last += 1);

export function parse(vtt: string): Line[] {
  const lines: Line[] = [];
  for (const block of vtt.replace(/\r\n?/gu, '\n').split(/\n{2,}/u)) {
    const rows = block.split('\n');
    const at = rows.findIndex((row) => row.includes('-->'));
    const times = at >= 0 ? TIMES.exec(rows[at] ?? '') : null;
    if (!times) continue;
    lines.push({
      id: next(),
      from_ms: ms(times.slice(1, 5)),
      to_ms: ms(times.slice(5, 9)),
      settings: times[9] ?? '',
      name: at > 0 ? (rows[at - 1] ?? '') : '',
      text: shown(
        rows
          .slice(at + 1)
          .filter(Boolean)
          .join('\n'),
      ),
    });
  }
  return lines;
}

/** Lines that cannot be shown are left out; see [`faults`]. */
export function print(lines: readonly Line[]): string {
  const blocks = lines
    .filter((line) => line.to_ms > line.from_ms && line.text.trim() !== '')
    .map((line) => {
      const name = line.name ? `${line.name}\n` : '';
      const settings = line.settings ? ` ${line.settings}` : '';
      const text = line.text
        .split('\n')
        .map((row) => row.trim())
        .filter(Boolean)
        .join('\n');
      return `${name}${stamp(line.from_ms)} --> ${stamp(line.to_ms)}${settings}\n${escaped(text)}\n`;
    });
  return ['WEBVTT\n', ...blocks].join('\n');
}

export function faults(lines: readonly Line[], n: number): Fault[] {
  const line = lines[n];
  if (!line) return [];
  const found: Fault[] = [];
  const length = line.to_ms - line.from_ms;
  const rows = words(line.text).split('\n');
  const before = lines[n - 1];
  if (length <= 0) found.push('order');
  if (words(line.text).trim() === '') found.push('empty');
  if (before && before.to_ms > line.from_ms) found.push('overlap');
  if (rows.length > MOST_LINES || rows.some((row) => [...row].length > LINE_CHARS))
    found.push('long');
  const letters = [...words(line.text)].length;
  if (length > 0 && (letters * 1000) / length > CHARS_A_SECOND) found.push('fast');
  return found;
}

/** Two of one, cut before the character `at`; their times by their lengths, or at `now` where it lies within. */
export function split(lines: readonly Line[], n: number, at: number, now: number | null): Line[] {
  const line = lines[n];
  if (!line) return [...lines];
  const [head, tail] = [line.text.slice(0, at).trim(), line.text.slice(at).trim()];
  if (head === '' || tail === '') return [...lines];
  const length = line.to_ms - line.from_ms;
  const share = head.length / (head.length + tail.length);
  const inside = now !== null && now > line.from_ms + SHORTEST_MS && now < line.to_ms - SHORTEST_MS;
  const cut = Math.round(inside ? now : line.from_ms + length * share);
  // Whoever speaks goes on speaking.
  const voice = /^<v[.\s][^>]*>/u.exec(head)?.[0] ?? '';
  return [
    ...lines.slice(0, n),
    { ...line, to_ms: cut, text: head },
    {
      ...line,
      id: next(),
      name: '',
      from_ms: cut,
      text: tail.startsWith('<v') ? tail : voice + tail,
    },
    ...lines.slice(n + 1),
  ];
}

/** One of two: the line and the one behind it. */
export function join(lines: readonly Line[], n: number): Line[] {
  const [line, other] = [lines[n], lines[n + 1]];
  if (!line || !other) return [...lines];
  const voice = /^<v[.\s][^>]*>/u.exec(line.text)?.[0];
  const behind =
    voice && other.text.startsWith(voice) ? other.text.slice(voice.length) : other.text;
  const rows = `${line.text} ${behind}`.replace(/\s+/gu, ' ').trim();
  return [
    ...lines.slice(0, n),
    { ...line, to_ms: Math.max(line.to_ms, other.to_ms), text: folded(rows) },
    ...lines.slice(n + 2),
  ];
}

export function remove(lines: readonly Line[], n: number): Line[] {
  return lines.filter((_, index) => index !== n);
}

/** One that was taken away, at its time again. */
export function put(lines: readonly Line[], line: Line): Line[] {
  return [...lines, line].sort((a, b) => a.from_ms - b.from_ms);
}

/** A new one at a time, as long as there is room before the next; where it went. */
export function insert(lines: readonly Line[], at_ms: number): [Line[], number] {
  const from_ms = Math.max(0, Math.round(at_ms));
  const n = lines.findIndex((line) => line.from_ms > from_ms);
  const place = n < 0 ? lines.length : n;
  const room = lines[place]?.from_ms ?? Number.POSITIVE_INFINITY;
  const to_ms = Math.max(from_ms + SHORTEST_MS, Math.min(from_ms + NEW_MS, room));
  const line = { id: next(), from_ms, to_ms, text: '', settings: '', name: '' };
  return [[...lines.slice(0, place), line, ...lines.slice(place)], place];
}

/** Moves all from `n` on; nothing begins before the video. */
export function shift(lines: readonly Line[], n: number, by_ms: number): Line[] {
  const first = lines[n]?.from_ms ?? 0;
  const by = Math.max(by_ms, -first);
  return lines.map((line, index) =>
    index < n ? line : { ...line, from_ms: line.from_ms + by, to_ms: line.to_ms + by },
  );
}

/** Changes one; the order of time is kept. */
export function change(lines: readonly Line[], n: number, what: Partial<Line>): Line[] {
  const changed = lines.map((line, index) => (index === n ? { ...line, ...what } : line));
  return what.from_ms === undefined ? changed : changed.sort((a, b) => a.from_ms - b.from_ms);
}

/** The line that is said at a time, or the last one before it; -1 before the first. */
export function lineAt(lines: readonly Line[], at_ms: number): number {
  let found = -1;
  lines.forEach((line, n) => {
    if (line.from_ms <= at_ms) found = n;
  });
  return found;
}

/** `1:02.345`, `62.3`, `1:00:02`: milliseconds, or null. */
export function readTime(text: string): number | null {
  const parts = text.trim().replace(',', '.').split(':');
  if (parts.length > 3 || !parts.every((part, n) => /^\d+$/u.test(part) || n === parts.length - 1))
    return null;
  if (!/^\d+(?:\.\d{1,3})?$/u.test(parts.at(-1) ?? '')) return null;
  const seconds = parts.reduce((sum, part) => sum * 60 + Number(part), 0);
  return seconds < 360_000 ? Math.round(seconds * 1000) : null;
}

/** `1:02.345` */
export function showTime(at_ms: number): string {
  return stamp(at_ms)
    .replace(/^00:/u, '')
    .replace(/^0(?=\d)/u, '');
}

/** Without tags, as it is seen. */
export function words(text: string): string {
  return text.replace(TAG, '');
}

function folded(text: string): string {
  const seen = words(text);
  if (seen.length <= LINE_CHARS) return text;
  const middle = text.length / 2;
  let best = -1;
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) {
    const inTag = text.lastIndexOf('<', at) > text.lastIndexOf('>', at);
    if (!inTag && Math.abs(at - middle) < Math.abs(best - middle)) best = at;
  }
  return best < 0 ? text : `${text.slice(0, best)}\n${text.slice(best + 1)}`;
}

function shown(vtt: string): string {
  return vtt.replace(/&lt;/gu, '<').replace(/&gt;/gu, '>').replace(/&amp;/gu, '&');
}

/** Known tags stay; every other `<`, `>` and `&` is a sign that somebody wrote. */
function escaped(text: string): string {
  return text.replace(SIGN, (sign, kept?: string) => kept ?? ESCAPES[sign] ?? sign);
}

function stamp(at_ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(at_ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${two(h)}:${two(m)}:${two(s)}.${String(Math.round(at_ms % 1000)).padStart(3, '0')}`;
}

function ms(parts: (string | undefined)[]): number {
  const [h = '0', m = '0', s = '0', rest = '0'] = parts;
  return ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(rest);
}
