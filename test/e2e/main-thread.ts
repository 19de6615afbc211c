/** What a page's main thread did for long, read from a trace of Chromium's. */
import type { Page } from 'playwright-core';

/** Milliseconds above which a task is a long one, by the definition of the Long Tasks API. */
export const LONG = 50;

export interface Task {
  /** from its begin to its end, the turns of others on the processor among it */
  wallMs: number;
  /** that the thread itself ran: what a busy machine does not change */
  cpuMs: number;
  /** functions that the profiler met most often in it, and parts of rendering, most often first, with their milliseconds */
  causes: string[];
}

/** Milliseconds of its own above which a task is told with its causes. */
const TOLD = 15;
/** Causes that are told, where there is a profile. */
const CAUSES = 6;

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  id?: string;
  /** microseconds */
  ts: number;
  dur?: number;
  /** microseconds of the thread's own */
  tdur?: number;
  args: { name?: string; data?: ProfileData };
}

interface ProfileData {
  startTime?: number;
  timeDeltas?: number[];
  cpuProfile?: { nodes?: ProfileNode[]; samples?: number[] };
}

interface ProfileNode {
  id: number;
  parent?: number;
  callFrame: { functionName: string };
}

const CATEGORIES = ['disabled-by-default-devtools.timeline'];
const CAUSE_CATEGORIES = ['disabled-by-default-v8.cpu_profiler', 'devtools.timeline'];
/** what the browser does with a document, beside scripts */
const RENDERING = ['UpdateLayoutTree', 'Layout', 'PrePaint', 'Paint', 'Layerize', 'ParseHTML'];
const READ = new Set(['RunTask', 'thread_name', 'Profile', 'ProfileChunk', ...RENDERING]);

/**
 * Does something with a page.
 * @param isProfiled the tasks have causes; a profile takes ten times the memory, and time of its own
 * @returns the tasks of its main thread that took long, the longest first, by its own time
 */
export async function tasksOf(page: Page, work: () => Promise<void>, isProfiled = false): Promise<Task[]> {
  const cdp = await page.context().browser()!.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  const isRead = ({ name }: TraceEvent) => READ.has(name);
  cdp.on('Tracing.dataCollected', ({ value }: { value: unknown[] }) =>
    events.push(...(value as TraceEvent[]).filter(isRead)),
  );
  const isComplete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  const includedCategories = isProfiled ? [...CATEGORIES, ...CAUSE_CATEGORIES] : CATEGORIES;
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories, excludedCategories: ['*'] },
  });
  try {
    await work();
  } finally {
    // the next trace cannot begin before
    await cdp.send('Tracing.end');
    await isComplete;
    await cdp.detach();
  }
  return readTrace(events);
}

function readTrace(events: readonly TraceEvent[]): Task[] {
  const threads = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = events.filter(
    ({ name, pid, tid, dur = 0, tdur = 0 }) =>
      name === 'RunTask' &&
      threads.has(`${pid} ${tid}`) &&
      (Math.min(dur, tdur) > 1000 * TOLD || dur > 1000 * LONG),
  );
  const samples = samplesOf(events, threads);
  const rendering = events
    .filter(({ name }) => RENDERING.includes(name))
    .map(({ name, pid, ts, tdur = 0 }) => ({ pid, ts, length: tdur, stack: [name] }));
  return tasks
    .map(({ pid, ts, dur = 0, tdur = 0 }) => ({
      wallMs: dur / 1000,
      // the two clocks are not read at the same moment
      cpuMs: Math.min(dur, tdur) / 1000,
      causes: causesOf(
        [...(samples.get(pid) ?? []), ...rendering.filter((one) => one.pid === pid)],
        ts,
        ts + dur,
      ),
    }))
    .sort((a, b) => b.cpuMs - a.cpuMs);
}

/** A moment at which the profiler looked. */
interface Sample {
  ts: number;
  /** microseconds since the one before */
  length: number;
  /** from the outermost function to the one that ran */
  stack: string[];
}

/** What the profiler saw of the main threads, by process. */
function samplesOf(events: readonly TraceEvent[], threads: ReadonlySet<string>): Map<number, Sample[]> {
  const profiles = new Map<string, { nodes: Map<number, ProfileNode>; ts: number }>();
  const all = new Map<number, Sample[]>();
  for (const { name, pid, tid, id, args } of events) {
    const key = `${pid} ${id}`;
    if (name === 'Profile' && threads.has(`${pid} ${tid}`))
      profiles.set(key, { nodes: new Map(), ts: args.data?.startTime ?? 0 });
    const profile = profiles.get(key);
    if (name !== 'ProfileChunk' || !profile) continue;
    const { cpuProfile: { nodes = [], samples = [] } = {}, timeDeltas = [] } = args.data ?? {};
    for (const node of nodes) profile.nodes.set(node.id, node);
    const own = all.get(pid) ?? [];
    all.set(pid, own);
    for (const [i, node] of samples.entries()) {
      profile.ts += timeDeltas[i];
      own.push({ ts: profile.ts, length: timeDeltas[i], stack: stackOf(node, profile.nodes) });
    }
  }
  return all;
}

function stackOf(leaf: number, nodes: ReadonlyMap<number, ProfileNode>): string[] {
  const stack: string[] = [];
  for (
    let node = nodes.get(leaf);
    node;
    node = node.parent === undefined ? undefined : nodes.get(node.parent)
  )
    if (node.callFrame.functionName !== '(root)') stack.unshift(node.callFrame.functionName || '(anonymous)');
  return stack;
}

function causesOf(samples: readonly Sample[], from: number, to: number): string[] {
  const times = new Map<string, number>();
  for (const { ts, length, stack } of samples) {
    if (ts < from || ts > to) continue;
    for (const name of new Set(stack)) times.set(name, (times.get(name) ?? 0) + length / 1000);
  }
  return [...times]
    .filter(([name]) => name !== '(program)' && name !== '(idle)')
    .sort(([, a], [, b]) => b - a)
    .slice(0, CAUSES)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
}

export const wordsOf = (tasks: readonly Task[]): string =>
  tasks
    .slice(0, 3)
    .map(
      ({ cpuMs, wallMs, causes }) =>
        `${cpuMs.toFixed(0)} ms (${wallMs.toFixed(0)} by the clock)${causes.length > 0 ? ` ${causes.join(', ')}` : ''}`,
    )
    .join('; ') || 'no long task';
