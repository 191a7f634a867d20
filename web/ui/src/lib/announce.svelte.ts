// What just happened, said once: shown for a while at the foot of the page and read out politely. An
// offer to undo stays longer and waits while it has the focus or the pointer.
export interface Notice {
  id: number;
  text: string;
  undo?: () => void;
}

const BRIEF_MS = 5000;
const UNDO_MS = 20_000;

class Announcer {
  notices = $state.raw<Notice[]>([]);
  /** Read out but not shown. */
  quiet = $state('');
  /** The open dialogs, the front one last. Behind it nothing is heard or reached. */
  dialogs = $state.raw<symbol[]>([]);
  private next = 1;
  private timers = new Map<number, ReturnType<typeof setTimeout>>();
  private quietTimer: ReturnType<typeof setTimeout> | undefined;

  say(text: string, undo?: () => void): void {
    const notice: Notice = undo ? { id: this.next++, text, undo } : { id: this.next++, text };
    this.notices = [...this.notices.slice(-2), notice];
    this.rest(notice);
  }

  /** For those who listen: progress and results that others see where they happen. */
  whisper(text: string): void {
    this.quiet = text;
    // Not to be said again when a dialog takes the region over, or gives it back.
    clearTimeout(this.quietTimer);
    this.quietTimer = setTimeout(() => (this.quiet = ''), BRIEF_MS);
  }

  hold(id: number): void {
    clearTimeout(this.timers.get(id));
  }

  rest(notice: Notice): void {
    clearTimeout(this.timers.get(notice.id));
    const wait = notice.undo ? UNDO_MS : BRIEF_MS;
    this.timers.set(
      notice.id,
      setTimeout(() => this.dismiss(notice.id), wait),
    );
  }

  dismiss(id: number): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }
}

export const announcer = new Announcer();
export const say = (text: string, undo?: () => void): void => announcer.say(text, undo);
