/**
 * The durable line of statements on their way to the box. They are on the shelf before anything is sent, leave in
 * order and in batches, at least once, and are the same by id; so closing the tab, losing the network or killing the
 * browser loses none. What to send and what answers mean is decided in `sending.ts`; this is the shell around it.
 */
import type { Held } from './place';
import { body, judge, KEEPALIVE_BYTES, nextBatch, utf8Length } from './sending';
import { MemoryShelf, type Checkpoint, type Key, type NewRow, type Row, type Shelf } from './shelf';
import type { Transport } from './transport';

/** Ordinary statements wait this long for company. */
const COMPANY_MS = 5000;
const SOON_MS = 250;
const READ_ROWS = 200;
/** More than a registration leaves in weeks without network. */
const HELD_ROWS = 5000;

export interface OutboxStatus {
  /** Statements of this browser that the box has not confirmed. */
  waiting: number;
  /** True from a failed attempt until the next that succeeds. */
  failing: boolean;
  /** Statements that the box would not take, of the videos this tab has shown. */
  refused: number;
}

export class Outbox {
  /** This tab's own unconfirmed statements: the only ones that a closing page can send without waiting for a disk. */
  private readonly own = new Map<string, NewRow>();
  private readonly keys = new Map<string, Key>();
  private readonly blocked = new Set<string>();
  private readonly listeners = new Set<(status: OutboxStatus) => void>();
  private timer: { due: number; id: ReturnType<typeof setTimeout> } | null = null;
  private draining: Promise<void> | null = null;
  /** Somebody asked while a drain was at its end. */
  private again = false;
  private inMemory = false;
  private failures = 0;

  constructor(
    private shelf: Shelf,
    private readonly send: Transport,
  ) {}

  /** Statements of a registration may be sent with `key` from now on. */
  async setKey(key: Key): Promise<void> {
    this.keys.set(key.registration, key);
    this.blocked.delete(key.registration);
    await this.guarded(async (shelf) => {
      await shelf.setKey(key);
      // Refused with another token, or by a box that has learned since.
      if ((await shelf.reconsider(key.registration)) > 0) this.schedule(COMPANY_MS);
    });
    void this.tell();
  }

  /** Keeps `rows`, then sends them: soon when something ended, otherwise together with what comes next. */
  async put(rows: NewRow[], soon: boolean, checkpoint?: Checkpoint): Promise<void> {
    for (const row of rows) this.own.set(row.id, row);
    await this.guarded((shelf) => shelf.put(rows, checkpoint, this.keyFor(rows[0] ?? checkpoint)));
    if (rows.length > 0) this.schedule(soon ? SOON_MS : COMPANY_MS);
    void this.tell();
  }

  checkpoint(checkpoint: Checkpoint): Promise<void> {
    return this.guarded((shelf) => shelf.put([], checkpoint, this.keyFor(checkpoint)));
  }

  /** The last words of a session whose page is going. Nothing here waits before the request is on its way. */
  close(rows: NewRow[], session: string): void {
    for (const row of rows) this.own.set(row.id, row);
    void this.guarded((shelf) => shelf.put(rows, { remove: session }, this.keyFor(rows[0])));
    this.flush();
  }

  /** Sends what this tab has not had confirmed in requests that outlive the page. */
  flush(): void {
    let room = KEEPALIVE_BYTES;
    let line: Row[] = [...this.own.values()].map((row, n) => ({ ...row, n }));
    while (line.length > 0) {
      const batch = nextBatch(line, room);
      const text = body(batch);
      const key = this.keys.get(batch[0]?.registration ?? '');
      room -= utf8Length(text);
      // What has no room stays on the shelf for the next visit.
      if (!key || room < 0) return;
      void this.send(key, text, true).then(async (answer) => {
        if (answer.kind !== 'stored') return this.schedule(SOON_MS);
        await this.confirmed(batch.map((row) => row.id));
        await this.guarded((shelf) => shelf.dropKeys());
      });
      line = line.slice(batch.length);
    }
  }

  /** Tries now, whatever the back-off says: the network is back, or a person asked. */
  async retry(): Promise<void> {
    this.cancelTimer();
    await this.drain();
  }

  /**
   * Completes sessions whose tab died and sends what earlier visits left. `alive` names the sessions that still run,
   * `dead_before_ms` the last sign of life that makes the others dead.
   */
  async sendLeftovers(alive: ReadonlySet<string>, dead_before_ms: number): Promise<void> {
    await this.guarded(async (shelf) => {
      for (const { session, rows, beat_ms } of await shelf.checkpoints()) {
        if (!alive.has(session) && beat_ms < dead_before_ms)
          await shelf.put(rows, { remove: session });
      }
    });
    await this.drain();
  }

  /** Whether a session here has given no sign of life since then. */
  async hasSilent(dead_before_ms: number): Promise<boolean> {
    let found = false;
    await this.guarded(async (shelf) => {
      found = (await shelf.checkpoints()).some(({ beat_ms }) => beat_ms < dead_before_ms);
    });
    return found;
  }

  /** What this browser holds of a registration. */
  async held(registration: string): Promise<Held> {
    const bodies = (rows: readonly NewRow[]): string[] =>
      rows.filter((row) => row.registration === registration).map((row) => row.body);
    let held: Held = { waiting: [], lastWords: [] };
    await this.guarded(async (shelf) => {
      held = {
        waiting: bodies(await shelf.oldest(HELD_ROWS, new Set())),
        lastWords: bodies((await shelf.checkpoints()).flatMap(({ rows }) => rows)),
      };
    });
    return held;
  }

  /** A shelf that lasts has come late: what this tab holds moves there, and what earlier visits left there is sent. */
  async moveTo(shelf: Shelf): Promise<void> {
    this.shelf = shelf;
    this.inMemory = false;
    const rows = [...this.own.values()];
    const keys = [...this.keys.values()];
    await this.guarded(async (to) => {
      for (const key of keys) await to.setKey(key);
      await to.put(rows);
    });
    await this.drain();
  }

  onStatus(listener: (status: OutboxStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private drain(): Promise<void> {
    this.again = this.draining !== null;
    this.draining ??= this.drainAll().finally(() => {
      this.draining = null;
    });
    return this.draining;
  }

  private async drainAll(): Promise<void> {
    for (;;) {
      let rows: Row[] = [];
      await this.guarded(async (shelf) => {
        rows = await shelf.oldest(READ_ROWS, this.blocked);
      });
      const batch = nextBatch(rows);
      if (batch.length > 0) {
        if (!(await this.sendBatch(batch))) break;
      } else if (this.again) {
        this.again = false;
      } else break;
    }
    await this.guarded((shelf) => shelf.dropKeys());
    await this.tell();
  }

  /** False when it is time to wait. */
  private async sendBatch(batch: Row[]): Promise<boolean> {
    const registration = batch[0]?.registration ?? '';
    const key = await this.keyOf(registration);
    if (!key) {
      this.blocked.add(registration);
      return true;
    }
    const answer = await this.send(key, body(batch), false);
    const verdict = judge(answer, batch.length, this.failures, Math.random);
    if (verdict.kind === 'wait') {
      this.failures += 1;
      this.schedule(verdict.wait_ms);
      return false;
    }
    this.failures = 0;
    switch (verdict.kind) {
      case 'done':
        await this.confirmed(batch.map((row) => row.id));
        return true;
      case 'blocked':
        this.blocked.add(registration);
        return true;
      case 'refused': {
        const [row] = batch;
        if (row) {
          this.own.delete(row.id);
          await this.guarded((shelf) =>
            shelf.refuse({
              id: row.id,
              registration,
              status: verdict.status,
              detail: verdict.detail,
              body: row.body,
              ...(row.again && { again: true }),
            }),
          );
        }
        return true;
      }
      case 'apart':
        for (const row of batch) if (!(await this.sendBatch([row]))) return false;
        return true;
    }
  }

  private keyFor(of: { registration: string } | undefined): Key | undefined {
    return of && this.keys.get(of.registration);
  }

  private async keyOf(registration: string): Promise<Key | null> {
    const known = this.keys.get(registration);
    if (known) return known;
    let key: Key | null = null;
    await this.guarded(async (shelf) => {
      key = await shelf.key(registration);
    });
    return key;
  }

  private async confirmed(ids: string[]): Promise<void> {
    for (const id of ids) this.own.delete(id);
    await this.guarded((shelf) => shelf.remove(ids));
    await this.tell();
  }

  /** A shelf that fails is left for memory; what this tab has not had confirmed moves over. */
  private async guarded(act: (shelf: Shelf) => Promise<void>): Promise<void> {
    try {
      await act(this.shelf);
    } catch (error) {
      if (this.inMemory) throw error;
      const spare = new MemoryShelf();
      this.shelf = spare;
      this.inMemory = true;
      await spare.put([...this.own.values()]);
      await act(spare);
    }
  }

  private schedule(wait_ms: number): void {
    const due = Date.now() + wait_ms;
    // A back-off is not shortened by new statements, only by `retry`.
    if (this.timer && (this.failures > 0 || this.timer.due <= due)) return;
    this.cancelTimer();
    const id = setTimeout(() => {
      this.timer = null;
      void this.drain();
    }, wait_ms);
    this.timer = { due, id };
  }

  private cancelTimer(): void {
    if (this.timer) clearTimeout(this.timer.id);
    this.timer = null;
  }

  private async tell(): Promise<void> {
    if (this.listeners.size === 0) return;
    let waiting = 0;
    let refused = 0;
    await this.guarded(async (shelf) => {
      waiting = await shelf.count();
      refused = (await shelf.refusals()).filter((one) => this.keys.has(one.registration)).length;
    });
    const status = { waiting, failing: this.failures > 0, refused };
    for (const listener of this.listeners) listener(status);
  }
}
