/** The JavaScript heaps of a page and its workers, after what is garbage is gone. */
import type { CDPSession, Page } from 'playwright-core';

export interface Heaps {
  /** bytes in use */
  page: number;
  /** of all workers together */
  workers: number;
}

interface Attached {
  sessionId: string;
  targetInfo: { type: string };
}

/** Follows the workers of a page that are there, and that come. */
export async function watchHeaps(page: Page): Promise<() => Promise<Heaps>> {
  const cdp = await page.context().newCDPSession(page);
  const workers = new Set<string>();
  cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }: Attached) => {
    if (targetInfo.type === 'worker') workers.add(sessionId);
  });
  cdp.on('Target.detachedFromTarget', ({ sessionId }: { sessionId: string }) => workers.delete(sessionId));
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  return async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    let sum = 0;
    for (const worker of workers) {
      await ask(cdp, worker, 'HeapProfiler.collectGarbage');
      sum += ((await ask(cdp, worker, 'Runtime.getHeapUsage')) as { usedSize: number }).usedSize;
    }
    return { page: usedSize, workers: sum };
  };
}

let asked = 0;

/** Asks a worker, whose session runs within the page's. */
function ask(cdp: CDPSession, sessionId: string, method: string): Promise<unknown> {
  const id = ++asked;
  return new Promise((resolve) => {
    const hear = (event: { sessionId: string; message: string }) => {
      const answer = JSON.parse(event.message) as { id?: number; result?: unknown };
      if (event.sessionId !== sessionId || answer.id !== id) return;
      cdp.off('Target.receivedMessageFromTarget', hear);
      resolve(answer.result);
    };
    cdp.on('Target.receivedMessageFromTarget', hear);
    cdp.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
  });
}
