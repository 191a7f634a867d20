// The third-party record store that `tracking/interop/peer` runs, and what a record store has.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { basic } from './stored.mjs';

export const { PEER_XAPI, PEER_KEY, PEER_SECRET } = process.env;
const { PEER_RESTART, PEER_HOME } = process.env;
export const THEIRS = basic({ key: PEER_KEY, secret: PEER_SECRET });
export const VERSION = { 'x-experience-api-version': '2.0.0' };

/** 'stop' or 'start'. */
export const restart = (what) =>
  execFileSync(PEER_RESTART.split(' ')[0], ['--restart', what], { env: { ...process.env, PEER_HOME }, stdio: 'inherit' });

export async function read(url, authorization) {
  const answer = await fetch(url, { headers: { authorization, ...VERSION } });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/** Ids in the order in which the record store stored them. */
export async function idsAt(endpoint, authorization) {
  const ids = [];
  let url = `${endpoint}/statements?limit=100&ascending=true`;
  while (url) {
    const { statements, more } = await read(url, authorization);
    ids.push(...statements.map(({ id }) => id));
    url = more ? new URL(more, url).href : null;
  }
  return ids;
}
