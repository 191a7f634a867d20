// What a client sent against what the box has: read by a request of our own, not by the client.
import assert from 'node:assert/strict';

/** What a store adds to a statement (xAPI 1.0.3 Data 2.4.7, 2.4.8, 2.4.9, 2.4.10; 2.0.0 the same). */
const ADDED = ['stored', 'authority', 'version', 'timestamp'];

/** Every statement is stored as it was sent: nothing is missing, nothing is changed, and only what a store adds is new. */
export async function assertStored(base, credential, sent, version = '1.0.3') {
  assert.ok(sent.length > 0);
  for (const statement of sent) {
    assert.ok(statement.id, 'a statement without an id');
    const answer = await fetch(`${base}/xapi/statements?statementId=${statement.id}`, {
      headers: { Authorization: basic(credential), 'X-Experience-API-Version': version },
    });
    assert.equal(answer.status, 200);
    const stored = await answer.json();
    for (const added of ADDED) {
      assert.ok(added in stored, `without ${added}`);
      if (!(added in statement)) delete stored[added];
    }
    assert.deepEqual(stored, statement);
  }
}

/** Those bytes are served with the statement (Comm 2.1.3, `attachments=true`), as they were sent and under their hash. */
export async function assertAttached(base, credential, id, sha2, bytes) {
  const answer = await fetch(`${base}/xapi/statements?statementId=${id}&attachments=true`, {
    headers: { Authorization: basic(credential), 'X-Experience-API-Version': '1.0.3' },
  });
  assert.equal(answer.status, 200);
  const boundary = /boundary=(\S+)/u.exec(answer.headers.get('content-type'))[1];
  const parts = Buffer.from(await answer.arrayBuffer()).toString('latin1').split(`--${boundary}`);
  const part = parts.find((each) => each.toLowerCase().includes(`x-experience-api-hash: ${sha2}`));
  assert.ok(part, `no part for ${sha2}`);
  const body = part.slice(part.indexOf('\r\n\r\n') + 4, -2);
  assert.deepEqual(Buffer.from(body, 'latin1'), Buffer.from(bytes));
}

export function basic({ key, secret }) {
  return `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;
}
