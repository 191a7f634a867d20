// ADL's xAPIWrapper, the cmi5 library of xapi.js and the core of H5P: each writes its statements in a real Chromium, from
// another origin than the box, as content does.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { serve, statementsOf } from './browser.mjs';
import * as h5p from './h5p.mjs';
import { startLectern } from './lectern.mjs';
import { assertAttached, assertStored, basic } from './stored.mjs';

let lectern;
let credential;

before(async () => {
  lectern = await startLectern();
  credential = lectern.run(['credential', 'add', '--name', 'browser', '--scope', 'all']);
});

after(() => lectern.stop());

const page = (scripts, code) => `<!doctype html><title>client</title><body><div id="content"></div>
${scripts.map((script) => `<script src="${script}"></script>`).join('\n')}
<script type="module">${code}</script>`;

test("ADL's xAPIWrapper stores statements, attachments, states and profiles", async () => {
  const code = `
    const wrapper = ADL.XAPIWrapper;
    wrapper.changeConfig(${JSON.stringify({ endpoint: `${lectern.base}/xapi/`, auth: basic(credential) })});
    const statement = (n) => new ADL.XAPIStatement(
      new ADL.XAPIStatement.Agent('mailto:lea@interop.example', 'Lea'),
      new ADL.XAPIStatement.Verb('http://adlnet.gov/expapi/verbs/attempted', 'attempted'),
      new ADL.XAPIStatement.Activity('https://interop.example/wrapper/' + n, 'Part ' + n, 'What is done'));
    const called = (work) => new Promise((done) => work((answer) => done(answer)));
    const one = statement(1);
    one.generateId(); one.generateRegistration();
    await called((done) => wrapper.sendStatement(one, done));
    const two = [statement(2), statement(3)];
    two.forEach((each) => each.generateId());
    await called((done) => wrapper.sendStatements(two, done));
    const four = statement(4);
    four.generateId();
    const bytes = Uint8Array.from([0, 13, 10, 45, 45, 255, 128]).buffer;
    const usage = { usageType: 'https://interop.example/usage', display: { en: 'Notes' }, contentType: 'application/octet-stream' };
    await called((done) => wrapper.sendStatement(four, done, [{ type: usage, value: bytes }]));
    const found = await called((done) => wrapper.getStatements({ verb: 'http://adlnet.gov/expapi/verbs/attempted', limit: 2 }, null, done));
    const list = JSON.parse(found.response);
    const agent = { mbox: 'mailto:lea@interop.example' };
    await called((done) => wrapper.sendState('https://interop.example/wrapper/1', agent, 'place', null, { at: 7 }, null, null, done));
    const state = await called((done) => wrapper.getState('https://interop.example/wrapper/1', agent, 'place', null, null, done));
    await called((done) => wrapper.sendAgentProfile(agent, 'likes', { film: true }, null, '*', done));
    const profile = await called((done) => wrapper.getAgentProfile(agent, 'likes', null, done));
    window.done = { attached: JSON.parse(JSON.stringify(four)), ids: list.statements.map((each) => each.id), more: list.more, state: state.response, profile: profile.response };`;
  const site = await serve({ '/page.html': page(['/xapiwrapper/dist/xapiwrapper.min.js'], code) });
  try {
    const { sent, done } = await statementsOf(`${site.base}/page.html`);
    sent.push(done.attached);
    assert.equal(sent.length, 4);
    await assertStored(lectern.base, credential, sent);
    const [attachment] = sent[3].attachments;
    await assertAttached(lectern.base, credential, sent[3].id, attachment.sha2, [0, 13, 10, 45, 45, 255, 128]);
    assert.deepEqual(done.ids, [sent[3].id, sent[2].id]);
    assert.match(done.more, /^\/xapi\/statements\?more=/);
    assert.deepEqual(JSON.parse(done.state), { at: 7 });
    assert.deepEqual(JSON.parse(done.profile), { film: true });
  } finally {
    await site.stop();
  }
});

test("@xapi/cmi5 runs an assignable unit's session", async () => {
  const registration = randomUUID();
  const activityId = 'https://interop.example/units/1';
  const actor = { objectType: 'Agent', account: { homePage: 'https://interop.example', name: 'lea' } };
  const sessionid = randomUUID();
  const launch = {
    contextTemplate: {
      contextActivities: { grouping: [{ objectType: 'Activity', id: 'https://interop.example/courses/1' }] },
      extensions: { 'https://w3id.org/xapi/cmi5/context/extensions/sessionid': sessionid },
    },
    launchMode: 'Normal',
    launchMethod: 'OwnWindow',
    moveOn: 'CompletedAndPassed',
    masteryScore: 0.8,
  };
  const headers = { Authorization: basic(credential), 'X-Experience-API-Version': '1.0.3', 'Content-Type': 'application/json' };
  const place = new URLSearchParams({ activityId, agent: JSON.stringify(actor), registration, stateId: 'LMS.LaunchData' });
  const put = await fetch(`${lectern.base}/xapi/activities/state?${place}`, { method: 'PUT', headers, body: JSON.stringify(launch) });
  assert.equal(put.status, 204);
  const learner = new URLSearchParams({ agent: JSON.stringify(actor), profileId: 'cmi5LearnerPreferences' });
  const preferences = await fetch(`${lectern.base}/xapi/agents/profile?${learner}`, {
    method: 'PUT',
    headers: { ...headers, 'If-None-Match': '*' },
    body: JSON.stringify({ languagePreference: 'en', audioPreference: 'on' }),
  });
  assert.equal(preferences.status, 204);
  const code = `
    const unit = new Cmi5();
    await unit.initialize();
    await unit.progress(40);
    await unit.interactionChoice('test', 'colour', ['red'], ['blue'], [{ id: 'red', description: { en: 'Red' } }, { id: 'blue', description: { en: 'Blue' } }], { en: 'Colour' }, { en: 'Which colour is it?' }, false);
    await unit.interactionNumeric('test', 'count', 4, { min: 3, max: 5 }, { en: 'Count' }, { en: 'How many are there?' }, true);
    await unit.pass({ scaled: 0.9 });
    await unit.complete();
    await unit.terminate();
    window.done = { isAuthenticated: unit.isAuthenticated };`;
  const site = await serve({
    '/unit.html': page(['/@xapi/cmi5/dist/Cmi5.umd.js'], code),
    '/fetch': { 'auth-token': Buffer.from(`${credential.key}:${credential.secret}`).toString('base64') },
  });
  try {
    const launched = new URLSearchParams({ endpoint: `${lectern.base}/xapi/`, fetch: `${site.base}/fetch`, actor: JSON.stringify(actor), registration, activityId });
    const { sent, done } = await statementsOf(`${site.base}/unit.html?${launched}`);
    assert.ok(done.isAuthenticated);
    const verbs = sent.map((statement) => statement.verb.id.split('/').at(-1));
    assert.deepEqual(verbs, ['initialized', 'progressed', 'answered', 'answered', 'passed', 'completed', 'terminated']);
    for (const statement of sent) {
      assert.equal(statement.context.registration, registration);
      assert.equal(statement.context.extensions['https://w3id.org/xapi/cmi5/context/extensions/sessionid'], sessionid);
    }
    await assertStored(lectern.base, credential, sent);
  } finally {
    await site.stop();
  }
});

test("H5P's core writes what its content says", async () => {
  const code = `
    const statements = [];
    const sending = [];
    const send = ({ data: { statement } }) => {
      statements.push(statement);
      const id = crypto.randomUUID();
      sending.push(fetch('${lectern.base}/xapi/statements', {
        method: 'POST',
        headers: { Authorization: '${basic(credential)}', 'X-Experience-API-Version': '1.0.3', 'Content-Type': 'application/json' },
        body: JSON.stringify({ id, timestamp: new Date().toISOString(), ...statement }),
      }));
    };
    await new H5PStandalone.H5P(document.getElementById('content'), {
      id: 'quiz', h5pJsonPath: '/content', frameJs: '/h5p-standalone/dist/frame.bundle.js', frameCss: '/h5p-standalone/dist/styles/h5p.css',
      embedType: 'div', user: { name: 'Lea', mail: 'lea@interop.example' }, 
      saveFreq: false, contentUserData: [{ state: '{}' }], ajax: { contentUserDataUrl: '/none/:contentId/:dataType/:subContentId' },
    });
    H5P.externalDispatcher.on('xAPI', send);
    await H5P.instances[0].play();
    const answers = await Promise.all(sending);
    window.done = { statuses: answers.map((answer) => answer.status), verbs: statements.map((each) => each.verb.id) };`;
  const site = await serve({ '/page.html': page(['/h5p-standalone/dist/main.bundle.js'], code), ...h5p.content });
  try {
    const { sent, done } = await statementsOf(`${site.base}/page.html`);
    assert.ok(done.statuses.every((status) => status === 200), JSON.stringify(done));
    for (const verb of ['attempted', 'interacted', 'answered', 'completed']) {
      assert.ok(done.verbs.includes(`http://adlnet.gov/expapi/verbs/${verb}`), JSON.stringify(done.verbs));
    }
    await assertStored(lectern.base, credential, sent);
  } finally {
    await site.stop();
  }
});
