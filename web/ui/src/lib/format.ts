// Numbers, times and sizes for people, by `Intl` in the reader's language.
import { locale, m } from '../messages';
import type { Segment } from './api-types';

const number = new Intl.NumberFormat(locale);
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dayMonthYear = new Intl.DateTimeFormat(locale, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const pairs = (unit: string, display: 'short' | 'long'): Intl.NumberFormat =>
  new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: display,
    maximumFractionDigits: 1,
  });

export const count = (value: number): string => number.format(value);

/** 0..1 as whole percent; only all of it is 100, and only nothing is 0. */
export function percent(ratio: number): string {
  return m.common.percent(wholePercent(ratio));
}

export function wholePercent(ratio: number): number {
  if (!(ratio > 0)) return 0;
  if (ratio >= 0.9995) return 100;
  return Math.min(99, Math.max(1, Math.round(ratio * 100)));
}

/** A place in a video: 0:07, 12:05, 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const h = Math.floor(whole / 3600);
  const min = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, '0');
  return h > 0 ? `${h}:${String(min).padStart(2, '0')}:${s}` : `${min}:${s}`;
}

/** A length of time in words: 45 sec, 6 min, 1.5 hr. */
export function span(ms: number, display: 'short' | 'long' = 'short'): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 59.5) return pairs('second', display).format(Math.round(seconds));
  if (seconds < 59.5 * 60) return pairs('minute', display).format(Math.round(seconds / 60));
  if (seconds < 36 * 3600) return pairs('hour', display).format(seconds / 3600);
  return pairs('day', display).format(Math.round(seconds / 86400));
}

/** A waiting time, rounded so that it does not flicker. */
export function eta(ms: number): string {
  if (ms >= 60_000) return span(Math.ceil(ms / 60_000) * 60_000);
  return span(Math.max(5, Math.ceil(ms / 5000) * 5) * 1000);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

export function bytes(value: number): string {
  let size = Math.max(0, value);
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = size < 10 && unit > 1 ? 1 : 0;
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: UNITS[unit] ?? 'byte',
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(size);
}

/** An amount of money; small ones with as many digits as they need. */
export function money(amount: number, currency: string): string {
  const maximumFractionDigits = amount > 0 && amount < 1 ? 4 : 2;
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits,
  }).format(amount);
}

export function bitrate(bps: number): string {
  const mega = bps >= 1_000_000;
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: mega ? 'megabit-per-second' : 'kilobit-per-second',
    maximumFractionDigits: mega ? 1 : 0,
  }).format(bps / (mega ? 1e6 : 1e3));
}

/** The day in short: today, yesterday, 3 Nov, 3 Nov 2025. */
export function day(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return m.common.unknown;
  const midnight = (d: Date): number =>
    new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (days === 0 || days === -1) return relative.format(days, 'day');
  return date.getFullYear() === now.getFullYear()
    ? dayMonth.format(date)
    : dayMonthYear.format(date);
}

export function moment(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? m.common.unknown : dateTime.format(date);
}

/** How long ago, in the largest unit that fits. */
export function ago(iso: string, now: Date = new Date()): string {
  const seconds = (new Date(iso).getTime() - now.getTime()) / 1000;
  if (Number.isNaN(seconds)) return m.common.unknown;
  const distance = Math.abs(seconds);
  if (distance < 60) return relative.format(Math.round(seconds), 'second');
  if (distance < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (distance < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

/** The name of a language, in the page's own; the tag itself when the browser knows none. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Played stretches as text: 0:00–18:22, 25:08–30:55. */
export function stretches(segments: readonly Segment[], most = 6): string {
  const shown = segments.slice(0, most).map(([from, to]) => `${clock(from)}–${clock(to)}`);
  if (segments.length > most) shown.push('…');
  return shown.join(', ');
}

/** A SHA-256 as devices show it: pairs in capitals with colons. */
export function fingerprint(hex: string): string {
  const bare = hex.replace(/[^0-9a-f]/giu, '').toUpperCase();
  return bare.match(/../gu)?.join(':') ?? hex;
}

/** Up to two letters that stand for a person. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0]?.toLocaleUpperCase(locale) ?? '').join('');
}
