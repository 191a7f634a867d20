// A network between a sender and a record store that is as bad as they come, in turns: it passes requests on, takes its
// time, answers 500, 429 and 409 of its own, answers with what no record store says, passes a request on and loses the
// answer, or hangs up. Statements that are posted meet it and reading is passed on, unless it is `for` those who read: then
// the other way round.
import { createServer, request } from 'node:http';

const TURNS = ['pass', 'slow', 'pass', '500', 'pass', '429', 'pass', '409', 'pass', 'page', 'pass', 'noise', 'pass', 'lost', 'pass', 'cut'];
const SLOW_MS = 3_000;

/** Starts it before `target` (a URL), for 'POST' or 'GET': { url, posted: ids in the order in which `target` first accepted them, met, stop() }. */
export async function startWeather(target, method = 'POST') {
  const posted = new Set();
  const met = Object.fromEntries(TURNS.map((turn) => [turn, 0]));
  let turn = 0;
  const server = createServer(async (incoming, answer) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isMet = incoming.method === method && incoming.url.includes('/statements');
    const weather = isMet ? TURNS[turn++ % TURNS.length] : 'pass';
    if (isMet) met[weather] += 1;
    const own = (status, text, headers = {}) => answer.writeHead(status, headers).end(text);
    switch (weather) {
      case '500':
        return own(500, 'out of order');
      case '429':
        return own(429, 'not so fast', { 'retry-after': '2' });
      case '409':
        return own(409, 'says who?');
      case 'page':
        return own(200, '<html><title>Sign in to the network</title></html>', { 'content-type': 'text/html' });
      case 'noise':
        return own(200, Buffer.from([0xff, 0x00, 0x5b, 0xfe, 0x22]), { 'content-type': 'application/json' });
      case 'cut':
        return incoming.socket.destroy();
      case 'slow':
        await new Promise((done) => setTimeout(done, SLOW_MS));
    }
    const headers = { ...incoming.headers, host: new URL(target).host };
    const onward = request(new URL(incoming.url, target), { method: incoming.method, headers }, async (theirs) => {
      const parts = [];
      try {
        for await (const part of theirs) parts.push(part);
      } catch {
        return incoming.socket.destroy();
      }
      const text = Buffer.concat(parts);
      if (isMet && method === 'POST' && (theirs.statusCode === 200 || theirs.statusCode === 204)) {
        for (const { id } of JSON.parse(body)) posted.add(id);
      }
      if (weather === 'lost') return incoming.socket.destroy();
      answer.writeHead(theirs.statusCode, theirs.headers).end(text);
    });
    onward.on('error', () => incoming.socket.destroy());
    onward.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    posted,
    met,
    stop() {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
