// The history router: which route the address names, plain links as navigation, scroll and focus kept
// as a full page load would. No nesting, no guards: routes.ts is the table, App.svelte shows the page.
import { match, type Match } from './routes';

interface Place {
  path: string;
  search: string;
  hash: string;
  found: Match;
}

function read(): Place {
  const { pathname, search, hash } = window.location;
  return { path: pathname, search, hash, found: match(pathname) };
}

class Router {
  place = $state.raw<Place>(read());
  /** Counts navigations, so that the same page can be asked for anew. */
  visit = $state(0);
  /** The vertical scroll to restore once the page has content (back and forward), else 0. */
  scrollTo = 0;

  get path(): string {
    return this.place.path;
  }

  param(name: string): string {
    return this.place.found.params[name] ?? '';
  }

  query(name: string): string | null {
    return new URLSearchParams(this.place.search).get(name);
  }

  go(to: string, options: { replace?: boolean } = {}): void {
    if (options.replace) {
      history.replaceState({ scroll: 0 }, '', to);
    } else {
      history.replaceState({ ...history.state, scroll: window.scrollY }, '');
      history.pushState({ scroll: 0 }, '', to);
    }
    this.scrollTo = 0;
    this.arrive();
  }

  /** Changes the query without a navigation: filters and selectors that should survive a reload. */
  setQuery(values: Record<string, string | null>): void {
    const url = new URL(window.location.href);
    for (const [key, value] of Object.entries(values)) {
      if (value === null || value === '') url.searchParams.delete(key);
      else url.searchParams.set(key, value);
    }
    history.replaceState(history.state, '', url);
    this.place = { ...this.place, search: url.search };
  }

  start(): () => void {
    history.scrollRestoration = 'manual';
    const popped = (event: PopStateEvent): void => {
      const state = event.state as { scroll?: number } | null;
      this.scrollTo = state?.scroll ?? 0;
      // A jump within the page (#section) changes only the hash: leave the page alone.
      const { pathname, search } = window.location;
      if (pathname === this.place.path && search === this.place.search) this.place = read();
      else this.arrive();
    };
    const clicked = (event: MouseEvent): void => {
      const link = plainLink(event);
      if (!link) return;
      event.preventDefault();
      this.go(link.pathname + link.search + link.hash);
    };
    window.addEventListener('popstate', popped);
    document.addEventListener('click', clicked);
    return () => {
      window.removeEventListener('popstate', popped);
      document.removeEventListener('click', clicked);
    };
  }

  private arrive(): void {
    this.place = read();
    this.visit += 1;
  }
}

/** The link a click means to follow inside the app, or nothing when the browser should do it. */
function plainLink(event: MouseEvent): HTMLAnchorElement | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const target = event.target instanceof Element ? event.target.closest('a') : null;
  if (!target || !target.href || target.target || target.hasAttribute('download')) return null;
  if (target.origin !== window.location.origin) return null;
  if (match(target.pathname).route.name === 'missing') return null;
  const here = window.location;
  const samePage = target.pathname === here.pathname && target.search === here.search;
  if (samePage && target.hash) return null;
  return target;
}

export const router = new Router();
export const go = (to: string, options?: { replace?: boolean }): void => router.go(to, options);
