/** The shelf in IndexedDB. Format 1: `rows` (by n, index on id), `keys`, `checkpoints`, `refused`. */
import {
  onceMore,
  REFUSED_LIMIT,
  type Checkpoint,
  type Key,
  type NewRow,
  type Refused,
  type Row,
  type Shelf,
} from './shelf';

const NAME = 'lectern-player';
const FORMAT = 1;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused a request'));
  });
}

function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = tx.onerror = () =>
      reject(tx.error ?? new Error('IndexedDB aborted a transaction'));
  });
}

/** Rejects where the browser has no IndexedDB or will not open it. */
export async function openIdbShelf(): Promise<IdbShelf> {
  const request = indexedDB.open(NAME, FORMAT);
  request.onupgradeneeded = () => {
    const db = request.result;
    db.createObjectStore('rows', { keyPath: 'n', autoIncrement: true }).createIndex('id', 'id');
    db.createObjectStore('keys', { keyPath: 'registration' });
    db.createObjectStore('checkpoints', { keyPath: 'session' });
    db.createObjectStore('refused', { keyPath: 'n', autoIncrement: true });
  };
  const db = await done(request);
  // Another tab with a newer page wants to migrate: do not stand in its way.
  db.onversionchange = () => db.close();
  return new IdbShelf(db);
}

export class IdbShelf implements Shelf {
  constructor(private readonly db: IDBDatabase) {}

  put(rows: NewRow[], checkpoint?: Checkpoint | { remove: string }, key?: Key): Promise<void> {
    // Everything is asked for before the first await, so that a page that is being closed still gets it in.
    const tx = this.write('rows', 'checkpoints', 'keys');
    if (key) tx.objectStore('keys').put(key);
    for (const row of rows) tx.objectStore('rows').add(row);
    if (checkpoint && 'remove' in checkpoint)
      tx.objectStore('checkpoints').delete(checkpoint.remove);
    else if (checkpoint) tx.objectStore('checkpoints').put(checkpoint);
    const end = committed(tx);
    tx.commit();
    return end;
  }

  oldest(limit: number, without: ReadonlySet<string>): Promise<Row[]> {
    const rows: Row[] = [];
    const request = this.read('rows').objectStore('rows').openCursor();
    return new Promise((resolve, reject) => {
      request.onerror = () => reject(request.error ?? new Error('IndexedDB refused a cursor'));
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || rows.length >= limit) return resolve(rows);
        const row = cursor.value as Row;
        if (!without.has(row.registration)) rows.push(row);
        cursor.continue();
      };
    });
  }

  count(): Promise<number> {
    return done(this.read('rows').objectStore('rows').count());
  }

  remove(ids: string[]): Promise<void> {
    const tx = this.write('rows');
    const store = tx.objectStore('rows');
    for (const id of ids) {
      const found = store.index('id').getAllKeys(id);
      found.onsuccess = () => found.result.forEach((key) => store.delete(key));
    }
    return committed(tx);
  }

  async refuse(refused: Refused): Promise<void> {
    await this.remove([refused.id]);
    const tx = this.write('refused');
    const store = tx.objectStore('refused');
    store.add(refused);
    const keys = store.getAllKeys();
    keys.onsuccess = () => keys.result.slice(0, -REFUSED_LIMIT).forEach((key) => store.delete(key));
    await committed(tx);
  }

  refusals(): Promise<Refused[]> {
    return done(this.read('refused').objectStore('refused').getAll() as IDBRequest<Refused[]>);
  }

  async reconsider(registration: string): Promise<number> {
    const tx = this.write('rows', 'refused');
    const refused = tx.objectStore('refused').openCursor();
    let found = 0;
    refused.onsuccess = () => {
      const cursor = refused.result;
      if (!cursor) return;
      const one = cursor.value as Refused;
      if (one.registration === registration && !one.again) {
        found += 1;
        tx.objectStore('rows').add(onceMore(one));
        cursor.delete();
      }
      cursor.continue();
    };
    await committed(tx);
    return found;
  }

  setKey(key: Key): Promise<void> {
    const tx = this.write('keys');
    tx.objectStore('keys').put(key);
    return committed(tx);
  }

  async key(registration: string): Promise<Key | null> {
    const found: unknown = await done(this.read('keys').objectStore('keys').get(registration));
    return (found as Key | undefined) ?? null;
  }

  dropKeys(): Promise<void> {
    const tx = this.write('rows', 'checkpoints', 'keys');
    const needed = new Set<unknown>();
    const each = (store: string, see: (cursor: IDBCursorWithValue) => void, then: () => void) => {
      const request = tx.objectStore(store).openCursor();
      request.onsuccess = () => {
        if (!request.result) return then();
        see(request.result);
        request.result.continue();
      };
    };
    const need = ({ value }: IDBCursorWithValue): void =>
      void needed.add((value as { registration: string }).registration);
    const drop = (cursor: IDBCursorWithValue): void =>
      void (needed.has(cursor.primaryKey) || cursor.delete());
    each('rows', need, () => each('checkpoints', need, () => each('keys', drop, () => undefined)));
    return committed(tx);
  }

  checkpoints(): Promise<Checkpoint[]> {
    return done(
      this.read('checkpoints').objectStore('checkpoints').getAll() as IDBRequest<Checkpoint[]>,
    );
  }

  private read(...stores: string[]): IDBTransaction {
    return this.db.transaction(stores, 'readonly');
  }

  private write(...stores: string[]): IDBTransaction {
    return this.db.transaction(stores, 'readwrite');
  }
}
