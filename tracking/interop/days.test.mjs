// The Parquet files of days, read by DuckDB: the same statements, in columns that mean what they say.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { startLectern } from './lectern.mjs';
import { basic } from './stored.mjs';

const COURSE = 'https://interop.example/courses/1';
const statement = (n) => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  actor: n % 2 ? { mbox: 'mailto:ada@interop.example', name: 'Ada “A” Lovelace' } : { account: { homePage: 'https://interop.example', name: 'bob' } },
  verb: { id: 'http://adlnet.gov/expapi/verbs/answered' },
  object: { id: `https://interop.example/questions/${n % 7}`, definition: { name: { de: 'Frage' }, type: 'http://adlnet.gov/expapi/activities/question' } },
  result: { score: { scaled: n / 1000, raw: n, min: 0, max: 1000 }, success: n % 3 === 0, response: `ü ${n}`, duration: 'PT1M0.5S' },
  context: { registration: '11111111-1111-4111-8111-111111111111', contextActivities: { parent: n % 5 ? [{ id: COURSE }, { id: `${COURSE}/week` }] : [] }, revision: '3' },
  timestamp: '2026-01-02T03:04:05.678Z',
});

test('DuckDB reads the days of statements', async () => {
  const lectern = await startLectern();
  const folder = mkdtempSync(join(tmpdir(), 'lectern-days-'));
  try {
    const credential = lectern.run(['credential', 'add', '--name', 'days', '--scope', 'all']);
    const post = (body) =>
      fetch(`${lectern.base}/xapi/statements`, {
        method: 'POST',
        headers: { Authorization: basic(credential), 'X-Experience-API-Version': '1.0.3', 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const sent = Array.from({ length: 1000 }, (_, n) => statement(n));
    assert.equal((await post(sent)).status, 200);
    const bare = { actor: { mbox: 'mailto:eve@interop.example' }, verb: { id: 'http://adlnet.gov/expapi/verbs/voided' }, object: { objectType: 'StatementRef', id: sent[8].id } };
    assert.equal((await post(bare)).status, 200);
    const written = lectern.run(['statements', 'parquet', folder]);
    assert.equal(written.statements, 1001);
    const days = readdirSync(folder);
    assert.ok(days.length >= 1 && days.every((day) => /^day=\d{4}-\d\d-\d\d$/.test(day)), String(days));

    const duck = await (await DuckDBInstance.create(':memory:')).connect();
    const all = async (sql) => (await duck.runAndReadAll(sql)).getRowObjectsJson();
    const table = `read_parquet('${folder}/*/*.parquet', hive_partitioning = true)`;
    const [sums] = await all(`select count(*)::int n, count(distinct id)::int ids, sum(score_raw)::int raw, count(*) filter (success)::int passed, count(*) filter (voided)::int voided,
      count(*) filter (registration is null)::int bare, min(duration_ms)::int ms, max(epoch_ms("timestamp")) filter (success)::bigint moment, bool_and(stored > "timestamp") filter (success) is_later from ${table}`);
    assert.deepEqual(sums, { n: 1001, ids: 1001, raw: 499500, passed: 334, voided: 1, bare: 1, ms: 60500, moment: String(Date.parse('2026-01-02T03:04:05.678Z')), is_later: true });
    const [ada] = await all(`select actor, actor_name, object_type, object, object_name, activity_type, response, revision, score_scaled, len(parent)::int parents from ${table} where score_raw = 9`);
    assert.deepEqual(ada, {
      actor: 'mailto:ada@interop.example', actor_name: 'Ada “A” Lovelace', object_type: 'Activity', object: 'https://interop.example/questions/2',
      object_name: 'Frage', activity_type: 'http://adlnet.gov/expapi/activities/question', response: 'ü 9', revision: '3', score_scaled: 0.009, parents: 2,
    });
    const [courses] = await all(`select count(*)::int n from ${table} where list_contains(parent, '${COURSE}')`);
    assert.equal(courses.n, 800);
    const [one] = await all(`select json_extract_string(statement, '$.result.response') response, voided from ${table} where id = '${sent[8].id}'`);
    assert.deepEqual(one, { response: 'ü 8', voided: true });
  } finally {
    rmSync(folder, { recursive: true });
    await lectern.stop();
  }
});
