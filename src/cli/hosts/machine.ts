/** What finding and installing a browser asks of the machine; tests hand in another. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  isRoot: boolean;
  exists(path: string): boolean;
  /** Runs a program to its end, at most `timeout` milliseconds; undefined where it ended well, else why not. */
  run(program: string, args: string[], timeout: number): Promise<string | undefined>;
  /** whether an address answers at all, within seconds */
  reaches(url: string): Promise<boolean>;
  /** whether a Vulkan driver is registered, which Firefox needs on Linux */
  hasVulkan(): Promise<boolean>;
}

export const thisMachine: Machine = {
  env: process.env,
  isRoot: process.getuid?.() === 0,
  exists: existsSync,
  run,
  async reaches(url) {
    try {
      await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
      return true;
    } catch {
      return false;
    }
  },
  async hasVulkan() {
    if (process.platform !== 'linux' || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES)
      return true;
    const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
    const drivers = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
    return drivers.flat().length > 0;
  },
};

function run(program: string, args: string[], timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // a package that asks questions would wait for an answer that nobody gives
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = execFile(program, args, { env, timeout, maxBuffer: 2 ** 26 }, (error, _, stderr) => {
      clearTimeout(deadline);
      if (!error) return resolve(undefined);
      if (error.killed) return resolve(`it took longer than ${timeout / 1000} s`);
      resolve(stderr.trim().split('\n').at(-1) || error.message.split('\n')[0]);
    });
    // what does not end when asked to
    const deadline = setTimeout(() => child.kill('SIGKILL'), timeout + 10_000);
    child.stdin?.end();
  });
}
