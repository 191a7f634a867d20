/** Which picture of which sprite sheet stands for a time. Pure. */
import type { Storyboard } from '../lib/api-types';

export interface Tile {
  url: string;
  /** Pixels of the tile in its sheet. */
  x: number;
  y: number;
  width: number;
  height: number;
  sheetWidth: number;
  sheetHeight: number;
}

export function tileAt(storyboard: Storyboard | null, seconds: number): Tile | null {
  if (!storyboard || !(storyboard.interval_ms > 0)) return null;
  const { columns, rows, width, height, sheets, interval_ms } = storyboard;
  const perSheet = columns * rows;
  if (!(perSheet > 0) || sheets.length === 0) return null;
  const n = Math.max(0, Math.floor((seconds * 1000) / interval_ms));
  const url = sheets[Math.floor(n / perSheet)];
  // A sheet that is not made yet while the video is being prepared: no picture is better than a wrong one.
  if (url === undefined) return null;
  const inSheet = n % perSheet;
  return {
    url,
    x: (inSheet % columns) * width,
    y: Math.floor(inSheet / columns) * height,
    width,
    height,
    sheetWidth: columns * width,
    sheetHeight: rows * height,
  };
}
