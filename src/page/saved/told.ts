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

/** Test images that are shown live, at most, and the side of their pictures in pixels. */
const MOST_LIVE = 64;
const MOST_SIDE = 512;
const MOST_CLASSES = 100_000;

const isIndex = (value: unknown, end: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

/** Out of base 64; undefined where it is none. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** A test image with its picture, which is bytes again. */
function liveImageOf(image: unknown): Live['images'][number] | undefined {
  if (!isObject(image) || typeof image.pixels !== 'string') return undefined;
  const { side, label, pixels } = image;
  const isNamed = typeof image.image === 'string' || isIndex(image.image, Number.MAX_SAFE_INTEGER);
  if (!isNamed || !isIndex(label, MOST_CLASSES) || !isIndex(side, MOST_SIDE + 1)) return undefined;
  const bytes = bytesOf(pixels);
  if (bytes?.length !== 3 * side * side) return undefined;
  return { image: image.image as string | number, label, side, pixels: bytes };
}

const isPrediction = (prediction: unknown): boolean =>
  isObject(prediction) &&
  isNumber(prediction.probability) &&
  Array.isArray(prediction.top) &&
  prediction.top.every(
    (one) => isObject(one) && isIndex(one.label, MOST_CLASSES) && isNumber(one.probability),
  );

/** The test images as they were looked at; undefined where something is not as it should be. */
function liveOf(live: unknown): Live | undefined {
  if (!isObject(live) || !Array.isArray(live.images) || !Array.isArray(live.looks)) return undefined;
  if (live.images.length > MOST_LIVE) return undefined;
  const images = live.images.map(liveImageOf).filter((image) => image !== undefined);
  const isLook = (look: unknown) =>
    isObject(look) &&
    isNumber(look.step) &&
    Array.isArray(look.predictions) &&
    look.predictions.length === images.length &&
    look.predictions.every(isPrediction);
  if (images.length < live.images.length || !live.looks.every(isLook)) return undefined;
  return { images, looks: live.looks as Live['looks'] };
}

export async function readTold(id: string): Promise<Told> {
  const file = await readFile(id, LOG);
  const none = { notes: [], warnings: [], imageReports: [] };
  if (!file) return none;
  try {
    const { imageReports, live, ...log } = JSON.parse(await file.text());
    // a form of many parts: of this browser's own runs alone
    const isOwn = entryOf(id)?.isImported !== true;
    return {
      notes: strings(log.notes),
      warnings: strings(log.warnings),
      plan: planOf(log.plan),
      course: courseOf(log.course),
      stepTimes: numbersOf(log.stepTimes),
      imagesPerSecond: isNumber(log.imagesPerSecond) ? log.imagesPerSecond : undefined,
      imageReports: (isOwn && imageReports) || [],
      live: liveOf(live),
    };
  } catch {
    return none;
  }
}
