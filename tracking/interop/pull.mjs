// Reading a third-party record store over a real socket, while it is stopped and started again, this box is killed, and the
// network does its worst: the same statements on both sides, none twice, in order. Run by tracking/interop/peer, which sets
// PEER_*.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startLectern, until } from './lectern.mjs';
import { idsAt, PEER_KEY, PEER_SECRET, PEER_XAPI, read, restart, THEIRS, VERSION } from './peer.mjs';
import { basic } from './stored.mjs';
import { startWeather } from './weather.mjs';

const MANY = Number(process.env.PULL_STATEMENTS ?? 2_000);
const BATCH = 50;

function statement(n) {
  return {
    id: randomUUID(),
    actor: { objectType: 'Agent', account: { homePage: 'https://interop.example', name: `p${n % 9}` } },
    verb: { id: 'https://w3id.org/xapi/video/verbs/paused', display: { en: 'paused' } },
    object: { objectType: 'Activity', id: `https://interop.example/pulled/${n % 40}`, definition: { name: { en: 'A film' } } },
    result: { score: { scaled: 0.5 } },
    timestamp: new Date().toISOString(),
  };
}

async function post(body, type = 'application/json') {
  const answer = await fetch(`${PEER_XAPI}/statements`, {
    method: 'POST',
    headers: { authorization: THEIRS, 'content-type': type, ...VERSION },
    body,
  });
  assert.equal(answer.status, 200, await answer.clone().text());
}

/** A statement with a file. */
function withFile(n) {
  const bytes = `file ${n}`;
  const sha2 = createHash('sha256').update(bytes).digest('hex');
  const one = {
    ...statement(n),
    attachments: [{ usageType: 'https://interop.example/usage', display: { en: 'a file' }, contentType: 'text/plain', length: bytes.length, sha2 }],
  };
  const body =
    `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(one)}\r\n` +
    `--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ${sha2}\r\n\r\n${bytes}\r\n--b--\r\n`;
  return { one, bytes, body };
}

const source = (lectern) => lectern.run(['source', 'list']).items[0];
const add = (lectern, url) =>
  lectern.run(['source', 'add', '--name', 'peer', '--url', url, '--key', PEER_KEY, '--secret-stdin', '--version', '2.0.0', '--once', '--allow-private'], PEER_SECRET);

test(`${MANY} statements of a third-party record store come once and in order, though it stops on the way`, async (context) => {
  for (let from = 0; from < MANY; from += BATCH) {
    await post(JSON.stringify(Array.from({ length: BATCH }, (_, n) => statement(from + n))));
  }
  const file = withFile(1);
  await post(file.body, 'multipart/mixed; boundary=b');
  const voided = statement(2);
  await post(JSON.stringify(voided));
  await post(JSON.stringify({ ...statement(3), verb: { id: 'http://adlnet.gov/expapi/verbs/voided' }, object: { objectType: 'StatementRef', id: voided.id } }));
  const there = await idsAt(PEER_XAPI, THEIRS);

  const lectern = await startLectern();
  context.after(lectern.stop);
  const here = lectern.run(['credential', 'add', '--name', 'interop', '--scope', 'all']);
  const authorization = basic(here);
  add(lectern, PEER_XAPI);
  await until(() => source(lectern).stored > 0);
  restart('stop');
  await until(() => ['waiting', 'done'].includes(source(lectern).state));
  restart('start');
  await until(() => source(lectern).state === 'done', 300_000);
  const done = source(lectern);
  console.log(JSON.stringify(done));
  assert.equal(done.refused, 0, JSON.stringify(lectern.run(['source', 'refused', '--name', 'peer']).items[0]));
  assert.equal(done.known, 0);
  assert.deepEqual(await idsAt(`${lectern.base}/xapi`, authorization), there);
  assert.equal(done.stored, there.length + 1, 'what was taken back is here, too');
  const one = await read(`${lectern.base}/xapi/statements?voidedStatementId=${voided.id}`, authorization);
  assert.equal(one.id, voided.id);
  const attached = await fetch(`${lectern.base}/xapi/statements?statementId=${file.one.id}&attachments=true`, { headers: { authorization, ...VERSION } });
  assert.match(await attached.text(), new RegExp(file.bytes, 'u'));
  for (const id of [there[0], there[Math.floor(there.length / 2)], file.one.id]) {
    const [theirs, ours] = await Promise.all([
      read(`${PEER_XAPI}/statements?statementId=${id}`, THEIRS),
      read(`${lectern.base}/xapi/statements?statementId=${id}`, authorization),
    ]);
    for (const set of [theirs, ours]) for (const own of ['stored', 'authority', 'version']) delete set[own]; // the peer adds no version
    assert.deepEqual(ours, theirs);
  }
});

test('a network that does its worst costs time and nothing else', async (context) => {
  const there = await idsAt(PEER_XAPI, THEIRS);
  const weather = await startWeather(PEER_XAPI, 'GET');
  context.after(weather.stop);
  const lectern = await startLectern();
  context.after(lectern.stop);
  const here = lectern.run(['credential', 'add', '--name', 'interop', '--scope', 'all']);
  add(lectern, weather.url);
  await until(() => source(lectern).state === 'done', 600_000);
  console.log(`met ${JSON.stringify(weather.met)}`);
  const done = source(lectern);
  assert.equal(done.refused + done.known, 0, JSON.stringify(done));
  assert.deepEqual(await idsAt(`${lectern.base}/xapi`, basic(here)), there);
  for (const turn of ['500', '429', 'page', 'noise']) assert.ok(weather.met[turn] > 0, `never met: ${turn}`);
});
