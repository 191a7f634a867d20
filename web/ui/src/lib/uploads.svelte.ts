// The uploads of this tab: a queue that goes on while one looks at other pages, sends one file at a time
// by tus, waits out a lost network, and makes the video (or the version) when a file has arrived.
// tus itself is loaded with the first file.
import type { Upload as TusUpload } from 'tus-js-client';

import { m } from '../messages';
import { announcer } from './announce.svelte';
import { asProblem, csrfHeaders, get, isStale, post, Problem, renewCsrf } from './api';
import type { Video, Visibility } from './api-types';

export type Target =
  | { kind: 'video'; language: string; visibility: Visibility }
  | { kind: 'version'; video: string; title: string }
  | { kind: 'model' };

export type Phase =
  'waiting' | 'starting' | 'sending' | 'paused' | 'offline' | 'finishing' | 'done' | 'failed';

const ENDPOINT = '/api/v1/uploads';
const RETRY_MS = [0, 1000, 3000, 5000];
/** After tus has given up for now: how often we look whether the network is back. */
const LOOK_MS = 8000;
const SPEED_WINDOW_MS = 5000;

export class Item {
  readonly id: number;
  readonly file: File;
  readonly target: Target;
  title = $state('');
  phase = $state<Phase>('waiting');
  sent = $state(0);
  /** Bytes a second over the last moments; 0 while unknown. */
  speed = $state(0);
  problem = $state.raw<Problem | null>(null);
  video = $state('');
  tus: TusUpload | null = null;
  /** Counts the starts: one that was overtaken while it waited must not go on. */
  starts = 0;
  private marks: { at: number; sent: number }[] = [];

  constructor(id: number, file: File, target: Target) {
    this.id = id;
    this.file = file;
    this.target = target;
    this.title = target.kind === 'version' ? target.title : titleOf(file.name);
  }

  get ratio(): number {
    return this.file.size > 0 ? this.sent / this.file.size : 0;
  }

  get active(): boolean {
    return ['starting', 'sending', 'offline', 'finishing'].includes(this.phase);
  }

  mark(sent: number, at: number): void {
    this.sent = sent;
    this.marks = this.marks.filter((mark) => at - mark.at < SPEED_WINDOW_MS);
    this.marks.push({ at, sent });
    const first = this.marks[0];
    const span = first ? at - first.at : 0;
    this.speed = first && span > 500 ? ((sent - first.sent) * 1000) / span : 0;
  }
}

/** `Week_3-heat and work.final.mp4` → `Week 3-heat and work.final` */
export function titleOf(name: string): string {
  const bare = name.replace(/\.[a-z0-9]{1,5}$/iu, '');
  return bare.replace(/_+/gu, ' ').trim() || name;
}

class Uploads {
  items = $state<Item[]>([]);
  private next = 1;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get open(): Item[] {
    return this.items.filter((item) => item.phase !== 'done' && item.phase !== 'failed');
  }

  /** All open uploads together, 0..1. */
  get ratio(): number {
    const all = this.open.reduce((sum, item) => sum + item.file.size, 0);
    const sent = this.open.reduce((sum, item) => sum + item.sent, 0);
    return all > 0 ? sent / all : 0;
  }

  add(files: Iterable<File>, target: Target): Item[] {
    const added: Item[] = [];
    for (const file of files) {
      const item = new Item(this.next++, file, target);
      if (file.size === 0) {
        item.phase = 'failed';
        item.problem = new Problem(-1, m.upload.failed, m.upload.empty);
      }
      added.push(item);
    }
    this.items = [...this.items, ...added];
    this.pump();
    return added;
  }

  pause(item: Item): void {
    void item.tus?.abort();
    item.phase = 'paused';
    this.pump();
  }

  resume(item: Item): void {
    item.problem = null;
    item.phase = 'waiting';
    this.pump();
  }

  /** Stops and throws away what the box has of it. */
  async cancel(item: Item): Promise<void> {
    const { tus } = item;
    item.phase = 'paused';
    this.dismiss(item);
    // A box that already forgot the upload is no reason to complain.
    await tus?.abort(true).catch(() => undefined);
  }

  dismiss(item: Item): void {
    this.items = this.items.filter((other) => other.id !== item.id);
    this.pump();
  }

  private pump(): void {
    this.guardTab();
    if (this.items.some((item) => item.active)) return;
    const item = this.items.find((candidate) => candidate.phase === 'waiting');
    if (item) void this.send(item);
  }

  private async send(item: Item): Promise<void> {
    item.phase = 'starting';
    const start = (item.starts += 1);
    /** Paused or cancelled since, and perhaps begun anew. */
    const isOver = (): boolean => item.phase !== 'starting' || item.starts !== start;
    let stale = false;
    try {
      const { defaultOptions, Upload } = await import('tus-js-client');
      if (isOver()) return;
      item.tus ??= new Upload(item.file, {
        endpoint: ENDPOINT,
        retryDelays: RETRY_MS,
        removeFingerprintOnSuccess: true,
        metadata: { filename: item.file.name, filetype: item.file.type },
        onShouldRetry: (cause, attempt, options) => {
          const answer = answerOf(cause);
          stale = answer !== null && isStale(answer);
          return stale || (defaultOptions.onShouldRetry?.(cause, attempt, options) ?? false);
        },
        onBeforeRequest: async (request) => {
          if (stale) await renewCsrf();
          stale = false;
          for (const [name, value] of Object.entries(csrfHeaders())) {
            request.setHeader(name, value);
          }
        },
        onProgress: (sent) => {
          if (item.phase === 'starting' || item.phase === 'offline') item.phase = 'sending';
          item.mark(sent, performance.now());
        },
        onSuccess: () => void this.arrived(item),
        onError: (cause) => this.failed(item, cause),
      });
      if (!item.tus.url) {
        const [previous] = await item.tus.findPreviousUploads();
        if (isOver()) return;
        if (previous) item.tus.resumeFromPreviousUpload(previous);
      }
      item.tus.start();
    } catch (cause) {
      if (!isOver()) this.failed(item, cause);
    }
  }

  private async arrived(item: Item): Promise<void> {
    item.phase = 'finishing';
    item.sent = item.file.size;
    const id = item.tus?.url?.split('/').pop() ?? '';
    const { target } = item;
    try {
      if (target.kind === 'version') {
        await post(`videos/${encodeURIComponent(target.video)}/versions`, { upload: id });
        item.video = target.video;
      } else if (target.kind === 'model') {
        await post('system/speech/models', { upload: id });
      } else {
        const made = await post<Pick<Video, 'id'>>('videos', {
          title: item.title.trim() || titleOf(item.file.name),
          upload: id,
          visibility: target.visibility,
          ...(target.language ? { language: target.language } : {}),
        });
        item.video = made.id;
      }
      item.phase = 'done';
      announcer.whisper(m.upload.announceDone(item.file.name));
    } catch (cause) {
      const problem = asProblem(cause);
      if (problem.status === 0) {
        // The bytes are there; only the last word was lost. tus finds the upload whole and we say it again.
        item.phase = 'offline';
        this.waitForNetwork();
        return;
      }
      item.problem = problem;
      item.phase = 'failed';
      announcer.whisper(m.upload.announceFailed(item.file.name));
    }
    this.pump();
  }

  private failed(item: Item, cause: unknown): void {
    const answer = answerOf(cause);
    if (answer === null) {
      item.phase = 'offline';
      this.waitForNetwork();
      return;
    }
    item.problem = answer;
    item.phase = 'failed';
    announcer.whisper(m.upload.announceFailed(item.file.name));
    this.pump();
  }

  private waitForNetwork(): void {
    clearTimeout(this.timer);
    const look = (): void => {
      window.removeEventListener('online', look);
      clearTimeout(this.timer);
      void get('session', { quiet401: true })
        .then(
          () => true,
          (cause: unknown) => cause instanceof Problem && cause.status !== 0,
        )
        .then((reached) => {
          const waiting = this.items.filter((item) => item.phase === 'offline');
          if (waiting.length === 0) return;
          if (!reached) return this.waitForNetwork();
          for (const item of waiting) item.phase = 'waiting';
          this.pump();
        });
    };
    window.addEventListener('online', look);
    this.timer = setTimeout(look, LOOK_MS);
  }

  /** Leaving the site would stop what is being sent: the browser asks first. */
  private guardTab(): void {
    const busy = this.items.some((item) => item.active || item.phase === 'waiting');
    window.removeEventListener('beforeunload', ask);
    if (busy) window.addEventListener('beforeunload', ask);
  }
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

interface TusFailure {
  originalResponse?: { getStatus(): number; getBody(): string } | null;
}

/** What the box said, or null when it did not answer at all. */
function answerOf(cause: unknown): Problem | null {
  const response = (cause as TusFailure | null)?.originalResponse;
  if (response === undefined && !(cause instanceof Error && 'originalRequest' in cause)) {
    return asProblem(cause);
  }
  if (!response || response.getStatus() === 0) return null;
  const status = response.getStatus();
  let fields: { title?: unknown; detail?: unknown; type?: unknown } = {};
  try {
    fields = JSON.parse(response.getBody()) as typeof fields;
  } catch {
    // Not a problem document: the status must do.
  }
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return new Problem(
    status,
    text(fields.title) || m.upload.failed,
    text(fields.detail) || m.errors.status(status),
    text(fields.type) || 'about:blank',
  );
}

export const uploads = new Uploads();

/** The box throws unfinished uploads away after a while; older notes of ours mean nothing. */
const REMEMBER_MS = 7 * 86_400_000;

/** Names of uploads that an earlier page began and did not end, newest first. */
export async function unfinished(now = Date.now()): Promise<string[]> {
  const { defaultOptions } = await import('tus-js-client');
  const stored = (await defaultOptions.urlStorage?.findAllUploads()) ?? [];
  const here = uploads.items.map((item) => item.file.name);
  return stored
    .filter((entry) => now - Date.parse(entry.creationTime) < REMEMBER_MS)
    .map((entry) => entry.metadata['filename'] ?? '')
    .filter((name, index, names) => name && !here.includes(name) && names.indexOf(name) === index)
    .reverse();
}
