// Forwarding into a third-party record store over a real socket, which is stopped and started again in the middle,
// and by a network that does its worst: the same ids on both sides, none twice, in order. Run by tracking/interop/peer, which sets PEER_*.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startLectern, until } from './lectern.mjs';
import { idsAt, PEER_KEY, PEER_SECRET, PEER_XAPI, restart, THEIRS } from './peer.mjs';
import { basic } from './stored.mjs';
import { startWeather } from './weather.mjs';

/** All ids, to be compared with what was sent, whatever the order. */
const sortedAt = async (endpoint, authorization) => (await idsAt(endpoint, authorization)).sort();

function statement() {
  return {
    id: randomUUID(),
    actor: { objectType: 'Agent', account: { homePage: 'https://interop.example', name: 'lea' } },
    verb: { id: 'https://w3id.org/xapi/video/verbs/paused', display: { en: 'paused' } },
    object: {
      objectType: 'Activity',
      id: 'https://interop.example/videos/1',
      definition: { type: 'https://w3id.org/xapi/video/activity-type/video', name: { en: 'A film' } },
    },
    timestamp: new Date().toISOString(),
  };
}

test('statements arrive in a third-party record store once, though it stops in the middle', async (context) => {
  const before = new Set(await idsAt(PEER_XAPI, THEIRS));
  const lectern = await startLectern();
  context.after(lectern.stop);
  const here = lectern.run(['credential', 'add', '--name', 'interop', '--scope', 'all']);
  const authorization = basic(here);
  lectern.run(
    ['upstream', 'add', '--name', 'peer', '--url', PEER_XAPI, '--key', PEER_KEY, '--secret-stdin', '--version', '2.0.0', '--allow-private'],
    PEER_SECRET,
  );
  const sent = [];
  async function post(count) {
    for (let i = 0; i < count; i += 1) {
      const batch = [statement(), statement()];
      const answer = await fetch(`${lectern.base}/xapi/statements`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', 'x-experience-api-version': '2.0.0' },
        body: JSON.stringify(batch),
      });
      assert.equal(answer.status, 200, await answer.clone().text());
      sent.push(...batch.map(({ id }) => id));
    }
  }
  await post(50);
  restart('stop');
  await post(50);
  restart('start');
  await post(50);
  sent.sort();
  await until(async () => {
    const item = lectern.run(['upstream', 'list']).items[0];
    assert.equal(item.dead, 0, JSON.stringify(item));
    return item.lag === 0;
  });
  assert.deepEqual(await sortedAt(`${lectern.base}/xapi`, authorization), sent);
  const there = await sortedAt(PEER_XAPI, THEIRS);
  assert.deepEqual(
    there.filter((id) => !before.has(id)),
    sent,
  );
});

const MANY = Number(process.env.FORWARD_STATEMENTS ?? 20_000);
const BATCH = 500;

test(`${MANY} statements arrive once and in order, whatever happens on the way`, async (context) => {
  const before = new Set(await idsAt(PEER_XAPI, THEIRS));
  const weather = await startWeather(PEER_XAPI);
  context.after(weather.stop);
  const lectern = await startLectern();
  context.after(lectern.stop);
  const here = lectern.run(['credential', 'add', '--name', 'interop', '--scope', 'all']);
  const authorization = basic(here);
  const sent = [];
  for (let from = 0; from < MANY; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, MANY - from) }, statement);
    const answer = await fetch(`${lectern.base}/xapi/statements`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'x-experience-api-version': '2.0.0' },
      body: JSON.stringify(batch),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    sent.push(...batch.map(({ id }) => id));
  }
  lectern.run(
    ['upstream', 'add', '--name', 'peer', '--url', weather.url, '--key', PEER_KEY, '--secret-stdin', '--version', '2.0.0', '--allow-private'],
    PEER_SECRET,
  );
  const began = Date.now();
  const kills = [MANY / 4, MANY / 2];
  await until(async () => {
    const item = lectern.run(['upstream', 'list']).items[0];
    assert.equal(item.dead, 0, JSON.stringify(item));
    if (MANY - item.lag >= kills[0]) {
      kills.shift();
      restart('stop');
      await new Promise((done) => setTimeout(done, 2_000));
      restart('start');
    }
    return item.lag === 0;
  }, 900_000);
  console.log(`${MANY} statements in ${Math.round((Date.now() - began) / 1000)} s; met ${JSON.stringify(weather.met)}`);
  for (const [turn, count] of Object.entries(weather.met)) assert.ok(count > 0, `never met: ${turn}`);
  assert.deepEqual([...weather.posted], sent, 'the order in which they were accepted first');
  const there = (await sortedAt(PEER_XAPI, THEIRS)).filter((id) => !before.has(id));
  assert.deepEqual(there, sent.sort());
});
