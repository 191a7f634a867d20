/** Nothing that the sensor said is lost on its way, and nothing that the box refuses stands in the way. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../src/player/outbox';
import { backOff, judge, KEEPALIVE_BYTES, nextBatch, type Answer } from '../src/player/sending';
import { MemoryShelf, type Key, type NewRow } from '../src/player/shelf';

const key = (registration = 'r1', token = 't'): Key => ({ registration, endpoint: '/xapi', token });
const row = (n: number, registration = 'r1', size = 0): NewRow => ({
  id: `s${n}`,
  registration,
  body: JSON.stringify({ id: `s${n}`, fill: 'x'.repeat(size) }),
});

/** An LRS of a few lines: stores whole batches or nothing, equal ids once. */
class Lrs {
  readonly stored = new Map<string, string>();
  readonly order: string[] = [];
  readonly calls: { ids: string[]; keepalive: boolean; token: string }[] = [];
  answers: Answer[] = [];
  poison = new Set<string>();
  badTokens = new Set<string>();

  send = async (k: Key, body: string, keepalive: boolean): Promise<Answer> => {
    const batch = JSON.parse(body) as { id: string }[];
    this.calls.push({ ids: batch.map(({ id }) => id), keepalive, token: k.token });
    const prepared = this.answers.shift();
    if (prepared) return prepared;
    if (this.badTokens.has(k.token))
      return { kind: 'status', status: 401, detail: '', retry_after_ms: null };
    if (batch.some(({ id }) => this.poison.has(id)))
      return { kind: 'status', status: 400, detail: 'bad', retry_after_ms: null };
    if (batch.some((s) => this.stored.has(s.id) && this.stored.get(s.id) !== JSON.stringify(s))) {
      return { kind: 'status', status: 409, detail: '', retry_after_ms: null };
    }
    for (const s of batch) {
      if (!this.stored.has(s.id)) this.order.push(s.id);
      this.stored.set(s.id, JSON.stringify(s));
    }
    return { kind: 'stored' };
  };
}

let shelf: MemoryShelf;
let lrs: Lrs;
let box: Outbox;
beforeEach(async () => {
  vi.useFakeTimers();
  shelf = new MemoryShelf();
  lrs = new Lrs();
  box = new Outbox(shelf, lrs.send);
  await box.setKey(key());
});
afterEach(() => vi.useRealTimers());

describe('outbox', () => {
  it('statements are kept before they are sent, and leave together', async () => {
    await box.put([row(1)], false);
    await box.put([row(2)], false);
    expect(await shelf.count()).toBe(2);
    expect(lrs.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(6000);
    expect(lrs.calls).toEqual([{ ids: ['s1', 's2'], keepalive: false, token: 't' }]);
    expect(await shelf.count()).toBe(0);
  });

  it('an ending does not wait for company', async () => {
    await box.put([row(1)], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(lrs.order).toEqual(['s1']);
  });

  it('while the network is gone all waits, and goes in order when it is back', async () => {
    const gone: Answer = { kind: 'unreachable' };
    lrs.answers = [gone, gone, gone];
    for (let n = 1; n <= 120; n++) await box.put([row(n)], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(await shelf.count()).toBe(120);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lrs.order).toEqual(Array.from({ length: 120 }, (_, n) => `s${n + 1}`));
    expect(await shelf.count()).toBe(0);
  });

  it('a poisoned statement is put aside and the others go on', async () => {
    lrs.poison.add('s2');
    for (const n of [1, 2, 3]) await box.put([row(n)], false);
    await vi.advanceTimersByTimeAsync(6000);
    expect(lrs.order).toEqual(['s1', 's3']);
    expect(shelf.refused.map(({ id, status }) => [id, status])).toEqual([['s2', 400]]);
    expect(await shelf.count()).toBe(0);
  });

  it('what was refused is told once more with the next key, and then put aside for good', async () => {
    const told: number[] = [];
    box.onStatus(({ refused }) => told.push(refused));
    lrs.poison.add('s2').add('s3');
    for (const n of [1, 2, 3]) await box.put([row(n)], false);
    await vi.advanceTimersByTimeAsync(6000);
    expect(told.at(-1)).toBe(2);
    lrs.poison.delete('s2');
    await box.setKey(key('r1', 'next'));
    await vi.advanceTimersByTimeAsync(6000);
    expect(lrs.order).toEqual(['s1', 's2']);
    expect(told.at(-1)).toBe(1);
    const calls = lrs.calls.length;
    await box.setKey(key('r1', 'third'));
    await vi.advanceTimersByTimeAsync(6000);
    expect(lrs.calls).toHaveLength(calls);
    expect(shelf.refused.map(({ id }) => id)).toEqual(['s3']);
  });

  it('a conflict means that the box has it', async () => {
    await lrs.send(key(), '[{"id":"s1","by":"a dying tab"}]', true);
    await box.put([row(1), row(2)], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(lrs.order).toEqual(['s1', 's2']);
    expect(shelf.refused).toEqual([]);
    expect(await shelf.count()).toBe(0);
  });

  it('a token that has ended blocks its own registration only, until play gives a new one', async () => {
    lrs.badTokens.add('t');
    await box.setKey(key('r2', 'good'));
    await box.put([row(1), row(2, 'r2')], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(lrs.order).toEqual(['s2']);
    expect(await shelf.count()).toBe(1);
    await box.setKey(key('r1', 'new'));
    await box.retry();
    expect(lrs.order).toEqual(['s2', 's1']);
  });

  it('a token is forgotten when nothing waits for it any more, and not before', async () => {
    const last = { session: 'x', registration: 'r1', rows: [row(9)], beat_ms: 1000 };
    await box.put([row(1)], true, last);
    await vi.advanceTimersByTimeAsync(300);
    expect(await shelf.key('r1')).not.toBeNull();
    lrs.answers = [{ kind: 'unreachable' }];
    box.close([row(2)], 'x');
    await vi.advanceTimersByTimeAsync(10);
    expect(await shelf.key('r1')).not.toBeNull();
    await vi.advanceTimersByTimeAsync(5000);
    expect(lrs.order).toEqual(['s1', 's2']);
    expect(await shelf.key('r1')).toBeNull();
  });

  it('no statement stands on the shelf without its key', async () => {
    await box.retry();
    expect(await shelf.key('r1')).toBeNull();
    await box.put([row(1)], false);
    expect(await shelf.key('r1')).toEqual(key());
  });

  it('knows what it holds of a registration', async () => {
    await box.put([row(1), row(2, 'r2')], false);
    await box.checkpoint({ session: 'x', registration: 'r1', rows: [row(3)], beat_ms: 1000 });
    expect(await box.held('r1')).toEqual({ waiting: [row(1).body], lastWords: [row(3).body] });
    expect(await box.hasSilent(1000)).toBe(false);
    expect(await box.hasSilent(1001)).toBe(true);
  });

  it('a closing page sends at once what is not confirmed, in requests that outlive it', async () => {
    await box.put([row(1)], false);
    box.close([row(2)], 'session');
    expect(lrs.calls).toEqual([{ ids: ['s1', 's2'], keepalive: true, token: 't' }]);
  });

  it('what keepalive has no room for waits on the shelf for the next visit', async () => {
    for (let n = 1; n <= 10; n++) await box.put([row(n, 'r1', 20_000)], false);
    box.close([], 'session');
    const sent = lrs.calls.flatMap(({ ids }) => ids).length;
    expect(sent * 20_000).toBeLessThan(KEEPALIVE_BYTES);
    await vi.advanceTimersByTimeAsync(10);
    const next = new Outbox(shelf, lrs.send);
    await next.sendLeftovers(new Set(), 0);
    expect(lrs.order).toHaveLength(10);
  });

  it('a session whose tab died is completed at the next visit, a running one is left alone', async () => {
    const checkpoint = (session: string, n: number, beat_ms: number) => ({
      session,
      registration: 'r1',
      rows: [row(n)],
      beat_ms,
    });
    await box.checkpoint(checkpoint('dead', 1, 1000));
    await box.checkpoint(checkpoint('alive', 2, 1000));
    await box.checkpoint(checkpoint('fresh', 3, 9000));
    const next = new Outbox(shelf, lrs.send);
    await next.sendLeftovers(new Set(['alive']), 5000);
    expect(lrs.order).toEqual(['s1']);
    await next.sendLeftovers(new Set(), 20_000);
    expect(lrs.order.sort()).toEqual(['s1', 's2', 's3']);
  });

  it('a shelf that fails is left for memory and nothing of this tab is lost', async () => {
    class Broken extends MemoryShelf {
      override async put(): Promise<void> {
        throw new DOMException('full', 'QuotaExceededError');
      }
    }
    const line = new Outbox(new Broken(), lrs.send);
    await line.setKey(key());
    await line.put([row(1)], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(lrs.order).toEqual(['s1']);
  });

  it('a shelf that comes late takes over what waits, and its own line is sent too', async () => {
    lrs.answers = [{ kind: 'unreachable' }];
    await box.put([row(1)], true);
    await vi.advanceTimersByTimeAsync(300);
    const late = new MemoryShelf();
    await late.setKey(key('r2'));
    await late.put([row(7, 'r2')]);
    await box.moveTo(late);
    expect(lrs.order).toEqual(['s7', 's1']);
    expect(await late.count()).toBe(0);
  });

  it('says how many wait and whether it fails', async () => {
    const told: [number, boolean][] = [];
    box.onStatus(({ waiting, failing }) => told.push([waiting, failing]));
    lrs.answers = [{ kind: 'unreachable' }];
    await box.put([row(1)], true);
    await vi.advanceTimersByTimeAsync(300);
    expect(told.at(-1)).toEqual([1, true]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told.at(-1)).toEqual([0, false]);
  });
});

describe('what an answer means', () => {
  const status = (code: number, after: number | null = null): Answer => ({
    kind: 'status',
    status: code,
    detail: '',
    retry_after_ms: after,
  });
  it.each([
    [status(400), 2, 'apart'],
    [status(409), 2, 'apart'],
    [status(403), 1, 'refused'],
    [status(400), 1, 'refused'],
    [status(409), 1, 'done'],
    [status(401), 9, 'blocked'],
    [status(404), 1, 'wait'],
    [status(429), 1, 'wait'],
    [status(503), 5, 'wait'],
    [status(507), 1, 'wait'],
    [{ kind: 'unreachable' } as Answer, 1, 'wait'],
    [{ kind: 'stored' } as Answer, 5, 'done'],
  ])('%j for a batch of %i is %s', (answer, size, verdict) => {
    expect(judge(answer, size, 0, () => 0.5).kind).toBe(verdict);
  });

  it('the box may ask for more patience than we have', () => {
    expect(judge(status(503, 90_000), 1, 0, () => 0)).toEqual({ kind: 'wait', wait_ms: 90_000 });
  });

  it('waits double up to a minute', () => {
    expect([0, 1, 2, 5, 6, 40].map((n) => backOff(n, () => 1))).toEqual([
      1000, 2000, 4000, 32_000, 60_000, 60_000,
    ]);
  });

  it('a batch is of one registration and bounded', () => {
    const rows = [row(1), row(2), row(3, 'r2')].map((r, n) => ({ ...r, n }));
    expect(nextBatch(rows).map(({ id }) => id)).toEqual(['s1', 's2']);
    expect(nextBatch(rows, 30).map(({ id }) => id)).toEqual(['s1']);
    expect(nextBatch([])).toEqual([]);
  });
});
