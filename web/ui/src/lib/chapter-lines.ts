/** Chapters as people write them: one a line, a time and a name. Pure. */
import type { Chapter } from './api-types';
import { clock } from './format';

const LINE = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:\.(\d{1,3}))?\s+(?:[-–—]\s+)?(\S.*)$/u;

export function print(chapters: readonly Chapter[]): string {
  return chapters
    .map(({ start_ms, title }) => {
      const ms = start_ms % 1000;
      const fraction = ms === 0 ? '' : `.${String(ms).padStart(3, '0')}`;
      return `${clock(Math.floor(start_ms / 1000))}${fraction} ${title}`;
    })
    .join('\n');
}

/** The chapters, or the number of the first line that is none. Empty lines are passed over. */
export function parse(text: string): Chapter[] | { line: number } {
  const chapters: Chapter[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const found = LINE.exec(line.trim());
    if (!found) return { line: index + 1 };
    const [, hours = '0', minutes = '', seconds = '', fraction = '', title = ''] = found;
    const isClock = Number(seconds) < 60 && (found[1] === undefined || Number(minutes) < 60);
    if (!isClock) return { line: index + 1 };
    const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    chapters.push({ start_ms: whole * 1000 + Number(fraction.padEnd(3, '0')), title });
  }
  return chapters;
}
