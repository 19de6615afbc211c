/** What a run told on its way, out of its log. A log that came in a bundle is believed where it has the form that it should have. */
import type { GramSpectrum } from '../../api';
import type { Live, PlanEvent, Told } from '../run/state';
import { entryOf } from './entries';
import { readFile } from './run-folder';

export const LOG = 'log.json';

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** Numbers out of JSON, which has null for those that are none; undefined where it is something else. */
function numbersOf(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || !value.every((one) => one === null || isNumber(one))) return undefined;
  return value.map((one) => one ?? Number.NaN);
}

const PLAN_NUMBERS = [
  'dispatches',
  'bytesPerStep',
  'flopsPerStep',
  'peakBytes',
  'steps',
  'images',
  'testImages',
];

function planOf(plan: unknown): PlanEvent | undefined {
  const isPlan =
    isObject(plan) && PLAN_NUMBERS.every((name) => isNumber(plan[name])) && Array.isArray(plan.classes);
  return isPlan ? ({ ...plan, classes: strings(plan.classes) } as unknown as PlanEvent) : undefined;
}

const FIGURES = ['divergence', 'cosine', 'effectiveRank'];

function courseOf(course: unknown): Told['course'] {
  if (!isObject(course) || !Array.isArray(course.points) || !Array.isArray(course.grams)) return undefined;
  const isLayer = (layer: unknown) =>
    isObject(layer) && FIGURES.every((name) => layer[name] === null || isNumber(layer[name]));
  const isPoint = (point: unknown) =>
    isObject(point) && isNumber(point.step) && Array.isArray(point.layers) && point.layers.every(isLayer);
  if (!course.points.every(isPoint)) return undefined;
  const grams = course.grams.map(gramOf);
  if (grams.some((gram) => gram === undefined)) return undefined;
  return { points: course.points, grams: grams as [string, GramSpectrum][] };
}

/** The spectra are arrays of numbers again. */
function gramOf(pair: unknown): [string, GramSpectrum] | undefined {
  if (!Array.isArray(pair) || typeof pair[0] !== 'string' || !isObject(pair[1])) return undefined;
  const [name, gram] = pair;
  const eigenvalues = numbersOf(gram.eigenvalues);
  const eigenkernels = gram.eigenkernels === undefined ? undefined : numbersOf(gram.eigenkernels);
  const isWhole = ['mapKernel', 'groups', 'measured', 'directions'].every((key) => isNumber(gram[key]));
  if (!isWhole || !eigenvalues || (gram.eigenkernels !== undefined && !eigenkernels)) return undefined;
  return [
    name,
    {
      ...gram,
      eigenvalues: Float64Array.from(eigenvalues),
      eigenkernels: eigenkernels && Float64Array.from(eigenkernels),
    } as GramSpectrum,
  ];
}

type WrittenImage = Omit<Live['images'][number], 'pixels'> & { pixels: string };

/** The pictures are bytes again. */
function liveOf(live: (Omit<Live, 'images'> & { images: WrittenImage[] }) | undefined): Live | undefined {
  if (!live) return undefined;
  const images = live.images.map((image) => ({
    ...image,
    pixels: Uint8Array.from(atob(image.pixels), (byte) => byte.charCodeAt(0)),
  }));
  return { ...live, images };
}

export async function readTold(id: string): Promise<Told> {
  const file = await readFile(id, LOG);
  const none = { notes: [], warnings: [], imageReports: [] };
  if (!file) return none;
  try {
    const { imageReports, live, ...log } = JSON.parse(await file.text());
    // forms of many parts: of this browser's own runs alone
    const isOwn = entryOf(id)?.isImported !== true;
    return {
      notes: strings(log.notes),
      warnings: strings(log.warnings),
      plan: planOf(log.plan),
      course: courseOf(log.course),
      stepTimes: numbersOf(log.stepTimes),
      imagesPerSecond: isNumber(log.imagesPerSecond) ? log.imagesPerSecond : undefined,
      imageReports: (isOwn && imageReports) || [],
      live: isOwn ? liveOf(live) : undefined,
    };
  } catch {
    return none;
  }
}
