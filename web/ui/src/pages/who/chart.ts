// The retention chart as uPlot options: people as a filled line, views beyond the first hatched above it,
// hidden passes dotted. Colours are read from the tokens, so that light and dark are the page's.
import uPlot from 'uplot';

import type { Retention } from '../../lib/api-types';
import { clock, count } from '../../lib/format';

export interface ChartHandle {
  /** Marks a second, or nothing. */
  mark(second: number | null): void;
  resize(): void;
  destroy(): void;
}

interface Colours {
  accent: string;
  accentSoft: string;
  warm: string;
  soft: string;
  line: string;
}

function colours(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    accent: of('--accent'),
    accentSoft: of('--accent-soft'),
    warm: of('--warm'),
    soft: of('--soft'),
    line: of('--line'),
  };
}

/** Stripes, so that "again" is told from "people" without colour. */
function hatch(colour: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = 6;
  tile.height = 6;
  const pen = tile.getContext('2d');
  if (!pen) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const shift of [-6, 0, 6]) {
    pen.moveTo(shift, 6);
    pen.lineTo(shift + 6, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, 'repeat') ?? colour;
}

/** Steps: each second is a flat piece from i to i+1, as the record counts it. */
function columns(data: Retention): uPlot.AlignedData {
  const seconds = data.views.length;
  const x = Array.from({ length: seconds + 1 }, (_, i) => i);
  const close = (values: readonly number[]): number[] => [...values, values[seconds - 1] ?? 0];
  return [x, close(data.views), close(data.viewers), close(data.hidden_views)];
}

export function draw(
  host: HTMLElement,
  data: Retention,
  onplace: (second: number) => void,
): ChartHandle {
  const tone = colours(host);
  const length = data.views.length;
  let marked: number | null = null;
  const steps = uPlot.paths.stepped?.({ align: 1 });
  const path = length <= 600 && steps ? { paths: steps } : {};
  const most = data.views.reduce((top, value) => Math.max(top, value), 1);
  const height = (): number => (host.clientWidth < 480 ? 180 : 240);
  const axisFont = '12px system-ui, sans-serif';

  const chart = new uPlot(
    {
      width: Math.max(200, host.clientWidth),
      height: height(),
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: false, y: false },
        bind: {
          click: (self) => () => {
            const second = self.posToVal(self.cursor.left ?? 0, 'x');
            onplace(Math.max(0, Math.min(length - 1, Math.floor(second))));
            return null;
          },
        },
      },
      scales: { x: { time: false, range: [0, length] }, y: { range: [0, most * 1.08] } },
      axes: [
        {
          stroke: tone.soft,
          font: axisFont,
          size: 24,
          grid: { show: false },
          ticks: { show: false },
          incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400],
          values: (_, ticks) => ticks.map((tick) => clock(tick)),
        },
        {
          stroke: tone.soft,
          font: axisFont,
          size: 44,
          grid: { stroke: tone.line, width: 1 },
          ticks: { show: false },
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000],
          values: (_, ticks) => ticks.map((tick) => count(tick)),
        },
      ],
      series: [
        {},
        {
          ...path,
          stroke: tone.warm,
          width: 1,
          fill: () => hatch(tone.warm),
          points: { show: false },
        },
        {
          ...path,
          stroke: tone.accent,
          width: 2,
          fill: tone.accentSoft,
          points: { show: false },
        },
        { ...path, stroke: tone.soft, width: 2, dash: [2, 4], points: { show: false } },
      ],
      hooks: {
        draw: [
          (self) => {
            if (marked === null) return;
            const x = self.valToPos(marked, 'x', true);
            const pen = self.ctx;
            pen.save();
            pen.strokeStyle = tone.warm;
            pen.lineWidth = 2 * devicePixelRatio;
            pen.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
            pen.beginPath();
            pen.moveTo(x, self.bbox.top);
            pen.lineTo(x, self.bbox.top + self.bbox.height);
            pen.stroke();
            pen.restore();
          },
        ],
      },
    },
    columns(data),
    host,
  );

  return {
    mark(second) {
      marked = second;
      chart.redraw(false);
    },
    resize() {
      chart.setSize({ width: Math.max(200, host.clientWidth), height: height() });
    },
    destroy: () => chart.destroy(),
  };
}
