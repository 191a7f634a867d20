/**
 * One line of segments that grows while its condition holds: what was played, played while hidden, played while muted.
 * The caller says where the media clock stands; a track never extends a segment by itself. Pure.
 */
import { round3, type Segment } from './segments';

export class Track {
  /** Where the running segment began; null while the condition does not hold. */
  private from: number | null = null;
  /** The segment that a seek broke off, until it is known that the seek went somewhere. */
  private held: Segment | null = null;

  constructor(private readonly closed: Segment[] = []) {}

  /** A copy that can go on alone. */
  clone(): Track {
    const copy = new Track(this.closed.map(([from, to]) => [from, to]));
    copy.from = this.from;
    copy.held = this.held;
    return copy;
  }

  /** Opens a segment at `at`, or closes the open one there, as `holds` says. */
  set(holds: boolean, at: number): void {
    if (holds && this.from === null) this.from = at;
    if (!holds && this.from !== null) {
      const segment = this.running(at);
      if (segment) this.closed.push(segment);
      this.from = null;
    }
  }

  /** A seek begins: what ran up to `at` is kept apart. */
  hold(at: number): void {
    this.held = this.running(at);
    this.from = null;
  }

  /** The seek goes on before anything worth keeping was shown. */
  drop(): void {
    this.from = null;
  }

  /** The seek is over. If it ended where it began, the segment goes on as if nothing had been. */
  settle(moved: boolean): void {
    if (this.held === null) return;
    if (!moved && this.from !== null) this.from = this.held[0];
    else this.closed.push(this.held);
    this.held = null;
  }

  /** All segments with the running one cut at `at`, in the order of watching. */
  segments(at: number): Segment[] {
    const all = [...this.closed];
    if (this.held) all.push(this.held);
    const running = this.running(at);
    if (running) all.push(running);
    return all;
  }

  private running(at: number): Segment | null {
    if (this.from === null) return null;
    const segment: Segment = [round3(this.from), round3(at)];
    return segment[1] > segment[0] ? segment : null;
  }
}
