// The box's events on this page: one stream for the whole browser through a SharedWorker, an EventSource
// of our own where there is none, and asking again every 15 s where streams do not come through.
// Closed while the page is hidden (HTTP/1.1 has six connections for everything); `resync` says that
// something may have been missed.
import type { FromWorker, ToWorker } from './events.worker';

export type EventName = 'video' | 'captions' | 'statements' | 'upstreams' | 'system' | 'resync';

export interface BoxEvent {
  name: EventName;
  /** What the event is about: `{id}`, `{video}`, `{activity}`; empty for `resync`. */
  data: Record<string, string>;
}

type Listener = (event: BoxEvent) => void;

export const STREAM = '/api/v1/events';
export const NAMES: EventName[] = ['video', 'captions', 'statements', 'upstreams', 'system'];
const POLL_MS = 15_000;
/** So many failures in a row, and we ask instead of listening. */
const PATIENCE = 3;

interface Source {
  show(visible: boolean): void;
  close(): void;
}

class Feed {
  private listeners = new Set<Listener>();
  private source: Source | null = null;
  private way: 'stream' | 'ask' | null = null;

  /** The stream is for people who are signed in; a visitor's page asks now and then. */
  follow(way: 'stream' | 'ask' | null): void {
    if (way === this.way) return;
    this.way = way;
    this.source?.close();
    this.source = null;
    if (way === null) return;
    this.source = way === 'ask' ? asking(this.tell) : (shared(this.tell) ?? direct(this.tell));
    this.source.show(document.visibilityState === 'visible');
  }

  /** Calls back until the returned function is called. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  visibility(visible: boolean): void {
    this.source?.show(visible);
  }

  private tell = (event: BoxEvent): void => {
    for (const listener of this.listeners) listener(event);
  };
}

function shared(tell: Listener): Source | null {
  if (typeof SharedWorker === 'undefined') return null;
  try {
    const worker = new SharedWorker(new URL('./events.worker.ts', import.meta.url), {
      type: 'module',
      name: 'lectern-events',
    });
    let fallback: Source | null = null;
    let visible = false;
    const say = (message: ToWorker): void => worker.port.postMessage(message);
    worker.onerror = () => {
      fallback ??= direct(tell);
      fallback.show(visible);
    };
    worker.port.onmessage = (message: MessageEvent<FromWorker>) => tell(message.data);
    worker.port.start();
    return {
      show(now) {
        visible = now;
        say({ visible: now });
        fallback?.show(now);
      },
      close() {
        say({ visible: false });
        worker.port.close();
        fallback?.close();
      },
    };
  } catch {
    return null;
  }
}

function asking(tell: Listener): Source {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    show(visible) {
      if (!visible) stop();
      else timer ??= setInterval(() => tell({ name: 'resync', data: {} }), POLL_MS);
    },
    close: stop,
  };
}

/** Also what the worker runs inside itself. */
export function direct(tell: Listener): Source {
  let stream: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let missed = false;
  const resync = (): void => tell({ name: 'resync', data: {} });

  const stop = (): void => {
    stream?.close();
    stream = null;
    clearTimeout(timer);
    timer = undefined;
  };
  const open = (): void => {
    stop();
    stream = new EventSource(STREAM);
    stream.onopen = () => {
      failures = 0;
      if (missed) resync();
      missed = false;
    };
    stream.onerror = () => {
      missed = true;
      failures += 1;
      // A refused stream stays closed by itself; one that keeps dying is closed by us.
      if (stream?.readyState !== EventSource.CLOSED && failures < PATIENCE) return;
      stop();
      const ask = (): void => {
        resync();
        failures = 0;
        open();
      };
      timer = setTimeout(ask, POLL_MS);
    };
    for (const name of NAMES) {
      stream.addEventListener(name, (event) => tell({ name, data: parse(event) }));
    }
  };
  return {
    show(visible) {
      if (!visible) {
        missed = missed || stream !== null || timer !== undefined;
        stop();
      } else if (!stream && timer === undefined) {
        open();
      }
    },
    close: stop,
  };
}

function parse(event: Event): Record<string, string> {
  try {
    const data: unknown = JSON.parse(String((event as MessageEvent).data));
    return typeof data === 'object' && data !== null ? (data as Record<string, string>) : {};
  } catch {
    return {};
  }
}

export const feed = new Feed();

if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () =>
    feed.visibility(document.visibilityState === 'visible'),
  );
  window.addEventListener('pagehide', () => feed.visibility(false));
  window.addEventListener('pageshow', () =>
    feed.visibility(document.visibilityState === 'visible'),
  );
}
