// Who is signed in on this page, as the box says; nothing is kept in storage. Null is a visitor.
import { del, get, onStale, post, Problem, setCsrf } from './api';
import type { Role, Session, Setup } from './api-types';

class SessionState {
  person = $state.raw<Session | null>(null);
  /** Known once the box has answered for the first time. */
  known = $state(false);
  /** The box has no admin yet. */
  setupNeeded = $state(false);
  siteName = $state('');

  has(...roles: Role[]): boolean {
    return this.person?.roles.some((role) => roles.includes(role)) ?? false;
  }

  get shownName(): string {
    return this.person?.display_name || this.person?.name || '';
  }

  accept(person: Session | null): void {
    this.person = person;
    this.known = true;
    setCsrf(person?.csrf ?? '');
    if (person?.site_name) this.siteName = person.site_name;
  }

  /** Asks the box who we are; a visitor also learns whether the box still waits to be set up. */
  async load(): Promise<void> {
    try {
      this.accept(await get<Session>('session', { quiet401: true }));
      return;
    } catch (cause) {
      if (!(cause instanceof Problem) || cause.status !== 401) throw cause;
    }
    const setup = await get<Setup>('setup', { quiet401: true });
    this.setupNeeded = setup.needed;
    if (setup.site_name) this.siteName = setup.site_name;
    this.accept(null);
  }

  async signIn(name: string, password: string): Promise<void> {
    this.accept(await post<Session>('session', { name, password }, { quiet401: true }));
    // POST answers with less than GET: the names for the page come from the second.
    this.accept({ ...this.person, ...(await get<Session>('session')) });
  }

  /** Someone signed in anew in another tab: goes on with that session when it is the same person's. */
  async renew(): Promise<boolean> {
    const now = await get<Session>('session', { quiet401: true });
    if (now.id !== this.person?.id) {
      // Nothing on this page is that person's.
      window.location.reload();
      return false;
    }
    this.accept({ ...this.person, ...now });
    return true;
  }

  async signOut(): Promise<void> {
    await del('session');
    this.accept(null);
    void import('../player/leftovers').then(({ signedOut }) => signedOut()).catch(() => undefined);
  }
}

export const session = new SessionState();
onStale(() => session.renew());
