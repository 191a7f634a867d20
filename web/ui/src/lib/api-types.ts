// The shapes of /api/v1 by short names. They come from web/openapi.json by `npm run types`, never by hand.
// Times are RFC 3339, durations milliseconds.
import type { components } from './openapi';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type Visibility = Schemas['Visibility'];
export type VersionState = Schemas['VersionState'];
/** A played stretch, from and to, in seconds. OpenAPI has no word for a pair. */
export type Segment = [number, number];
interface Stretches {
  segments: Segment[];
  replayed: Segment[];
}
type WithPairs<T> = Omit<T, keyof Stretches> & Stretches;

/** Every list of the API. */
export interface List<T> {
  items: T[];
  next?: string | null;
}

export type Session = Schemas['Session'];
export type Setup = Schemas['Setup'];
export type Settings = Schemas['Settings'];
export type PrepareHours = Schemas['PrepareHours'];
export type CompletionRule = Schemas['CompletionRule'];

export type Mine = WithPairs<Schemas['Mine']>;
export type VideoItem = Omit<Schemas['VideoItem'], 'mine'> & { mine?: Mine | null };
export type Video = Omit<Schemas['Video'], 'mine'> & { mine?: Mine | null };
export type VideoAdded = Schemas['VideoAdded'];
export type Version = Schemas['Version'];
export type Rendition = Schemas['Rendition'];
export type NamedPerson = Schemas['NamedPerson'];
export type Storyboard = Schemas['Storyboard'];
/** As `play` lists them; the video's own page has their revision too. */
export type PlayedText = Schemas['PlayTextTrack'];
export type TimedText = Schemas['TextTrack'];
export type TextKind = 'captions' | 'descriptions';
export type TextWork = Schemas['TextTrackWork'];
export type TextRevision = Schemas['TextRevision'];
export type SavedTextDraft = Schemas['SavedTextDraft'];
export type VideoSpeech = Schemas['VideoSpeech'];
export type Chips = Schemas['Chips'];
export type Speech = Schemas['Speech'];
export type SpeechModel = Schemas['SpeechModel'];
export type Chapter = Schemas['Chapter'];
export type Chapters = Schemas['Chapters'];

export type Play = Schemas['Play'];
export type Retention = Schemas['Retention'];
export type Summary = Schemas['Summary'];
export type ViewerRow = WithPairs<Schemas['Viewer']>;

export type Person = Schemas['Person'];
export type ImportReport = Schemas['ImportReport'];
export type StatementsImported = Schemas['StatementsImported'];
/** An xAPI statement, as loosely as a page needs it: the record store has checked it. */
export type Xapi = Record<string, unknown>;
export type StatementItem = Omit<Schemas['StatementItem'], 'statement'> & { statement: Xapi };
export type WatchedLine = WithPairs<Schemas['Watched']>;
export type PersonRecord = Omit<Schemas['Record'], 'items'> & { items: WatchedLine[] };
export type LagHistory = Schemas['LagHistory'];

export type AuditEntry = Schemas['AuditEntry'];
export type Evidence = Schemas['Evidence'];
export type EvidenceHead = Schemas['EvidenceHead'];
export type Erasure = Schemas['Erasure'];
export type ErasurePreview = Schemas['ErasurePreview'];
export type ErasureUpstream = Schemas['ErasureUpstream'];
export type Keeping = Schemas['Keeping'];
export type KeepingPreview = Schemas['KeepingPreview'];
export type Check = Schemas['Check'];
export type SystemStatus = Schemas['System'];
export type Delivery = Schemas['Delivery'];
export type Job = Schemas['Job'];
export type Credential = Schemas['Credential'];
export type CredentialMade = Schemas['CredentialMade'];
export type Source = Schemas['Source'];
export type SourceTrial = Schemas['SourceTrial'];
export type SourceRefusal = Schemas['SourceRefusal'];
export type StatementDays = Schemas['StatementDays'];
export type Upstream = Schemas['Upstream'];
export type UpstreamReplayed = Schemas['UpstreamReplayed'];
export type UpstreamTrial = Schemas['UpstreamTrial'];
export type DeadLetter = Schemas['DeadLetter'];
