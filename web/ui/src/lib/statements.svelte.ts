// A list of statements, newest first as they come: pages of older ones on request, newer ones put on top while it is
// live. Oldest first, or up to a time, it is a list like any other.
import { asProblem, get, isAbort, query, type Problem } from './api';
import type { List, StatementItem } from './api-types';
import { feed } from './events';

const PAGE = 50;
/** A list that is live for hours begins anew when it is longer than this. */
const MOST = 500;
/** The box tells of new statements at most once a second; so do we ask. */
const PACE_MS = 1000;

export type Filters = Record<string, string>;

export class Statements {
  items = $state.raw<StatementItem[] | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  next = $state<string | null>(null);
  live = $state(true);
  private abort: AbortController | null = null;

  constructor(
    private readonly path: string,
    private readonly filters: () => Filters,
  ) {}

  /** Whether what is new belongs to what is shown. */
  get canBeLive(): boolean {
    const { ascending, until } = this.filters();
    return !ascending && !until;
  }

  /** The first page. */
  load(): Promise<void> {
    return this.work(async (signal) => {
      const list = await this.read({ limit: String(PAGE) }, signal);
      this.items = list.items;
      this.next = list.next ?? null;
    });
  }

  /** The next page. */
  more(): Promise<void> {
    const cursor = this.next;
    if (!cursor || this.loading) return Promise.resolve();
    return this.work(async (signal) => {
      const list = await this.read({ limit: String(PAGE), cursor }, signal);
      this.items = (this.items ?? []).concat(list.items);
      this.next = list.next ?? null;
    });
  }

  /** What came since, on top. */
  async tail(): Promise<void> {
    if (!this.live || !this.canBeLive || this.loading || this.items === undefined) return;
    const newest = this.items[0];
    if (!newest || this.items.length > MOST) return this.load();
    await this.work(async (signal) => {
      const list = await this.read({ limit: String(PAGE), since: newest.stored }, signal);
      if (list.next) {
        // More came than a page holds: there would be a gap.
        const first = await this.read({ limit: String(PAGE) }, signal);
        this.items = first.items;
        this.next = first.next ?? null;
      } else if (list.items.length > 0) {
        this.items = list.items.concat(this.items ?? []);
      }
    });
  }

  stop(): void {
    this.abort?.abort();
  }

  private read(own: Filters, signal: AbortSignal): Promise<List<StatementItem>> {
    return get(`${this.path}${query({ ...this.filters(), ...own })}`, { signal });
  }

  private async work(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = true;
    try {
      await work(abort.signal);
      this.problem = null;
    } catch (cause) {
      if (abort.signal.aborted || isAbort(cause)) return;
      this.problem = asProblem(cause);
    } finally {
      if (this.abort === abort) this.loading = false;
    }
  }
}

/** A list that loads with the page and whenever its filters change, and grows while it is live. `own`: one's own. */
export function statements(filters: () => Filters, own = false): Statements {
  const list = new Statements(own ? 'session/statements' : 'statements', filters);
  $effect(() => {
    filters();
    list.items = undefined;
    void list.load();
    return () => list.stop();
  });
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = feed.on((event) => {
      if (timer !== undefined || !(event.name === 'resync' || event.name === 'statements')) return;
      timer = setTimeout(() => {
        timer = undefined;
        void list.tail();
      }, PACE_MS);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  });
  return list;
}
