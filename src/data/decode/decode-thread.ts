/** A decoder in a thread of Node: this file is both what the thread runs and who knows where it lies. */
import { parentPort, workerData } from 'node:worker_threads';
import { answerTo, movedWith, type Request } from './protocol';

/** tells the thread from another one that loads the engine */
export const DECODER = 'refocus decoder';

/** of this file, once built: it stays a file of its own, since it is imported when it is needed */
export const url = import.meta.url;

if (workerData === DECODER) {
  parentPort!.on('message', async (request: Request) => {
    const answer = await answerTo(request);
    parentPort!.postMessage(answer, movedWith(answer));
  });
  parentPort!.postMessage('ready');
}
