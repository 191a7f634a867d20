// The one door to /api/v1: JSON in and out, the CSRF header, and every failure as a `Problem` with a
// sentence for a person. It knows no page; who must sign in again is told through `onUnauthorized`, and a new
// CSRF token is asked for through `onStale`.
import { m } from '../messages';

/** A failed request, from an RFC 9457 problem document or from what stood in its place. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly type = 'about:blank',
    readonly extra: Record<string, unknown> = {},
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  /** Whether the same request may succeed a little later. */
  get retriable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** Sent as it is, with this content type, instead of JSON. */
  raw?: { body: Blob | string; type: string };
  /** Told how much of a raw body is sent, 0..1. */
  progress?: (share: number) => void;
  /** A 401 is an answer here, not a reason to sign in. */
  quiet401?: boolean;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let csrf = '';
let unauthorized: (method: Method) => void = () => undefined;
let renew: () => Promise<boolean> = async () => false;

export function setCsrf(token: string): void {
  csrf = token;
}

/** For clients of their own (tus): what an unsafe request must carry. */
export function csrfHeaders(): Record<string, string> {
  return csrf ? { 'X-CSRF-Token': csrf } : {};
}

/** `ask` gets the new token, and answers whether the same person goes on with it. */
export function onStale(ask: () => Promise<boolean>): void {
  renew = ask;
}

/** The CSRF token is that of a session that has ended, because someone signed in anew in another tab. */
export function isStale({ status, type }: Problem): boolean {
  return status === 403 && type.endsWith('/csrf');
}

/** Whether the same request may be sent again, with another token. */
export function renewCsrf(): Promise<boolean> {
  return renew().catch(() => false);
}

export function onUnauthorized(tell: (method: Method) => void): void {
  unauthorized = tell;
}

export async function request<T>(
  method: Method,
  path: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<T> {
  let response = await send(method, path, body, options);
  let problem = response.ok ? null : await problemOf(response);
  if (problem && isStale(problem) && (await renewCsrf())) {
    response = await send(method, path, body, options);
    problem = response.ok ? null : await problemOf(response);
  }
  if (problem) {
    if (problem.status === 401 && !options.quiet401) unauthorized(method);
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (!text) return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem(response.status, m.errors.garbledTitle, m.errors.garbled);
  }
}

async function send(
  method: Method,
  path: string,
  body: unknown,
  options: RequestOptions,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') Object.assign(headers, csrfHeaders());
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (options.signal) init.signal = options.signal;
  if (options.raw) {
    headers['Content-Type'] = options.raw.type;
    init.body = options.raw.body;
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  const url = path.startsWith('/') ? path : `/api/v1/${path}`;
  try {
    return options.progress
      ? await sendWithProgress(url, init, options.progress)
      : await fetch(url, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Problem(0, m.errors.offlineTitle, m.errors.offline);
  }
}

/** As `fetch`, which does not say how much of a body it has sent. */
function sendWithProgress(
  url: string,
  { method, headers, body, signal }: RequestInit,
  progress: (share: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const abort = (): void => sending.abort();
    sending.open(method ?? 'GET', url);
    for (const [name, value] of new Headers(headers)) sending.setRequestHeader(name, value);
    sending.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    sending.onload = () =>
      resolve(new Response(sending.responseText || null, { status: sending.status }));
    sending.onerror = () => reject(new TypeError('the network failed'));
    sending.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    sending.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    sending.send(body as XMLHttpRequestBodyInit);
  });
}

export const get = <T>(path: string, options?: RequestOptions): Promise<T> =>
  request<T>('GET', path, undefined, options);
export const post = <T>(path: string, body?: unknown, options?: RequestOptions): Promise<T> =>
  request<T>('POST', path, body, options);
export const put = <T>(path: string, body: unknown): Promise<T> => request<T>('PUT', path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> =>
  request<T>('PATCH', path, body);
export const del = <T = void>(path: string, body?: unknown): Promise<T> =>
  request<T>('DELETE', path, body);

async function problemOf(response: Response): Promise<Problem> {
  const fallback = m.errors.status(response.status);
  let fields: Record<string, unknown> = {};
  try {
    fields = (await response.json()) as Record<string, unknown>;
  } catch {
    // A proxy's HTML, or nothing: the status must do.
  }
  const word = (name: string): string =>
    typeof fields[name] === 'string' ? (fields[name] as string) : '';
  return new Problem(
    response.status,
    word('title') || fallback,
    word('detail') || (word('title') ? '' : fallback),
    word('type') || 'about:blank',
    fields,
  );
}

/** What to tell a person about anything that was thrown. */
export function asProblem(cause: unknown): Problem {
  if (cause instanceof Problem) return cause;
  return new Problem(-1, m.errors.unknownTitle, cause instanceof Error ? cause.message : '');
}

export function isAbort(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'AbortError';
}

/** Query strings without empty values. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}
