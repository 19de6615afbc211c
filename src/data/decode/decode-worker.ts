/** A decoder in a worker of the browser. */
import { answerTo, movedWith, type Request } from './protocol';

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  const answer = await answerTo(data);
  self.postMessage(answer, { transfer: movedWith(answer) });
};
self.postMessage('ready');
