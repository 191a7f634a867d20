// The stream's behaviour without a browser: what a page hears when a stream opens, breaks and comes back.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { direct, type BoxEvent } from './events';

class FakeSource {
  static CLOSED = 2;
  static all: FakeSource[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  listeners = new Map<string, (event: { data: string }) => void>();
  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }
  addEventListener(name: string, act: (event: { data: string }) => void): void {
    this.listeners.set(name, act);
  }
  close(): void {
    this.readyState = FakeSource.CLOSED;
  }
}

const newest = (): FakeSource => FakeSource.all.at(-1)!;

describe('a stream of events', () => {
  let heard: BoxEvent[] = [];
  const tell = (event: BoxEvent): void => void heard.push(event);

  beforeEach(() => {
    heard = [];
    FakeSource.all = [];
    vi.useFakeTimers();
    vi.stubGlobal('EventSource', FakeSource);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is open only while a page is visible, and says after a break that things may have changed', () => {
    const source = direct(tell);
    source.show(true);
    newest().onopen?.();
    newest().listeners.get('video')?.({ data: '{"id":"v1"}' });
    source.show(false);
    expect(newest().readyState).toBe(FakeSource.CLOSED);
    source.show(true);
    newest().onopen?.();
    expect(heard).toEqual([
      { name: 'video', data: { id: 'v1' } },
      { name: 'resync', data: {} },
    ]);
  });

  it('that is refused is asked for again, and the page asks meanwhile', () => {
    const source = direct(tell);
    source.show(true);
    newest().close();
    newest().onerror?.();
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(15_000);
    expect(heard).toEqual([{ name: 'resync', data: {} }]);
    expect(FakeSource.all).toHaveLength(2);
    source.close();
    vi.advanceTimersByTime(60_000);
    expect(FakeSource.all).toHaveLength(2);
  });

  it('that breaks once is left to mend itself', () => {
    const source = direct(tell);
    source.show(true);
    newest().onerror?.();
    expect(newest().readyState).toBe(0);
    newest().onopen?.();
    expect(heard).toEqual([{ name: 'resync', data: {} }]);
    source.close();
  });

  it('with garbled data is still an event', () => {
    const source = direct(tell);
    source.show(true);
    newest().listeners.get('system')?.({ data: 'no json' });
    expect(heard).toEqual([{ name: 'system', data: {} }]);
    source.close();
  });
});
