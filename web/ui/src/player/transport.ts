/** One request to the box's LRS, and what came of it. Version 2.0.0 of xAPI; see `sending.ts` for what it means. */
import type { Answer } from './sending';
import type { Key } from './shelf';

export type Transport = (key: Key, body: string, keepalive: boolean) => Promise<Answer>;

const VERSION = '2.0.0';
/** A request that takes longer is given up and told again; the same ids make that harmless. */
const TIMEOUT_MS = 20_000;

export const fetchTransport: Transport = async (key, body, keepalive) => {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), TIMEOUT_MS);
  try {
    // The page came from the box, so the path is enough: behind a proxy the box may not know its own scheme.
    const path = new URL(key.endpoint, location.href).pathname.replace(/\/$/, '');
    const response = await fetch(`${path}/statements`, {
      method: 'POST',
      body,
      keepalive,
      // The token alone speaks: a cookie would make this a request of whoever is signed in now.
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
      signal: giveUp.signal,
      headers: {
        Authorization: `Bearer ${key.token}`,
        'Content-Type': 'application/json',
        'X-Experience-API-Version': VERSION,
      },
    });
    if (response.status === 204) return { kind: 'stored' };
    if (response.ok) {
      // Only an LRS answers with a list of ids; a captive portal answers 200 with a page.
      const ids: unknown = await response.json();
      return Array.isArray(ids) ? { kind: 'stored' } : { kind: 'unreachable' };
    }
    const after = Number(response.headers.get('Retry-After') ?? NaN);
    const detail = (await response.text()).slice(0, 500);
    return {
      kind: 'status',
      status: response.status,
      detail,
      retry_after_ms: Number.isFinite(after) ? after * 1000 : null,
    };
  } catch {
    return { kind: 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
};
