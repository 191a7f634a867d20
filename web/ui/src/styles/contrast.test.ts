// Every pair of tokens that meets on a page: text 4.5:1 (WCAG 1.4.3), controls and marks 3:1 (1.4.11).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const css = readFileSync(fileURLToPath(new URL('./tokens.css', import.meta.url)), 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function tokens(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/giu)].map((hit) => [hit[1]!, hit[2]!]),
  );
}

const themes = {
  light: tokens(light),
  dark: new Map([...tokens(light), ...tokens(dark)]),
};

/** WCAG 2.1, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const TEXT: [string, string][] = [
  ['ink', 'paper'],
  ['ink', 'card'],
  ['ink', 'accent-soft'],
  ['ink', 'track'],
  ['ink', 'warm-soft'],
  ['soft', 'paper'],
  ['soft', 'card'],
  ['accent', 'paper'],
  ['accent', 'card'],
  ['accent', 'accent-soft'],
  ['on-accent', 'accent'],
  ['warm-ink', 'warm-soft'],
  ['warm-ink', 'card'],
  ['bad', 'paper'],
  ['bad', 'card'],
  ['bad', 'bad-soft'],
  ['card', 'bad'],
  ['paper', 'ink'],
  ['stage-ink', 'stage'],
  ['stage-soft', 'stage'],
];

const CONTROLS: [string, string][] = [
  ['edge', 'paper'],
  ['edge', 'card'],
  ['accent', 'paper'],
  ['accent', 'card'],
  ['accent', 'track'],
  ['warm', 'card'],
  ['warm', 'track'],
  ['bad', 'card'],
  ['stage-line', 'stage'],
  ['stage-accent', 'stage'],
  ['stage-warm', 'stage'],
];

describe.each(Object.entries(themes))('in the %s theme', (_, theme) => {
  const of = (name: string): string => {
    const value = theme.get(name);
    if (!value) throw new Error(`no token --${name}`);
    return value;
  };

  it.each(TEXT)('%s can be read on %s', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(CONTROLS)('%s can be told from %s', (mark, ground) => {
    expect(contrast(of(mark), of(ground))).toBeGreaterThanOrEqual(3);
  });
});
