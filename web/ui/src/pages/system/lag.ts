// The lag of an upstream as a curve: 360 wide, 48 high, by time. Pure.
import { locale } from '../../messages';
import type { LagHistory } from '../../lib/api-types';

const WIDTH = 360;
const HEIGHT = 48;
/** An hour, but for a sample at each end. */
const WHOLE_MS = 3500_000;

export interface LagCurve {
  line: string;
  area: string;
  now: number;
  most: number;
  /** When most waited, for people. */
  mostAt: string;
  from: string;
  to: string;
  /** Whether it spans the hour that is kept. */
  isWhole: boolean;
}

/** Null while there are fewer than two samples. */
export function lagCurve({ samples }: LagHistory): LagCurve | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length < 2) return null;
  const begin = Date.parse(first.at);
  const length = Math.max(1, Date.parse(last.at) - begin);
  const peak = samples.reduce((most, one) => (one.lag > most.lag ? one : most), first);
  const points = samples.map((one) => {
    const x = ((Date.parse(one.at) - begin) / length) * WIDTH;
    // A line of its own width stays inside the picture.
    const y = HEIGHT - 1 - (one.lag / Math.max(1, peak.lag)) * (HEIGHT - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return {
    line: points.join(' '),
    area: `0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`,
    now: last.lag,
    most: peak.lag,
    mostAt: clockTime(peak.at),
    from: first.at,
    to: last.at,
    isWhole: length >= WHOLE_MS,
  };
}

const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });

export const clockTime = (iso: string): string => time.format(new Date(iso));
