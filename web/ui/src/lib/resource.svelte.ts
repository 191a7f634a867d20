// Something a page reads from the box: what came, what failed, whether it is on its way. A reload keeps
// what is shown until the new answer is there, so that nothing jumps.
import { asProblem, isAbort, type Problem } from './api';
import { feed, type BoxEvent } from './events';

export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  private abort: AbortController | null = null;

  constructor(private readonly read: (signal: AbortSignal) => Promise<T>) {}

  async load(): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = true;
    try {
      const data = await this.read(abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.problem = null;
    } catch (cause) {
      if (abort.signal.aborted || isAbort(cause)) return;
      this.problem = asProblem(cause);
    } finally {
      if (this.abort === abort) this.loading = false;
    }
  }

  stop(): void {
    this.abort?.abort();
  }
}

/** A resource that loads with the page, again on the events that concern it (at most once a second),
 *  and stops with the page. `deps` is read inside an effect: what it touches triggers a load. */
export function live<T>(
  read: (signal: AbortSignal) => Promise<T>,
  concerns: (event: BoxEvent) => boolean = () => false,
  deps: () => unknown = () => undefined,
): Resource<T> {
  const resource = new Resource(read);
  $effect(() => {
    deps();
    void resource.load();
    return () => resource.stop();
  });
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = feed.on((event) => {
      if (timer !== undefined || !(event.name === 'resync' || concerns(event))) return;
      timer = setTimeout(() => {
        timer = undefined;
        void resource.load();
      }, 1000);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  });
  return resource;
}
