// What the retention curve says in words: the steepest fall, the place people came back to, the peak.
// Pure; the same definitions stand on the definitions page.
import type { Retention } from './api-types';

export interface Drop {
  /** Second at which the fall begins. */
  at: number;
  /** How many fewer people are there `window` seconds later. */
  people: number;
  /** Seconds. */
  window: number;
}

export interface Again {
  at: number;
  /** Views beyond the first of each person. */
  times: number;
}

/** A fall must take this share of the largest audience, and two people, to be worth a sentence. */
const WORTH = 0.1;
/** The end of a video, where everyone leaves. */
const TAIL = 0.05;

export function windowOf(length: number): number {
  return Math.max(2, Math.min(60, Math.round(length / 10)));
}

/** The steepest fall in people, unless none is worth naming. */
export function steepestDrop(viewers: readonly number[]): Drop | null {
  const window = windowOf(viewers.length);
  const end = Math.floor(viewers.length * (1 - TAIL)) - window;
  const most = Math.max(0, ...chunkMax(viewers));
  let best: Drop | null = null;
  for (let at = 0; at < end; at += 1) {
    const people = (viewers[at] ?? 0) - (viewers[at + window] ?? 0);
    if (people > (best?.people ?? 0)) best = { at, people, window };
  }
  if (!best || best.people < Math.max(2, most * WORTH)) return null;
  return settle(viewers, best);
}

/** Moves the beginning of the fall to where it really falls: the last second before the curve goes down. */
function settle(viewers: readonly number[], drop: Drop): Drop {
  const start = viewers[drop.at] ?? 0;
  let at = drop.at;
  while (at + 1 < drop.at + drop.window && (viewers[at + 1] ?? 0) >= start) at += 1;
  return { ...drop, at };
}

/** The second that was watched again most often, if one stands out at all. */
export function mostAgain(data: Pick<Retention, 'views' | 'viewers'>): Again | null {
  let best: Again | null = null;
  for (const [at, views] of data.views.entries()) {
    const times = views - (data.viewers[at] ?? 0);
    if (times > (best?.times ?? 0)) best = { at, times };
  }
  return best && best.times >= 2 ? best : null;
}

export function peak(viewers: readonly number[]): { at: number; people: number } {
  let at = 0;
  for (const [second, people] of viewers.entries()) {
    if (people > (viewers[at] ?? 0)) at = second;
  }
  return { at, people: viewers[at] ?? 0 };
}

export interface Row {
  from: number;
  views: number;
  viewers: number;
  hidden: number;
}

/** The curve in at most `rows` equal steps, each with the highest value in it. */
export function asTable(data: Retention, rows = 20): Row[] {
  const length = data.views.length;
  const step = Math.max(1, Math.ceil(length / rows));
  const table: Row[] = [];
  for (let from = 0; from < length; from += step) {
    const most = (values: readonly number[]): number =>
      Math.max(0, ...values.slice(from, from + step));
    table.push({
      from,
      views: most(data.views),
      viewers: most(data.viewers),
      hidden: most(data.hidden_views),
    });
  }
  return table;
}

/** `Math.max(...values)` overflows the stack on a day-long video. */
function chunkMax(values: readonly number[]): number[] {
  const out: number[] = [];
  for (let from = 0; from < values.length; from += 4096) {
    out.push(Math.max(...values.slice(from, from + 4096)));
  }
  return out;
}
