// The door to the API: what happens when the page's CSRF token is that of an ended session.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { csrfHeaders, onStale, post, setCsrf, type Problem } from './api';

const stale = (): Response =>
  new Response(JSON.stringify({ type: 'https://lectern.invalid/problems/csrf', title: 'Old' }), {
    status: 403,
  });
const forbidden = (): Response => new Response('{"type":"about:blank"}', { status: 403 });
const done = (): Response => new Response('{"id":"v1"}', { status: 201 });

let answers: (() => Response)[] = [];
let sent: (string | undefined)[] = [];
beforeEach(() => {
  sent = [];
  setCsrf('old');
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    sent.push((init.headers as Record<string, string>)['X-CSRF-Token']);
    return (answers.shift() ?? done)();
  });
});
afterEach(() => vi.unstubAllGlobals());

it('a token of an ended session is renewed and the request told once more', async () => {
  answers = [stale, done];
  onStale(async () => {
    setCsrf('new');
    return true;
  });
  expect(await post('videos', {})).toEqual({ id: 'v1' });
  expect(sent).toEqual(['old', 'new']);
});

it('another person’s session sends nothing of this one', async () => {
  answers = [stale];
  onStale(async () => false);
  await expect(post('videos', {})).rejects.toMatchObject({
    status: 403,
  } satisfies Partial<Problem>);
  expect(sent).toEqual(['old']);
});

it('once more is once', async () => {
  answers = [stale, stale, done];
  onStale(async () => true);
  await expect(post('videos', {})).rejects.toMatchObject({ status: 403 });
  expect(sent).toHaveLength(2);
});

it('what is forbidden for another reason is not tried again', async () => {
  answers = [forbidden];
  onStale(async () => true);
  await expect(post('videos', {})).rejects.toMatchObject({ status: 403 });
  expect(sent).toHaveLength(1);
  expect(csrfHeaders()).toEqual({ 'X-CSRF-Token': 'old' });
});
