/**
 * Played segments: parse, print, and the arithmetic on them. Video Profile 1.0, 2.5.4.5.
 *
 * A list of segments is the order of watching: never sorted, never merged, overlaps are legal.
 * What "how much was watched" means is said here once (`union`, `visible`, `ratio`); the box's folds say
 * the same in Rust, and `tracking/golden` holds both to it. Pure: no DOM, no clock.
 */

/** From and to in seconds of media time, to > from. */
export type Segment = [number, number];

/** Seconds with at most three decimals, as the Video Profile asks. */
export function round3(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** `0[.]10[,]20[.]25`; an empty list is the empty string. */
export function print(segments: readonly Segment[]): string {
  return segments.map(([from, to]) => `${round3(from)}[.]${round3(to)}`).join('[,]');
}

/** The segments of `text`; what does not read as a segment is left out, since old records must stay readable. */
export function parse(text: string): Segment[] {
  const segments: Segment[] = [];
  for (const part of text.split('[,]')) {
    const [from, to, more] = part.split('[.]');
    if (from === undefined || to === undefined || more !== undefined) continue;
    if (from.trim() === '' || to.trim() === '') continue;
    const segment: Segment = [Number(from), Number(to)];
    if (
      Number.isFinite(segment[0]) &&
      segment[0] >= 0 &&
      Number.isFinite(segment[1]) &&
      segment[1] > segment[0]
    ) {
      segments.push(segment);
    }
  }
  return segments;
}

/** The parts covered at least once: sorted, disjoint, touching ones joined. */
export function union(segments: readonly Segment[]): Segment[] {
  return coveredAtLeast(segments, [], 1);
}

/** The parts covered at least twice: what the ribbon paints warm. */
export function replayed(segments: readonly Segment[]): Segment[] {
  return coveredAtLeast(segments, [], 2);
}

/** The parts that were shown at least once: a pass that was hidden takes away one pass of what was played. */
export function visible(played: readonly Segment[], hidden: readonly Segment[]): Segment[] {
  return coveredAtLeast(played, hidden, 1);
}

/** The parts that were shown at least twice. */
export function visibleAgain(played: readonly Segment[], hidden: readonly Segment[]): Segment[] {
  return coveredAtLeast(played, hidden, 2);
}

/** Seconds in `segments`, repeats counted again. */
export function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, [from, to]) => sum + (to - from), 0);
}

/** Share of `length` that `segments` cover, 0 to 1, three decimals. */
export function ratio(segments: readonly Segment[], length: number): number {
  if (!(length > 0)) return 0;
  return Math.min(1, round3(total(union(segments)) / length));
}

/** Sweep over all edges: where do the passes of `plus` less those of `minus` reach `floor`? */
function coveredAtLeast(
  plus: readonly Segment[],
  minus: readonly Segment[],
  floor: number,
): Segment[] {
  const edges: [at: number, step: number][] = [];
  for (const [from, to] of plus) edges.push([from, 1], [to, -1]);
  for (const [from, to] of minus) edges.push([from, -1], [to, 1]);
  edges.sort((a, b) => a[0] - b[0]);
  const parts: Segment[] = [];
  let passes = 0;
  let since: number | null = null;
  for (let i = 0; i < edges.length;) {
    const at = edges[i]![0];
    // All edges at one place count together, so that touching segments join.
    for (; i < edges.length && edges[i]![0] === at; i++) passes += edges[i]![1];
    if (passes >= floor && since === null) since = at;
    if (passes < floor && since !== null) {
      parts.push([since, at]);
      since = null;
    }
  }
  return parts;
}
