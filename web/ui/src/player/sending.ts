/**
 * What to send next and what an answer means: the decisions of the outbox, without network, disk or clock.
 * xAPI 1.0.3 Comm 2.1.2: a batch is stored whole or not at all; the same statement again is no conflict.
 */
import type { Row } from './shelf';

/** A batch holds at most so many statements and bytes. */
export const BATCH_ROWS = 50;
export const BATCH_BYTES = 200_000;
/** All requests that outlive their page may hold 64 KiB together (Fetch, keepalive); headers leave some room. */
export const KEEPALIVE_BYTES = 60_000;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

export type Answer =
  | { kind: 'stored' }
  /** Nobody answered, or somebody who is not the box (a captive portal's page). */
  | { kind: 'unreachable' }
  | { kind: 'status'; status: number; detail: string; retry_after_ms: number | null };

export type Verdict =
  | { kind: 'done' }
  /** One of the batch is at fault; each has to be asked alone. */
  | { kind: 'apart' }
  /** This statement will never be taken. */
  | { kind: 'refused'; status: number; detail: string }
  /** The token is no longer good; its registration waits for the next `play`, the others go on. */
  | { kind: 'blocked' }
  | { kind: 'wait'; wait_ms: number };

/** The longest beginning of the line that one request can carry: one registration, bounded rows and bytes. */
export function nextBatch(rows: readonly Row[], bytes = BATCH_BYTES): Row[] {
  const batch: Row[] = [];
  let size = 2;
  for (const row of rows) {
    if (row.registration !== rows[0]?.registration || batch.length >= BATCH_ROWS) break;
    size += utf8Length(row.body) + 1;
    if (batch.length > 0 && size > bytes) break;
    batch.push(row);
  }
  return batch;
}

export function body(batch: readonly Pick<Row, 'body'>[]): string {
  return `[${batch.map((row) => row.body).join(',')}]`;
}

export function judge(
  answer: Answer,
  batchSize: number,
  failuresBefore: number,
  random: () => number,
): Verdict {
  if (answer.kind === 'stored') return { kind: 'done' };
  if (answer.kind === 'unreachable')
    return { kind: 'wait', wait_ms: backOff(failuresBefore, random) };
  const { status, detail, retry_after_ms } = answer;
  if (status === 401) return { kind: 'blocked' };
  if (status === 400 || status === 403 || status === 409 || status === 413 || status === 422) {
    if (batchSize > 1) return { kind: 'apart' };
    // The id is there already: a closing pair that a dying tab got through and that was told again.
    return status === 409 ? { kind: 'done' } : { kind: 'refused', status, detail };
  }
  // Everything else is the way's or the box's trouble and passes: 404 of a proxy, 429, 5xx, 507.
  return { kind: 'wait', wait_ms: Math.max(retry_after_ms ?? 0, backOff(failuresBefore, random)) };
}

/** Doubling, bounded, with a random half so that a class of phones does not come back at one moment. */
export function backOff(failuresBefore: number, random: () => number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failuresBefore, 16));
  return Math.round(full / 2 + (random() * full) / 2);
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
