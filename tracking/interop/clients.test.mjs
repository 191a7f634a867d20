// Third-party clients over a real socket: what each stores is on the box as it was sent, with both versions where it can.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import XAPI from '@xapi/xapi';
import TinCan from 'tincanjs';
import { startLectern } from './lectern.mjs';
import { assertAttached, assertStored } from './stored.mjs';

let lectern;
let endpoint;
let credential;

before(async () => {
  lectern = await startLectern();
  endpoint = `${lectern.base}/xapi/`;
  credential = lectern.run(['credential', 'add', '--name', 'clients', '--scope', 'all']);
});

after(() => lectern.stop());

const account = { homePage: 'https://interop.example', name: 'lea' };
const actor = { objectType: 'Agent', account };
const object = { objectType: 'Activity', id: 'https://interop.example/videos/1', definition: { name: { en: 'A film' } } };
const verb = { id: 'http://adlnet.gov/expapi/verbs/experienced', display: { en: 'experienced' } };
/** With a zero, and with what would end a line or a part: an attachment is bytes, not text. */
const BYTES = Uint8Array.from([0, 13, 10, 45, 45, 255, 128, 13, 10, 1]);
const describe = (bytes) => ({
  usageType: 'https://interop.example/usage',
  display: { en: 'Notes' },
  contentType: 'application/octet-stream',
  length: bytes.length,
  sha2: createHash('sha256').update(bytes).digest('hex'),
});

for (const version of ['1.0.3', '2.0.0']) {
  test(`@xapi/xapi ${version} stores and reads statements, attachments and states`, async () => {
    const XapiClient = XAPI.default ?? XAPI;
    // By fetch: with Node's HTTP the library's own bodies with attachments lose their Content-Type.
    const client = new XapiClient({
      endpoint,
      auth: XapiClient.toBasicAuth(credential.key, credential.secret),
      version,
      adapter: 'fetch',
    });
    const statement = () => ({
      id: randomUUID(),
      actor,
      verb,
      object,
      result: {
        score: { scaled: 0.75, raw: 7.5, min: 0, max: 10 },
        success: true,
        duration: 'PT12.5S',
        response: 'Wärme, “Arbeit” – 熱',
        extensions: { 'https://w3id.org/xapi/video/extensions/time': 12.5 },
      },
      context: {
        registration: randomUUID(),
        language: 'en-GB',
        contextActivities: { parent: [{ objectType: 'Activity', id: 'https://interop.example/courses/1' }] },
      },
      timestamp: '2026-11-26T10:00:00.123Z',
    });
    const one = statement();
    const { data: ids } = await client.sendStatement({ statement: one });
    assert.deepEqual(ids, [one.id]);
    const batch = [statement(), statement(), { ...statement(), verb: { id: 'http://adlnet.gov/expapi/verbs/mastered' } }];
    await client.sendStatements({ statements: batch });
    const attached = { ...statement(), attachments: [describe(BYTES)] };
    await client.sendStatement({ statement: attached, attachments: [BYTES] });
    await assertStored(lectern.base, credential, [one, ...batch, attached], version);
    await assertAttached(lectern.base, credential, attached.id, attached.attachments[0].sha2, BYTES);

    const { data: found } = await client.getStatement({ statementId: one.id });
    assert.equal(found.id, one.id);
    const { data: list } = await client.getStatements({ agent: actor, verb: verb.id, limit: 2 });
    assert.deepEqual(
      list.statements.map((each) => each.id),
      [attached.id, batch[1].id],
    );
    const { data: more } = await client.getMoreStatements({ more: list.more });
    assert.equal(more.statements[0].id, batch[0].id);
    await client.voidStatement({ actor, statementId: one.id });
    await assert.rejects(client.getStatement({ statementId: one.id }));
    assert.equal((await client.getVoidedStatement({ voidedStatementId: one.id })).data.id, one.id);
    const { data: about } = await client.getAbout();
    assert.ok(about.version.includes(version));
    const state = { activityId: object.id, agent: actor, stateId: `resume-${version}` };
    await client.setState({ ...state, state: { at: 12.5 } });
    assert.deepEqual((await client.getState(state)).data, { at: 12.5 });
  });
}

test('tincanjs stores and reads statements and attachments', async () => {
  const lrs = new TinCan.LRS({ endpoint, username: credential.key, password: credential.secret, allowFail: false });
  const asked = (ask) =>
    new Promise((resolve, reject) =>
      ask((error, answer) => (error === null ? resolve(answer) : reject(new Error(`${error} ${answer?.responseText}`)))),
    );
  // Text: under Node this library sends the bytes of an attachment as UTF-8, whatever they are.
  const notes = new TextEncoder().encode('Heat is no substance.\r\n--');
  const sent = [
    new TinCan.Statement({ actor: { account }, verb, object, result: { completion: true, duration: 'PT3S' } }),
    new TinCan.Statement({ actor: { mbox: 'mailto:lea@interop.example', name: 'Lea' }, verb, object }),
    new TinCan.Statement({ actor: { account }, verb, object, attachments: [{ ...describe(notes), content: notes.buffer }] }),
  ];
  for (const each of [sent[0], sent[2]]) await asked((callback) => lrs.saveStatement(each, { callback }));
  await asked((callback) => lrs.saveStatements([sent[1]], { callback }));
  const onTheWire = (each) => JSON.parse(JSON.stringify(each.asVersion(lrs.version)));
  await assertStored(lectern.base, credential, sent.map(onTheWire));
  await assertAttached(lectern.base, credential, sent[2].id, describe(notes).sha2, notes);
  const found = await asked((callback) => lrs.retrieveStatement(sent[2].id, { callback, params: { attachments: true } }));
  assert.equal(found.id, sent[2].id);
  assert.deepEqual(new Uint8Array(found.attachments[0].content), notes);
});
