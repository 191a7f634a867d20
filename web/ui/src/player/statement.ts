/**
 * From the sensor's drafts to whole xAPI statements: ids, actor, activity, Video Profile IRIs (its JSON-LD v1.0.3); and
 * back to the little that `place.ts` wants of those that still wait here.
 * What the numbers mean is `sensor.ts`'s; sending is `outbox.ts`'s. Pure.
 */
import type { Draft, Verb } from './sensor-events';

const PROFILE = 'https://w3id.org/xapi/video';
const ADL = 'http://adlnet.gov/expapi/verbs';
const OURS = 'https://lectern.invalid/xapi/extensions';

/** The profile took these from two houses (2.3). */
const VERBS: Record<Verb, string> = {
  initialized: `${ADL}/initialized`,
  played: `${PROFILE}/verbs/played`,
  paused: `${PROFILE}/verbs/paused`,
  seeked: `${PROFILE}/verbs/seeked`,
  interacted: `${ADL}/interacted`,
  completed: `${ADL}/completed`,
  terminated: `${ADL}/terminated`,
};

/** Extensions of ours, documented in `docs/standards.md`. */
const OWN = new Set(['hidden-segments', 'muted-segments', 'device-clock']);

/** What is the same in every statement of a session. */
export interface Viewing {
  actor: unknown;
  activity_id: string;
  registration: string;
  version: number;
  title: string;
  /** BCP 47; `und` when the box does not know it. */
  language: string;
  /** The id of this session's `initialized`; a version 4 UUID. */
  session: string;
  user_agent: string;
}

export interface Statement {
  id: string;
  timestamp: string;
  [part: string]: unknown;
}

function extensions(short: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(short).map(([name, value]) => [
      `${OWN.has(name) ? OURS : `${PROFILE}/extensions`}/${name}`,
      value,
    ]),
  );
}

/** `id` is ignored for `initialized`, whose id is the session's (2.6.2.2). */
export function statement(
  draft: Draft,
  viewing: Viewing,
  id: string,
  device: { time: string; 'offset-ms': number },
): Statement {
  const { completion, duration, ...result } = draft.result;
  const told = Object.keys(draft.result).length > 0;
  return {
    id: draft.verb === 'initialized' ? viewing.session : id,
    actor: viewing.actor,
    verb: { id: VERBS[draft.verb], display: { en: draft.verb } },
    object: {
      objectType: 'Activity',
      id: viewing.activity_id,
      definition: {
        type: `${PROFILE}/activity-type/video`,
        name: { [viewing.language]: viewing.title },
      },
    },
    ...(told && {
      result: {
        ...(completion !== undefined && { completion }),
        ...(duration !== undefined && { duration }),
        extensions: extensions(result),
      },
    }),
    context: {
      registration: viewing.registration,
      revision: String(viewing.version),
      platform: 'Lectern',
      contextActivities: { category: [{ objectType: 'Activity', id: PROFILE }] },
      extensions: extensions({
        'session-id': viewing.session,
        ...draft.context,
        ...(draft.verb === 'initialized' && { 'user-agent': viewing.user_agent }),
        'device-clock': device,
      }),
    },
    timestamp: new Date(draft.wall_ms).toISOString(),
  };
}

/** What a statement of ours says about where its learner was. */
export interface Told {
  verb: string;
  version: string;
  at_ms: number;
  /** Where it left the learner, in seconds. */
  place_s: number | undefined;
  played: string | undefined;
  hidden: string | undefined;
  muted: string | undefined;
}

/** Null for what is no statement: the shelf may hold what another version of us wrote. */
export function told(body: string): Told | null {
  try {
    const made = JSON.parse(body) as {
      verb: { id: string };
      timestamp: string;
      context: { revision: string };
      result?: { extensions?: Record<string, unknown> };
    };
    const at_ms = Date.parse(made.timestamp);
    const verb = Object.keys(VERBS).find((name) => VERBS[name as Verb] === made.verb.id);
    if (verb === undefined || Number.isNaN(at_ms)) return null;
    const said = made.result?.extensions ?? {};
    const text = (iri: string): string | undefined =>
      typeof said[iri] === 'string' ? said[iri] : undefined;
    const place = said[`${PROFILE}/extensions/${verb === 'seeked' ? 'time-to' : 'time'}`];
    return {
      verb,
      version: made.context.revision,
      at_ms,
      place_s: typeof place === 'number' ? place : undefined,
      played: text(`${PROFILE}/extensions/played-segments`),
      hidden: text(`${OURS}/hidden-segments`),
      muted: text(`${OURS}/muted-segments`),
    };
  } catch {
    return null;
  }
}
