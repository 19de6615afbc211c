/**
 * A GPU with little memory: a script that runs before the engine's, in its worker. A software adapter gives what the machine has, so
 * that no test of its size comes to an end of it; the errors and limits that a small device has are those of WebGPU, given earlier.
 */

export interface SmallGpu {
  /** that all buffers together may take; what would take more fails as out of memory */
  total?: number;
  /** bytes of the largest buffer, as the device's limits say */
  largest?: number;
}

export const smallGpu = ({ total = Infinity, largest = Infinity }: SmallGpu): string => `{
  const alive = new WeakMap();
  let taken = 0;
  // what was refused since each scope was opened
  const scopes = [];
  const around = (type, name, work) => {
    const own = type.prototype[name];
    type.prototype[name] = function (...given) {
      return work(() => own.apply(this, given), this, ...given);
    };
  };
  around(GPUDevice, 'pushErrorScope', (push, _, filter) => {
    scopes.push({ filter, refused: undefined });
    push();
  });
  around(GPUDevice, 'popErrorScope', async (pop) => {
    const { refused } = scopes.pop();
    return (await pop()) ?? (refused ? new GPUOutOfMemoryError(refused) : null);
  });
  around(GPUDevice, 'createBuffer', (create, _, { label, size }) => {
    const buffer = create();
    const scope = scopes.findLast(({ filter }) => filter === 'out-of-memory');
    // what no scope listens to is small
    if (scope && taken + size > ${total}) {
      scope.refused ??= 'no room for ' + label;
      return buffer;
    }
    taken += size;
    alive.set(buffer, size);
    return buffer;
  });
  around(GPUBuffer, 'destroy', (destroy, buffer) => {
    taken -= alive.get(buffer) ?? 0;
    alive.delete(buffer);
    destroy();
  });
  const limits = Object.getOwnPropertyDescriptor(GPUDevice.prototype, 'limits').get;
  Object.defineProperty(GPUDevice.prototype, 'limits', {
    get() {
      const own = limits.call(this);
      return new Proxy(own, {
        get: (_, name) => name === 'maxBufferSize' ? Math.min(own[name], ${largest}) : own[name],
      });
    },
  });
}
`;
