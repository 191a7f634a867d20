// Third-party clients over a real socket: what each stores is read back equal, with both versions where it can.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import XAPI from '@xapi/xapi';
import TinCan from 'tincanjs';
import { startLectern } from './lectern.mjs';

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
const object = { objectType: 'Activity', id: 'https://interop.example/videos/1', definition: { name: { en: 'A film' } } };
const verb = { id: 'http://adlnet.gov/expapi/verbs/experienced', display: { en: 'experienced' } };

/** The stored statement holds all that was sent, whatever the box has added. */
function assertHolds(stored, sent, path = '') {
  if (sent !== null && typeof sent === 'object') {
    for (const [name, value] of Object.entries(sent)) assertHolds(stored?.[name], value, `${path}/${name}`);
  } else {
    assert.equal(stored, sent, path);
  }
}

for (const version of ['1.0.3', '2.0.0']) {
  test(`@xapi/xapi ${version} stores and reads statements`, async () => {
    const XapiClient = XAPI.default ?? XAPI;
    const client = new XapiClient({
      endpoint,
      auth: XapiClient.toBasicAuth(credential.key, credential.secret),
      version,
    });
    const statement = {
      actor: { objectType: 'Agent', account },
      verb,
      object,
      result: { duration: 'PT12.5S', extensions: { 'https://w3id.org/xapi/video/extensions/time': 12.5 } },
    };
    const { data: ids } = await client.sendStatement({ statement });
    const { data: stored } = await client.getStatement({ statementId: ids[0] });
    assertHolds(stored, statement);
    const { data: batch } = await client.sendStatements({ statements: [statement, statement] });
    assert.equal(batch.length, 2);
    const { data: list } = await client.getStatements({ agent: { objectType: 'Agent', account }, verb: verb.id, limit: 2 });
    assert.deepEqual(list.statements.map((found) => found.id), [...batch].reverse());
    const { data: about } = await client.getAbout();
    assert.ok(about.version.includes(version));
    const state = { activityId: object.id, agent: { objectType: 'Agent', account }, stateId: `resume-${version}` };
    await client.setState({ ...state, state: { at: 12.5 } });
    assert.deepEqual((await client.getState(state)).data, { at: 12.5 });
  });
}

test('tincanjs stores and reads statements', async () => {
  const lrs = new TinCan.LRS({ endpoint, username: credential.key, password: credential.secret, allowFail: false });
  const sent = new TinCan.Statement({ actor: { account }, verb, object });
  await new Promise((resolve, reject) =>
    lrs.saveStatement(sent, { callback: (error, xhr) => (error === null ? resolve() : reject(new Error(`${error} ${xhr?.responseText}`))) }),
  );
  const found = await new Promise((resolve, reject) =>
    lrs.retrieveStatement(sent.id, { callback: (error, statement) => (error === null ? resolve(statement) : reject(new Error(String(error)))) }),
  );
  assert.equal(found.id, sent.id);
  assert.equal(found.actor.account.name, account.name);
  assert.equal(found.verb.id, verb.id);
});
