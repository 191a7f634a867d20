/**
 * WebVTT as the box serves it (normalised, `media/vod` captions): cues with times and text, for captions drawn by us and
 * for the transcript. Reads more than that leniently; styling, regions and positions are left out. Pure.
 */
export interface Cue {
  from: number;
  to: number;
  /** Plain text; lines end with \n. */
  text: string;
}

const TIMES =
  /^\s*(?:(\d+):)?(\d{2}):(\d{2})[.,](\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2})[.,](\d{3})/;
/** A caption file of a very long lecture; a bound against a file that is none. */
const MOST_CUES = 50_000;

export function parseCues(text: string): Cue[] {
  const cues: Cue[] = [];
  const blocks = text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .split(/\n{2,}/);
  for (const block of blocks) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => line.includes('-->'));
    const times = at >= 0 ? TIMES.exec(lines[at] ?? '') : null;
    if (!times || /^(NOTE|STYLE|REGION)\b/.test(lines[0] ?? '')) continue;
    const from = seconds(times.slice(1, 5));
    const to = seconds(times.slice(5, 9));
    const words = plain(lines.slice(at + 1).join('\n'));
    if (to > from && words !== '') cues.push({ from, to, text: words });
    if (cues.length >= MOST_CUES) break;
  }
  return cues.sort((a, b) => a.from - b.from || a.to - b.to);
}

/** What is shown at `time`, in order. */
export function cuesAt(cues: readonly Cue[], time: number): Cue[] {
  return cues.filter((cue) => cue.from <= time && time < cue.to);
}

/** The last one that begins after `before` and at `now` at the latest. */
export function begun(cues: readonly Cue[], before: number, now: number): Cue | null {
  return cues.filter((cue) => cue.from > before && cue.from <= now).pop() ?? null;
}

/** The line the transcript marks: the last one that has begun; -1 before the first. */
export function lineAt(cues: readonly Cue[], time: number): number {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.from ?? 0) <= time + 0.05) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Lines that have all words of `query`, whatever their case or accents. */
export function search(cues: readonly Cue[], query: string): number[] {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: number[] = [];
  cues.forEach((cue, n) => {
    const text = fold(cue.text);
    if (words.every((word) => text.includes(word))) found.push(n);
  });
  return found;
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function seconds(parts: (string | undefined)[]): number {
  const [h = '0', m = '0', s = '0', ms = '0'] = parts;
  return Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(ms) / 1000;
}

const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: '\u00A0',
  lrm: '\u200E',
  rlm: '\u200F',
  quot: '"',
};

/** Without tags; a voice tag becomes "Name: ", because who speaks is part of the caption (WCAG 1.2.2). */
function plain(text: string): string {
  return text
    .replace(/<v(?:\.[^\s>]*)?\s+([^>]+)>/g, '$1: ')
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n');
}
