/**
 * The one outbox of this tab, and what earlier visits left in it. `sendLeftovers` is for the app's shell: called once
 * on any page, it completes sessions whose tab died and sends everything that waits, whoever is signed in now.
 * `settle` is for the player: the same in short, before it asks the box where to go on.
 */
import { Outbox } from './outbox';
import { MemoryShelf } from './shelf';
import { openIdbShelf } from './shelf-idb';
import { fetchTransport } from './transport';

/** Tabs that live have so long to say so. */
const ROLL_CALL_MS = 1500;
/** A session that answered no roll call and wrote nothing for this long is dead. */
const SILENCE_MS = 12_000;
/** Who waits for the picture waits no longer than this for what is left to be sent. */
const SETTLE_MS = 1000;
/** Then tabs have so long to answer: one that plays writes every 3 s, and is left alone even if it is slower. */
const SETTLE_CALL_MS = 500;
const SETTLE_SILENCE_MS = 5000;
/** A disk that does not open within this time is done without for now. */
const OPEN_MS = 1000;
const CHANNEL = 'lectern-player';

type Call = { kind: 'who' } | { kind: 'here'; session: string };

const running = new Set<string>();
let box: Promise<Outbox> | null = null;
let channel: BroadcastChannel | null = null;

export function outbox(): Promise<Outbox> {
  box ??= open();
  return box;
}

/** A session of this tab began or ended. */
export function announce(session: string, runs: boolean): void {
  if (runs) running.add(session);
  else running.delete(session);
}

export async function sendLeftovers(): Promise<void> {
  const line = await outbox();
  const alive = await rollCall();
  await line.sendLeftovers(alive, Date.now() - SILENCE_MS);
  // A tab that was killed just now is silent for too short a time: look once more.
  setTimeout(
    () => void rollCall().then((still) => line.sendLeftovers(still, Date.now() - SILENCE_MS)),
    SILENCE_MS + ROLL_CALL_MS,
  );
}

/** Before a viewing begins: what waits here goes to the box, so that its answer knows of it. */
export async function settle(): Promise<void> {
  const work = async (): Promise<void> => {
    const line = await outbox();
    const dead_before_ms = Date.now() - SETTLE_SILENCE_MS;
    if (await line.hasSilent(dead_before_ms))
      await line.sendLeftovers(await rollCall(SETTLE_CALL_MS), dead_before_ms);
    else await line.retry();
  };
  await Promise.race([work(), patience(SETTLE_MS)]);
}

/** Whoever was signed in has gone: what waits is sent, and the tokens that nothing waits for are forgotten. */
export async function signedOut(): Promise<void> {
  await (await outbox()).retry();
}

async function open(): Promise<Outbox> {
  const disk = openIdbShelf();
  // Chromium lets the opening hang when the page before was left in the middle of creating the store. The picture does
  // not wait for that, and a private window without storage tracks for as long as the tab lives.
  const shelf = await Promise.race([disk.catch(() => null), patience(OPEN_MS)]);
  const line = new Outbox(shelf ?? new MemoryShelf(), fetchTransport);
  if (!shelf) void disk.then((late) => line.moveTo(late)).catch(() => undefined);
  window.addEventListener('online', () => void line.retry());
  listen();
  return line;
}

function patience(wait_ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), wait_ms));
}

function listen(): void {
  if (typeof BroadcastChannel === 'undefined') return;
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener('message', (event: MessageEvent<Call>) => {
    if (event.data.kind !== 'who') return;
    for (const session of running) channel?.postMessage({ kind: 'here', session } satisfies Call);
  });
}

/** The sessions that run, in this tab and in others. */
function rollCall(wait_ms = ROLL_CALL_MS): Promise<Set<string>> {
  const alive = new Set(running);
  const asked = channel;
  if (!asked) return Promise.resolve(alive);
  return new Promise((resolve) => {
    const hear = (event: MessageEvent<Call>): void => {
      if (event.data.kind === 'here') alive.add(event.data.session);
    };
    asked.addEventListener('message', hear);
    asked.postMessage({ kind: 'who' } satisfies Call);
    setTimeout(() => {
      asked.removeEventListener('message', hear);
      for (const session of running) alive.add(session);
      resolve(alive);
    }, wait_ms);
  });
}
