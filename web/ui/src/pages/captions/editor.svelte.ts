/**
 * Captions or descriptions that somebody works on: the lines with their undo, the draft that saves itself, and its publishing. What a
 * line is and how lines change is `lib/caption-doc.ts`; the page shows this and calls it.
 */
import { asProblem, del, get, put, request, type Problem } from '../../lib/api';
import type { SavedTextDraft, TextKind, TextRevision, TextWork } from '../../lib/api-types';
import { faults, parse, print, type Line } from '../../lib/caption-doc';

/** A draft is saved so long after the last change. */
const PAUSE_MS = 1500;
const MOST_STEPS = 500;

export type Saving = 'clean' | 'dirty' | 'saving' | 'saved' | 'failed';

interface Step {
  lines: Line[];
  current: number;
}

export class TextEditor {
  lines = $state.raw<Line[]>([]);
  /** The line whose text or time has, or had, the focus. */
  current = $state(0);
  ready = $state(false);
  saving = $state<Saving>('clean');
  savedAt = $state('');
  problem = $state.raw<Problem | null>(null);
  work = $state.raw<TextWork | null>(null);
  /** Of the draft that is saved; 0: there is none. */
  private number = $state(0);
  canUndo = $state(false);
  canRedo = $state(false);

  private readonly path: string;
  private before: Step[] = [];
  private behind: Step[] = [];
  /** What a step changed last: typing in one line is one step. */
  private lastTyped: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | null = null;
  private sure: Record<number, number> = {};

  constructor(
    kind: TextKind,
    video: string,
    readonly language: string,
  ) {
    this.path = `videos/${encodeURIComponent(video)}/${kind}/${encodeURIComponent(language)}`;
  }

  get hasDraft(): boolean {
    return this.number > 0 || this.saving === 'dirty';
  }

  get revisions(): TextRevision[] {
    return this.work?.revisions ?? [];
  }

  /** Lines that cannot be published as they are. */
  get broken(): number[] {
    const found: number[] = [];
    this.lines.forEach((_, n) => {
      const wrong = faults(this.lines, n);
      if (wrong.includes('order') || wrong.includes('empty')) found.push(n);
    });
    return found;
  }

  /** How sure the machine was of a line that is still as it wrote it, in percent. */
  sureOf(line: Line): number | undefined {
    return this.sure[line.from_ms];
  }

  async load(): Promise<void> {
    try {
      const work = await get<TextWork>(`${this.path}/work`);
      this.work = work;
      this.number = work.draft?.number ?? 0;
      this.savedAt = work.draft?.updated ?? '';
      this.saving = work.draft ? 'saved' : 'clean';
      this.lines = parse((work.draft ?? work.published)?.vtt ?? '');
      this.sure = Object.fromEntries(work.marks as [number, number][]);
      this.current = Math.min(this.current, Math.max(0, this.lines.length - 1));
      this.forget();
      this.problem = null;
      this.ready = true;
    } catch (cause) {
      this.problem = asProblem(cause);
    }
  }

  /** Changes the lines, as one step back. `typing`: in the line of that id. */
  apply(lines: Line[], current = this.current, typing: number | null = null): void {
    if (typing === null || typing !== this.lastTyped) {
      this.before = [...this.before, this.now()].slice(-MOST_STEPS);
    }
    this.lastTyped = typing;
    this.behind = [];
    this.show({ lines, current });
  }

  undo(): void {
    this.step(this.before, this.behind);
  }

  redo(): void {
    this.step(this.behind, this.before);
  }

  /** Saves at once what waits to be saved. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    await this.sending;
    if (this.saving === 'dirty' || this.saving === 'failed') await this.save();
  }

  /** Learners have it from now on. True when it went well. */
  async publish(): Promise<boolean> {
    await this.flush();
    if (this.saving === 'failed') return false;
    try {
      await request('PUT', this.path, undefined, {
        raw: { body: print(this.lines), type: 'text/vtt' },
      });
    } catch (cause) {
      this.problem = asProblem(cause);
      return false;
    }
    await this.load();
    return this.problem === null;
  }

  /** Back to what is published. */
  async discard(): Promise<void> {
    clearTimeout(this.timer);
    await this.sending;
    if (this.number > 0) await del(`${this.path}/draft`);
    await this.load();
  }

  /** An earlier text, as a step that can be undone. */
  async take(revision: number): Promise<void> {
    const answer = await fetch(`/api/v1/${this.path}?revision=${revision}`, {
      headers: { Accept: 'text/vtt' },
    });
    if (!answer.ok) return this.load();
    this.apply(parse(await answer.text()), 0);
  }

  destroy(): void {
    void this.flush();
  }

  private step(from: Step[], to: Step[]): void {
    const step = from.pop();
    if (!step) return;
    to.push(this.now());
    this.lastTyped = null;
    this.show(step);
  }

  private show({ lines, current }: Step): void {
    this.lines = lines;
    this.current = Math.max(0, Math.min(current, lines.length - 1));
    this.canUndo = this.before.length > 0;
    this.canRedo = this.behind.length > 0;
    this.saving = 'dirty';
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), PAUSE_MS);
  }

  private now(): Step {
    return { lines: this.lines, current: this.current };
  }

  private forget(): void {
    this.before = [];
    this.behind = [];
    this.canUndo = this.canRedo = false;
    this.lastTyped = null;
  }

  private async save(): Promise<void> {
    await this.sending;
    const vtt = print(this.lines);
    // Nothing to show is nothing to keep: the draft from before stays until there are words again.
    if (!vtt.includes('-->')) return;
    this.saving = 'saving';
    const { lines } = this;
    this.sending = put<SavedTextDraft>(`${this.path}/draft`, { vtt, over: this.number }).then(
      (saved) => {
        this.number = saved.number;
        this.savedAt = saved.updated;
        this.problem = null;
        if (this.lines === lines) this.saving = 'saved';
      },
      (cause: unknown) => {
        this.saving = 'failed';
        this.problem = asProblem(cause);
        // A network that was lost comes back; another person's draft is not written over.
        if (this.problem.retriable) this.timer = setTimeout(() => void this.save(), 5 * PAUSE_MS);
      },
    );
    await this.sending;
    this.sending = null;
  }
}
