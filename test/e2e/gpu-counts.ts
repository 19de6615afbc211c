/** What an engine's worker asks of its device, counted in the worker: a script that runs before the engine's, and what it tells. */
import type { Page } from 'playwright-core';

export interface GpuCounts {
  /** that are there: made, and not destroyed */
  buffers: number;
  /** of them */
  bytes: number;
  /** since the worker began */
  dispatches: number;
  submits: number;
  reads: number;
  readBytes: number;
}

const CHANNEL = 'gpu-counts';

export const COUNT_SCRIPT = `{
  const counts = { buffers: 0, bytes: 0, dispatches: 0, submits: 0, reads: 0, readBytes: 0 };
  const before = (type, name, work) => {
    const own = type.prototype[name];
    type.prototype[name] = function (...given) {
      const result = own.apply(this, given);
      work(this, result);
      return result;
    };
  };
  const alive = new WeakSet();
  before(GPUDevice, 'createBuffer', (_, buffer) => {
    alive.add(buffer);
    counts.buffers++;
    counts.bytes += buffer.size;
  });
  before(GPUBuffer, 'destroy', (buffer) => {
    if (!alive.delete(buffer)) return;
    counts.buffers--;
    counts.bytes -= buffer.size;
  });
  before(GPUBuffer, 'mapAsync', (buffer) => {
    counts.reads++;
    counts.readBytes += buffer.size;
  });
  before(GPUComputePassEncoder, 'dispatchWorkgroups', () => counts.dispatches++);
  before(GPUQueue, 'submit', () => counts.submits++);
  const channel = new BroadcastChannel('${CHANNEL}');
  channel.onmessage = ({ data }) => data === 'tell' && channel.postMessage({ ...counts });
}
`;

/** The counts of the page's engine so far. */
export const countsOf = (page: Page): Promise<GpuCounts> =>
  page.evaluate(
    (name) =>
      new Promise<GpuCounts>((resolve) => {
        const channel = new BroadcastChannel(name);
        channel.onmessage = ({ data }) => {
          if (data === 'tell') return;
          channel.close();
          resolve(data);
        };
        channel.postMessage('tell');
      }),
    CHANNEL,
  );
