/** Runs named checks one after the other and says how each ended. */

/**
 * `checks` are `{ name, run }`; with `wanted`, only those whose name begins with one of the words run. `failed(name)` is
 * awaited after each that fails. Answers how many failed.
 */
export async function runChecks(checks, wanted = [], failed = async () => undefined) {
  let failures = 0;
  for (const { name, run } of checks) {
    if (wanted.length > 0 && !wanted.some((word) => name.startsWith(word))) continue;
    const since = Date.now();
    try {
      await run();
      console.log(`ok   ${name} (${((Date.now() - since) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures += 1;
      const lines = String(error?.stack ?? error).split('\n');
      console.log(`FAIL ${name}\n     ${lines.slice(0, 30).join('\n     ')}`);
      await failed(name);
    }
  }
  return failures;
}

/** Asks until it is so. */
export async function until(condition, what, patience_ms = 60_000) {
  const deadline = Date.now() + patience_ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
