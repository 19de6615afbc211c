/** What test/firefox.mjs runs in a browser, one check a call: every shader's compilation, every golden case. */
import { type Gpu, requestGpu } from '../../src/gpu/device';
import { shaderIds } from '../../src/gpu/wgsl';
import { verifyCase } from '../../src/verify';
import { goldenNames, loadGolden } from '../goldens';
import { shaderFaults } from '../shader-rules';

declare global {
  interface Window {
    checks: {
      /** the adapter's name; rejects where there is none */
      adapter(): Promise<string>;
      names(): string[];
      /** what is wrong, nothing where all is well */
      run(name: string): Promise<string>;
    };
  }
}

let device: Promise<Gpu> | undefined;
const gpu = () => {
  device ??= requestGpu();
  return device;
};

async function run(name: string): Promise<string> {
  if (name.startsWith('shader ')) return (await shaderFaults(await gpu(), name.slice(7))).join('; ');
  const line = await verifyCase(await gpu(), name, await loadGolden(name));
  return line.ok ? '' : `error ${line.error}, tolerance ${line.tolerance}; ${line.message}`;
}

window.checks = {
  adapter: async () => (await gpu()).name,
  names: () => [...shaderIds().map((id) => `shader ${id}`), ...goldenNames()],
  async run(name) {
    const fault = await run(name).catch((e) => String(e));
    if (fault && device) {
      // a failed check may have broken the device: the next one gets its own
      (await gpu()).device.destroy();
      device = undefined;
    }
    return fault;
  },
};
