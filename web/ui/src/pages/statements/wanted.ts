// The filters as they stand in the page's address, and as the box takes them. Pure.
import { agentOf } from '../../lib/agent';

export const KEYS = [
  'agent',
  'verb',
  'activity',
  'registration',
  'since',
  'until',
  'ascending',
] as const;

/** As typed and chosen; empty where nothing is. Times are the reader's own, without a zone. */
export type Wanted = Record<(typeof KEYS)[number], string>;

export function wantedOf(query: (name: string) => string | null): Wanted {
  return Object.fromEntries(KEYS.map((key) => [key, query(key) ?? ''])) as Wanted;
}

/** As `GET /api/v1/statements` takes them. */
export function asked(wanted: Wanted, person: string | null): Record<string, string> {
  const filters: Record<string, string> = {};
  const set = (name: string, value: string | null): void => {
    if (value) filters[name] = value;
  };
  set('person', person);
  if (!person) set('agent', agentOf(wanted.agent));
  set('verb', wanted.verb);
  set('activity', wanted.activity);
  set('registration', wanted.registration);
  set('since', moment(wanted.since));
  set('until', moment(wanted.until));
  if (wanted.ascending === 'true') set('ascending', 'true');
  return filters;
}

function moment(local: string): string | null {
  const time = new Date(local);
  return local === '' || Number.isNaN(time.getTime()) ? null : time.toISOString();
}
