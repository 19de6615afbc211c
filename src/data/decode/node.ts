import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DECODER, url } from './decode-thread';
import { Answers, type Port } from './protocol';

export const cores = availableParallelism;

export function startWorker(): Port {
  const worker = new Worker(new URL(url), { workerData: DECODER });
  const answers = new Answers();
  worker.on('message', (answer) => answers.deliver(answer));
  worker.on('error', (error) => answers.fail(error as Error));
  worker.on('exit', () => answers.fail(new Error('the worker ended')));
  return {
    post: (request) => worker.postMessage(request, [request.bytes.buffer]),
    next: () => answers.next(),
    terminate: () => void worker.terminate(),
  };
}
