import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { ensureChromium, ensureFirefox, workingChromium } from '../../../src/cli/hosts/browsers';
import { type Machine, thisMachine } from '../../../src/cli/hosts/machine';
import { UserError } from '../../../src/errors';

const PLAYWRIGHTS = chromium.executablePath();
const DEBIANS = '/usr/bin/chromium';

interface Bare {
  isRoot?: boolean;
  /** whether Playwright's host answers */
  online?: boolean;
  /** programs that are there at first; those named `broken` do not start */
  programs?: string[];
  broken?: string[];
  /** what goes wrong with commands that match */
  problems?: [command: RegExp, problem: string][];
  env?: Machine['env'];
}

/** A machine on which installing works, with a record of the commands that changed it. */
function bare({ isRoot = true, online = true, programs = [], broken = [], problems = [], env }: Bare) {
  const installed = new Set(programs);
  const commands: string[] = [];
  const notes: string[] = [];
  const machine: Machine = {
    env: { PATH: '/usr/bin', ...env },
    isRoot,
    exists: (path) => installed.has(path),
    async run(program, args) {
      if (args[0] === '--version')
        return program === 'apt-get' || (installed.has(program) && !broken.includes(program))
          ? undefined
          : 'libnss3.so: cannot open shared object file';
      const command = [program, ...args].join(' ');
      commands.push(command);
      const problem = problems.find(([pattern]) => pattern.test(command))?.[1];
      if (problem !== undefined) return problem;
      if (command.includes('cli.js install')) installed.add(PLAYWRIGHTS);
      if (/apt-get .*install .*chromium$/.test(command)) installed.add(DEBIANS);
      if (/apt-get .*install .*firefox-esr/.test(command)) installed.add('/usr/bin/firefox-esr');
      return undefined;
    },
    reaches: async () => online,
    hasVulkan: async () => commands.some((command) => command.includes('mesa-vulkan-drivers')),
  };
  return { machine, commands, notes, note: (line: string) => notes.push(line) };
}

const refusal = (found: Promise<string>): Promise<string> =>
  found.then(
    (path) => expect.fail(`found ${path}`),
    (error: unknown) => {
      expect(error).toBeInstanceOf(UserError);
      return (error as Error).message;
    },
  );

describe('Chromium', () => {
  test('one that is there is taken as it is', async () => {
    const { machine, commands, note } = bare({ programs: [DEBIANS] });
    expect(await ensureChromium(note, machine)).toBe(DEBIANS);
    expect(commands).toEqual([]);
  });

  test('one that does not start is passed over for one that does', async () => {
    const { machine } = bare({ programs: [PLAYWRIGHTS, DEBIANS], broken: [PLAYWRIGHTS] });
    expect(await workingChromium(machine)).toBe(DEBIANS);
  });

  test("none: Playwright's is downloaded", async () => {
    const { machine, commands, notes, note } = bare({});
    expect(await ensureChromium(note, machine)).toBe(PLAYWRIGHTS);
    expect(commands).toEqual([expect.stringMatching(/cli\.js install --no-shell chromium$/)]);
    expect(notes).toEqual([expect.stringMatching(/^Downloading/)]);
  });

  test("Playwright's lacks its libraries: Debian's is installed and found beside it", async () => {
    const { machine, commands, notes, note } = bare({ broken: [PLAYWRIGHTS] });
    expect(await ensureChromium(note, machine)).toBe(DEBIANS);
    expect(commands.slice(1).map((command) => command.replace(/ -o \S+/, ''))).toEqual([
      'apt-get update',
      'apt-get install -y --no-install-recommends chromium',
    ]);
    expect(notes).toContain(
      "Playwright's Chromium does not start: libnss3.so: cannot open shared object file",
    );
  });

  test("Playwright's host does not answer: Debian's at once", async () => {
    const { machine, commands, note } = bare({ online: false });
    expect(await ensureChromium(note, machine)).toBe(DEBIANS);
    expect(commands.every((command) => command.startsWith('apt-get'))).toBe(true);
  });

  test('neither works: the problems are noted, and a sentence says what to do', async () => {
    const { machine, notes, note } = bare({
      problems: [
        [/cli\.js/, 'it took longer than 300 s'],
        [/apt-get .*install/, 'E: Unable to locate package chromium'],
      ],
    });
    expect(await refusal(ensureChromium(note, machine))).toMatch(/^No Chromium was found: install one/);
    expect(notes).toContain('The download failed: it took longer than 300 s');
    expect(notes.at(-1)).toBe('apt-get install failed: E: Unable to locate package chromium');
  });

  test('nobody but root installs', async () => {
    const { machine, commands, note } = bare({ isRoot: false, online: false });
    expect(await refusal(ensureChromium(note, machine))).toContain('apt-get install chromium');
    expect(commands).toEqual([]);
  });

  test('a wrong CHROMIUM is named; nothing is installed over it', async () => {
    const { machine, commands, note } = bare({ programs: [DEBIANS], env: { CHROMIUM: '/opt/none' } });
    const message = '/opt/none (CHROMIUM) does not start; name another browser or unset CHROMIUM.';
    expect(await refusal(ensureChromium(note, machine))).toBe(message);
    expect(commands).toEqual([]);
  });
});

describe('Firefox', () => {
  test('none: Debian brings it with a Vulkan driver', async () => {
    const { machine, commands, note } = bare({});
    expect(await ensureFirefox(note, machine)).toBe('/usr/bin/firefox-esr');
    expect(commands.at(-1)).toMatch(/ firefox-esr mesa-vulkan-drivers$/);
  });

  test('one without a driver gets it; one that cannot get it is tried all the same', async () => {
    const programs = ['/usr/bin/firefox'];
    const root = bare({ programs });
    expect(await ensureFirefox(root.note, root.machine)).toBe('/usr/bin/firefox');
    expect(root.commands).toHaveLength(2);
    const user = bare({ programs, isRoot: false });
    expect(await ensureFirefox(user.note, user.machine)).toBe('/usr/bin/firefox');
    expect(user.commands).toEqual([]);
  });

  test('a wrong FIREFOX is named; without root a sentence says what to install', async () => {
    const wrong = bare({ env: { FIREFOX: '/opt/none' } });
    expect(await refusal(ensureFirefox(wrong.note, wrong.machine))).toMatch(/^\/opt\/none \(FIREFOX\)/);
    expect(wrong.commands).toEqual([]);
    const user = bare({ isRoot: false });
    expect(await refusal(ensureFirefox(user.note, user.machine))).toContain(
      'firefox-esr mesa-vulkan-drivers',
    );
  });
});

test('a command ends well, with the last line of its complaints, or at its limit', async () => {
  const node = (script: string, timeout = 30_000) =>
    thisMachine.run(process.execPath, ['-e', script], timeout);
  // its input is at its end: a question finds no answer, and does not wait for one
  expect(await node('process.stdin.resume()')).toBeUndefined();
  expect(await node("console.error('one\\ntwo'); process.exit(3)")).toBe('two');
  expect(await node('setInterval(() => {}, 1000)', 200)).toBe('it took longer than 0.2 s');
  expect(await thisMachine.run('/no/such/program', [], 1000)).toMatch(/ENOENT/);
});
