// A wire between the browser and the box that can be cut, mended and made slow: what DevTools calls offline
// lets requests under way finish, which a lost network does not.
import { createServer, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Where the far end is; gives `origin` for the near one. `rate` is bytes a second towards the box. */
export async function lay(far) {
  const open = new Set();
  const wire = { origin: '', rate: Infinity, whole: true };
  const server = createServer((near) => {
    if (!wire.whole) return near.destroy();
    const box = connect(Number(far.port), far.hostname);
    for (const socket of [near, box]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        box.destroy();
      });
    }
    near.on('data', async (bytes) => {
      near.pause();
      if (!box.destroyed) box.write(bytes);
      if (wire.rate !== Infinity) await pause((bytes.length / wire.rate) * 1000);
      near.resume();
    });
    box.pipe(near);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  wire.origin = `${far.protocol}//127.0.0.1:${server.address().port}`;
  wire.cut = () => {
    wire.whole = false;
    for (const socket of open) socket.destroy();
  };
  wire.mend = () => (wire.whole = true);
  wire.close = () => {
    wire.cut();
    server.close();
  };
  return wire;
}
