/** A teacher's lesson: a task, and the panels that are not needed for it; all of it in the address. */

export interface Lesson {
  /** the task, as text; empty where there is none */
  task: string;
  /** panels that are not shown */
  hide: readonly PanelName[];
}

export const noLesson: Lesson = { task: '', hide: [] };

export type PanelName =
  | 'input'
  | 'settings'
  | 'curves'
  | 'results'
  | 'try'
  | 'runs'
  | 'experiment'
  | 'network'
  | 'redundancy'
  | 'analysis'
  | 'profile'
  | 'explain';

/** What a lesson can do without: how it is called, and where it stands. Start, Pause and Stop always stay. */
export const panels: Readonly<Record<PanelName, { label: string; selector: string }>> = {
  input: { label: 'Network and images', selector: '#step-1' },
  settings: { label: 'Settings of the training', selector: '#step-2 > fieldset' },
  curves: { label: 'Curves', selector: '#step-2 .curves' },
  results: { label: 'Results', selector: '#step-3' },
  try: { label: 'Try your own image', selector: '#step-3 .try' },
  runs: { label: 'Runs, kept in this browser', selector: '#runs, .all-runs' },
  experiment: { label: 'Experiments', selector: '#experiment' },
  network: { label: 'Layers of the network', selector: '#network' },
  redundancy: { label: 'Channel redundancy', selector: '#redundancy' },
  analysis: { label: 'Looking into networks', selector: '#analysis' },
  profile: { label: 'Where the time goes', selector: '.panel.profile' },
  explain: { label: 'How it works', selector: '.panel.explain' },
};

const isPanel = (name: string): name is PanelName => Object.hasOwn(panels, name);

/** Whether there is a task or something hidden: whoever sees it is taught. */
export const isLesson = ({ task, hide }: Lesson): boolean => task !== '' || hide.length > 0;

/** A lesson's part of the hash. */
export function lessonParameters({ task, hide }: Lesson): [name: string, value: string][] {
  const parameters: [string, string][] = [];
  if (task !== '') parameters.push(['task', task]);
  if (hide.length > 0) parameters.push(['hide', hide.join(',')]);
  return parameters;
}

/** Reads one name of the hash into a lesson. @returns panels that there are not; undefined where the name is none of its own */
export function readLesson(
  lesson: Lesson,
  name: string,
  value: string,
): { lesson: Lesson; unknown: string[] } | undefined {
  if (name === 'task') return { lesson: { ...lesson, task: value }, unknown: [] };
  if (name !== 'hide') return undefined;
  const names = value.split(',').filter((panel) => panel !== '');
  const hide = [...new Set(names.filter(isPanel))];
  return { lesson: { ...lesson, hide }, unknown: names.filter((panel) => !isPanel(panel)) };
}

/** Style rules that hide those panels. */
export const hidingRules = (hide: readonly PanelName[]): string =>
  hide.map((name) => `${panels[name].selector} { display: none !important; }`).join('\n');
