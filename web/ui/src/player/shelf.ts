/**
 * Where statements wait for the box: IndexedDB, or memory where the browser refuses it (private windows).
 * Only storage: when and how they are sent is `outbox.ts`'s. Works over plain HTTP.
 */

/** One statement that waits. `n` is its place in the line of this browser. */
export interface Row {
  n: number;
  id: string;
  registration: string;
  body: string;
  /** The box refused it once already. */
  again?: true;
}

export type NewRow = Omit<Row, 'n'>;

/** The token that may write a registration's statements, and where to. The newest one of a registration is kept. */
export interface Key {
  registration: string;
  endpoint: string;
  token: string;
}

/** What a session would say if its tab died now. */
export interface Checkpoint {
  session: string;
  registration: string;
  rows: NewRow[];
  /** The device's clock at the last sign of life. */
  beat_ms: number;
}

/** What the box would not take. Kept for a person to look at, bounded, and never in the way; asked once more with the next key. */
export interface Refused {
  id: string;
  registration: string;
  status: number;
  detail: string;
  body: string;
  again?: true;
}

/** At most so many refused statements are kept. */
export const REFUSED_LIMIT = 200;

export interface Shelf {
  /**
   * Puts rows at the end of the line and sets or removes a session's checkpoint, in one transaction; with their key, so
   * that none stands here without.
   */
  put(rows: NewRow[], checkpoint?: Checkpoint | { remove: string }, key?: Key): Promise<void>;
  oldest(limit: number, without: ReadonlySet<string>): Promise<Row[]>;
  count(): Promise<number>;
  remove(ids: string[]): Promise<void>;
  refuse(refused: Refused): Promise<void>;
  refusals(): Promise<Refused[]>;
  /** What was refused of a registration goes to the end of the line, each a single time; how many do. */
  reconsider(registration: string): Promise<number>;
  setKey(key: Key): Promise<void>;
  key(registration: string): Promise<Key | null>;
  /** Removes the keys that no row and no checkpoint needs: a token is not kept longer than it is good for. */
  dropKeys(): Promise<void>;
  checkpoints(): Promise<Checkpoint[]>;
}

/** A refused statement as a row that is told a last time. */
export function onceMore({ id, registration, body }: Refused): NewRow {
  return { id, registration, body, again: true };
}

export class MemoryShelf implements Shelf {
  private rows: Row[] = [];
  private next = 1;
  private readonly keys = new Map<string, Key>();
  private readonly sessions = new Map<string, Checkpoint>();
  refused: Refused[] = [];

  async put(
    rows: NewRow[],
    checkpoint?: Checkpoint | { remove: string },
    key?: Key,
  ): Promise<void> {
    if (key) this.keys.set(key.registration, key);
    for (const row of rows) {
      if (!this.rows.some((known) => known.id === row.id))
        this.rows.push({ ...row, n: this.next++ });
    }
    if (checkpoint && 'remove' in checkpoint) this.sessions.delete(checkpoint.remove);
    else if (checkpoint) this.sessions.set(checkpoint.session, checkpoint);
  }

  async oldest(limit: number, without: ReadonlySet<string>): Promise<Row[]> {
    return this.rows.filter((row) => !without.has(row.registration)).slice(0, limit);
  }

  async count(): Promise<number> {
    return this.rows.length;
  }

  async remove(ids: string[]): Promise<void> {
    this.rows = this.rows.filter((row) => !ids.includes(row.id));
  }

  async refuse(refused: Refused): Promise<void> {
    await this.remove([refused.id]);
    this.refused.push(refused);
    if (this.refused.length > REFUSED_LIMIT) this.refused.shift();
  }

  async refusals(): Promise<Refused[]> {
    return [...this.refused];
  }

  async reconsider(registration: string): Promise<number> {
    const anew = this.refused.filter((one) => one.registration === registration && !one.again);
    this.refused = this.refused.filter((one) => !anew.includes(one));
    await this.put(anew.map(onceMore));
    return anew.length;
  }

  async setKey(key: Key): Promise<void> {
    this.keys.set(key.registration, key);
  }

  async key(registration: string): Promise<Key | null> {
    return this.keys.get(registration) ?? null;
  }

  async dropKeys(): Promise<void> {
    const needed = new Set(
      [...this.rows, ...this.sessions.values()].map(({ registration }) => registration),
    );
    for (const registration of this.keys.keys())
      if (!needed.has(registration)) this.keys.delete(registration);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    return [...this.sessions.values()];
  }
}
