import { Answers, type Port } from './protocol';

export const cores = (): number => navigator.hardwareConcurrency ?? 1;

export function startWorker(): Port {
  const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { type: 'module' });
  const answers = new Answers();
  worker.onmessage = ({ data }) => answers.deliver(data);
  worker.onerror = ({ message }) => answers.fail(new Error(message || 'the worker did not load'));
  worker.onmessageerror = () => answers.fail(new Error('an answer could not be read'));
  return {
    post: (request) => worker.postMessage(request, [request.bytes.buffer]),
    next: () => answers.next(),
    terminate: () => worker.terminate(),
  };
}
