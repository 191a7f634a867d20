// A list that comes in pages: the first by itself, more on request, and again (as many as are shown) when
// the box says that something changed.
import { asProblem, get, isAbort, query, type Problem } from './api';
import type { List } from './api-types';
import { feed, type BoxEvent } from './events';

const MOST_PAGES_AGAIN = 10;

export class Paged<T> {
  items = $state.raw<T[] | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  next = $state<string | null>(null);
  private pages = 1;
  private abort: AbortController | null = null;

  constructor(private readonly address: () => { path: string; params?: Record<string, string> }) {}

  /** From the beginning, with as many pages as are shown now. */
  async load(pages = this.pages): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = true;
    try {
      let items: T[] = [];
      let cursor: string | null = null;
      let read = 0;
      do {
        const list = await this.page(cursor, abort.signal);
        items = items.concat(list.items);
        cursor = list.next ?? null;
        read += 1;
      } while (cursor && read < Math.min(pages, MOST_PAGES_AGAIN));
      if (abort.signal.aborted) return;
      this.items = items;
      this.next = cursor;
      this.pages = read;
      this.problem = null;
    } catch (cause) {
      if (abort.signal.aborted || isAbort(cause)) return;
      this.problem = asProblem(cause);
    } finally {
      if (this.abort === abort) this.loading = false;
    }
  }

  async more(): Promise<void> {
    if (!this.next || this.loading) return;
    this.loading = true;
    try {
      const list = await this.page(this.next);
      this.items = (this.items ?? []).concat(list.items);
      this.next = list.next ?? null;
      this.pages += 1;
      this.problem = null;
    } catch (cause) {
      this.problem = asProblem(cause);
    } finally {
      this.loading = false;
    }
  }

  stop(): void {
    this.abort?.abort();
  }

  private page(cursor: string | null, signal?: AbortSignal): Promise<List<T>> {
    const { path, params = {} } = this.address();
    return get<List<T>>(`${path}${query({ ...params, cursor })}`, signal ? { signal } : {});
  }
}

/** A list that loads with the page and whenever what `address` reads changes. */
export function paged<T>(
  address: () => { path: string; params?: Record<string, string> },
  concerns: (event: BoxEvent) => boolean = () => false,
): Paged<T> {
  const list = new Paged<T>(address);
  $effect(() => {
    address();
    void list.load(1);
    return () => list.stop();
  });
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = feed.on((event) => {
      if (timer !== undefined || !(event.name === 'resync' || concerns(event))) return;
      timer = setTimeout(() => {
        timer = undefined;
        void list.load();
      }, 1000);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  });
  return list;
}
