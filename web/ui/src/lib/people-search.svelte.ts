// People by what is typed of their names, as one types. Made while a component is being made, and goes with it.
import { m } from '../messages';
import { announcer } from './announce.svelte';
import { asProblem, get, isAbort, query, type Problem } from './api';
import type { List, NamedPerson, Person } from './api-types';

/** After the last key it is asked this much later. */
const REST_MS = 250;

export class PeopleSearch {
  typed = $state('');
  /** `null` while nothing is asked for. */
  hits = $state.raw<NamedPerson[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  /** At most so many; `none` says that nobody has that name. */
  constructor(limit: number, none: string) {
    $effect(() => {
      const q = this.typed.trim();
      if (q.length === 0) {
        this.hits = null;
        this.problem = null;
        return;
      }
      const abort = new AbortController();
      const timer = setTimeout(() => void this.#find(q, limit, none, abort.signal), REST_MS);
      return () => {
        clearTimeout(timer);
        abort.abort();
      };
    });
  }

  async #find(q: string, limit: number, none: string, signal: AbortSignal): Promise<void> {
    try {
      const list = await get<List<Person>>(`people${query({ q, limit })}`, { signal });
      const hits = list.items.map((hit) => ({ id: hit.id, name: hit.display_name || hit.name }));
      this.hits = hits;
      this.problem = null;
      announcer.whisper(hits.length === 0 ? none : m.common.people(hits.length));
    } catch (cause) {
      if (!isAbort(cause)) this.problem = asProblem(cause);
    }
  }
}
