// The SharedWorker that holds the browser's one event stream: open while any page is visible.
import { direct, type BoxEvent } from './events';

export interface ToWorker {
  visible: boolean;
}
export type FromWorker = BoxEvent;

interface Connected extends Event {
  ports: readonly MessagePort[];
}

/** Pages that are visible now. A page says so itself; a closed port cannot. */
const visible = new Set<MessagePort>();

const source = direct((event) => {
  for (const port of visible) port.postMessage(event);
});

self.addEventListener('connect', (event) => {
  const port = (event as Connected).ports[0];
  if (!port) return;
  port.onmessage = (message: MessageEvent<ToWorker>) => {
    if (message.data.visible) {
      // A page that comes back to a stream others kept open has missed events all the same.
      if (visible.size > 0) port.postMessage({ name: 'resync', data: {} } satisfies FromWorker);
      visible.add(port);
    } else {
      visible.delete(port);
    }
    source.show(visible.size > 0);
  };
  port.start();
});
