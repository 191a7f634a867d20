// A statement as a sentence: who did what to what, and where in it. Pure: the words are message templates, the names
// come from the box where it knows them and from the statement where it does not.
import { locale } from '../messages';
import { m } from '../messages/more';
import type { StatementItem, Xapi } from './api-types';
import { clock, count, percent, span } from './format';

/** A piece of a sentence; `actor` and `object` may be made links or be set apart. */
export interface Piece {
  text: string;
  kind: 'text' | 'actor' | 'object';
}

const VIDEO = 'https://w3id.org/xapi/video';
const ADL = 'http://adlnet.gov/expapi/verbs';

/** The verbs for which there are words, by IRI. */
export const VERBS: Record<string, string> = {
  [`${ADL}/initialized`]: 'initialized',
  [`${VIDEO}/verbs/played`]: 'played',
  [`${VIDEO}/verbs/paused`]: 'paused',
  [`${VIDEO}/verbs/seeked`]: 'seeked',
  [`${ADL}/interacted`]: 'interacted',
  [`${ADL}/completed`]: 'completed',
  [`${ADL}/terminated`]: 'terminated',
  [`${ADL}/passed`]: 'passed',
  [`${ADL}/failed`]: 'failed',
  [`${ADL}/answered`]: 'answered',
  [`${ADL}/attempted`]: 'attempted',
  [`${ADL}/experienced`]: 'experienced',
  [`${ADL}/launched`]: 'launched',
  [`${ADL}/voided`]: 'voided',
};

/** Longer names are cut: the JSON has them whole. */
const MOST_LETTERS = 120;

export function sentence(item: StatementItem): Piece[] {
  const { statement } = item;
  const verb = text(at(statement, 'verb', 'id'));
  const name = verb ? VERBS[verb] : undefined;
  const forms = (name && m.statements.sentences[name]) || m.statements.sentences.other;
  const places: Record<string, string> = {
    actor: actorName(item),
    object: m.statements.quoted.replace('{object}', () => objectName(item)),
    verb: verbName(statement),
    ...positions(statement),
  };
  const form =
    forms.find((one) => holes(one).every((hole) => hole in places)) ?? forms.at(-1) ?? '';
  return form
    .split(/(\{\w+\})/u)
    .filter(Boolean)
    .map((part) => {
      const hole = /^\{(\w+)\}$/u.exec(part)?.[1];
      if (hole === undefined) return { text: part, kind: 'text' };
      const kind = hole === 'actor' || hole === 'object' ? hole : 'text';
      return { text: places[hole] ?? '', kind };
    });
}

/** The sentence for those who listen, and for labels. */
export const plainSentence = (item: StatementItem): string =>
  sentence(item)
    .map((piece) => piece.text)
    .join('');

export function actorName(item: StatementItem): string {
  const { kind, person } = item.actor;
  if (kind === 'person' && person) return person.name;
  if (kind === 'device') return m.statements.device;
  if (kind === 'erased') return m.statements.erased;
  return agentName(item.statement['actor']) ?? m.statements.somebody;
}

export function objectName(item: StatementItem): string {
  return item.video?.title ?? thingName(item.statement['object']);
}

/** What came of it, in a few words: score, right or wrong, how long it took. */
export function outcome(statement: Xapi): string[] {
  const result = statement['result'];
  const said: string[] = [];
  const scaled = at(result, 'score', 'scaled');
  const raw = at(result, 'score', 'raw');
  if (typeof scaled === 'number') {
    said.push(m.statements.score(scaled < 0 ? `−${percent(-scaled)}` : percent(scaled)));
  } else if (typeof raw === 'number') {
    const max = at(result, 'score', 'max');
    said.push(m.statements.rawScore(count(raw), typeof max === 'number' ? count(max) : ''));
  }
  const success = at(result, 'success');
  if (typeof success === 'boolean') {
    said.push(success ? m.statements.success : m.statements.noSuccess);
  }
  const response = text(at(result, 'response'));
  if (response) said.push(m.statements.response(cut(response)));
  const ms = isoDuration(text(at(result, 'duration')) ?? '');
  if (ms !== undefined) said.push(span(ms));
  return said;
}

/** The identifier of an Agent or Group as one line. */
export function identifier(agent: unknown): string {
  const account = at(agent, 'account');
  if (account) return `${text(at(account, 'homePage')) ?? ''} ${text(at(account, 'name')) ?? ''}`;
  for (const name of ['mbox', 'mbox_sha1sum', 'openid']) {
    const value = text(at(agent, name));
    if (value) return value;
  }
  return '';
}

export function verbName(statement: Xapi): string {
  const verb = statement['verb'];
  const iri = text(at(verb, 'id')) ?? '';
  const name = VERBS[iri];
  return (name && m.statements.verbs[name]) || inLanguage(at(verb, 'display')) || lastPart(iri);
}

/** The entry of a language map for this reader: their variant, their language, English, any. */
export function inLanguage(map: unknown): string | undefined {
  if (typeof map !== 'object' || map === null) return undefined;
  const entries = Object.entries(map).filter(([, value]) => typeof value === 'string');
  const tag = (wanted: string): string | undefined =>
    entries.find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1] as string;
  const base = (wanted: string): string | undefined =>
    entries.find(([name]) => name.split('-')[0] === wanted.split('-')[0])?.[1] as string;
  const found =
    tag(locale) ?? base(locale) ?? base('en') ?? (entries[0]?.[1] as string | undefined);
  return found?.trim() ? cut(found.trim()) : undefined;
}

/** How to read it with a credential, for a shell. */
export function curl(item: StatementItem, origin: string): string {
  const version = text(item.statement['version'])?.startsWith('1.') ? '1.0.3' : '2.0.0';
  const parameter = item.voided ? 'voidedStatementId' : 'statementId';
  return [
    "curl --user 'KEY:SECRET'",
    `--header 'X-Experience-API-Version: ${version}'`,
    `'${origin}/xapi/statements?${parameter}=${encodeURIComponent(item.id)}'`,
  ].join(' ');
}

function positions(statement: Xapi): Record<string, string> {
  const said = at(statement, 'result', 'extensions');
  const found: Record<string, string> = {};
  const names = { at: 'time', from: 'time-from', to: 'time-to' };
  for (const [hole, name] of Object.entries(names)) {
    const value = at(said, `${VIDEO}/extensions/${name}`);
    if (typeof value === 'number' && Number.isFinite(value)) found[hole] = clock(value);
  }
  return found;
}

function agentName(agent: unknown): string | undefined {
  const name = text(at(agent, 'name'))?.trim();
  if (name) return cut(name);
  const mail = text(at(agent, 'mbox'));
  if (mail) return cut(mail.replace(/^mailto:/u, ''));
  const account = text(at(agent, 'account', 'name'));
  if (account) return cut(account);
  const id = text(at(agent, 'openid')) ?? text(at(agent, 'mbox_sha1sum'));
  if (id) return cut(id);
  return at(agent, 'objectType') === 'Group' ? m.statements.group : undefined;
}

function thingName(object: unknown): string {
  const type = text(at(object, 'objectType'));
  const id = text(at(object, 'id')) ?? '';
  if (type === 'StatementRef') return m.statements.statement(id.slice(0, 8));
  if (type === 'Agent' || type === 'Group') return agentName(object) ?? m.statements.somebody;
  if (type === 'SubStatement') return thingName(at(object, 'object'));
  return inLanguage(at(object, 'definition', 'name')) ?? (lastPart(id) || m.statements.nameless);
}

/** The last part of an IRI that says something. */
function lastPart(iri: string): string {
  const parts = iri.split(/[/#:?]/u).filter(Boolean);
  return cut(parts.at(-1) ?? '');
}

/** Milliseconds of an ISO 8601 duration in days and less. */
function isoDuration(text: string): number | undefined {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/u.exec(text);
  if (!found || !/\d/u.test(text)) return undefined;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1000;
}

const holes = (form: string): string[] =>
  [...form.matchAll(/\{(\w+)\}/gu)].map((found) => found[1] ?? '');

function at(value: unknown, ...path: string[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

function cut(name: string): string {
  const letters = [...name];
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS).join('')}…` : name;
}
