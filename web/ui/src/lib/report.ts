// The job's report on a source file, from opaque JSON to sentences. Anything that is not as expected is
// left out: a report of a later version must not break the page.
import { m } from '../messages/more';
import { bitrate, bytes, clock, count, span } from './format';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const positive = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** What the file is and what a person should know about it, a sentence a line. */
export function reportLines(report: unknown): string[] {
  if (!isFields(report)) return [];
  const lines: string[] = [];
  const file = [
    text(report['container']),
    positive(report['duration_ms']) && clock(positive(report['duration_ms']) / 1000),
    positive(report['size_bytes']) && bytes(positive(report['size_bytes'])),
  ].filter(Boolean);
  if (file.length > 0) lines.push(file.join(', '));
  if (isFields(report['video'])) lines.push(picture(report['video']));
  for (const track of list(report['audio'])) if (isFields(track)) lines.push(sound(track));
  for (const note of list(report['notes'])) if (text(note)) lines.push(text(note));
  const took = positive(report['took_ms']);
  if (took) lines.push(m.edit.took(span(took, 'long')));
  return lines;
}

function picture(video: Fields): string {
  const gop = positive(video['longest_gop_ms']);
  const rate = frameRate(video['frame_rate']);
  const parts = [
    text(video['codec']),
    positive(video['width']) && m.edit.size(positive(video['width']), positive(video['height'])),
    rate && m.edit.frameRate(count(rate)),
    positive(video['bitrate_bps']) && bitrate(positive(video['bitrate_bps'])),
    gop && m.edit.keyFrames(count(Math.round(gop / 100) / 10)),
  ];
  return m.edit.picture(parts.filter(Boolean).join(', '));
}

function sound(track: Fields): string {
  const parts = [
    text(track['codec']),
    positive(track['channels']) && m.edit.channels(positive(track['channels'])),
    positive(track['sample_rate']) &&
      m.edit.kilohertz(count(positive(track['sample_rate']) / 1000)),
    positive(track['bitrate_bps']) && bitrate(positive(track['bitrate_bps'])),
  ];
  return m.edit.sound(parts.filter(Boolean).join(', '));
}

function frameRate(ratio: unknown): number {
  if (!isFields(ratio)) return positive(ratio);
  const den = positive(ratio['den']);
  return den ? Math.round((positive(ratio['num']) / den) * 100) / 100 : 0;
}
