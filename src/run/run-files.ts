/**
 * The files that keep a run, and how they are read again. A folder of the command line, a bundle and the page's storage hold the
 * same: `report.json`, `config.json`, `metrics.jsonl`, predictions, redundancy, and the weights beside them.
 */
import type { ParseResult, Parser } from 'papaparse';
import * as v from 'valibot';
import type { Prediction } from '../analysis/class-figures';
import { drawnOf, type LayerRedundancy } from '../analysis/redundancy';
import { UserError } from '../errors';
import { bytesOf } from '../io/blob';
import { readSafetensors, writeSafetensors } from '../io/safetensors';
import type { EvalPoint, StepPoint } from '../train/metrics';
import type { TrainEvent } from './job';
import { PICTURES_FILE, type Pictures, readPictures } from './pictures';
import type { Report, TestPredictions } from './report';
import { parseReport } from './report-schema';

/** Redundancy of a network's spatial convolutions before and after a run. */
export interface RunRedundancy {
  before: LayerRedundancy[];
  after: LayerRedundancy[];
}

/** An evaluation, and of which network it is. */
export interface NamedEval {
  which: 'base' | 'epoch' | 'last' | 'best';
  point: EvalPoint;
}

/** What is known of a run besides its weights. */
export interface KeptRun {
  /** absent: the run has not come to an end */
  report?: Report;
  metrics: StepPoint[];
  evals: NamedEval[];
  predictions: TestPredictions;
  redundancy: RunRedundancy;
  /** of a network for another task than classification */
  pictures?: Pictures;
}

/** Which file holds the predictions of which network. */
export const PREDICTION_FILES = {
  base: 'base-predictions.csv',
  last: 'predictions.csv',
  best: 'best-predictions.csv',
} as const satisfies Record<keyof TestPredictions, string>;

export const REDUNDANCY_FILE = 'redundancy.safetensors';

/** The report that people read. */
export const REPORT_PAGE = 'report.html';

/** The file names of a run's bundle, folder or storage, without weights. */
export const RUN_FILES = {
  config: 'config.json',
  report: 'report.json',
  metrics: 'metrics.jsonl',
} as const;

/** What `metrics.jsonl` has of an event: a line a step, a line an evaluation; after `resumed` all lines again. */
export function metricsLines(event: TrainEvent): string[] {
  const line = (value: unknown) => `${JSON.stringify(value)}\n`;
  if (event.type === 'steps') return event.points.map(line);
  if (event.type === 'resumed') {
    const steps = event.points.map((point) => ({ at: point.step, text: line(point) }));
    const evals = event.evals.map((point) => ({ at: point.step, text: line({ eval: 'epoch', ...point }) }));
    // each evaluation behind its step
    return [...steps, ...evals].sort((a, b) => a.at - b.at).map(({ text }) => text);
  }
  return event.type === 'eval' ? [line({ eval: event.which, ...event.point })] : [];
}

const figures = { step: v.number(), epoch: v.number(), loss: v.nullable(v.number()), accuracy: v.number() };
const stepSchema = v.object({ ...figures, lr: v.number() });
const evalSchema = v.object({ ...figures, eval: v.picklist(['base', 'epoch', 'last', 'best']) });

/** Bytes of a text that is read whole. */
const MAX_TEXT = 2 ** 28;

async function textOf(blob: Blob, file: string): Promise<string> {
  if (blob.size > MAX_TEXT) throw new UserError(`${file} is too large for a file of a run.`);
  return blob.text();
}

/**
 * The curves out of `metrics.jsonl`. A last line that is cut off, as a killed process leaves it, is left out.
 * @throws UserError on a line that is no step and no evaluation
 */
export function readMetrics(text: string, file: string): Pick<KeptRun, 'metrics' | 'evals'> {
  const metrics: StepPoint[] = [];
  const evals: NamedEval[] = [];
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || i === lines.length - 1) continue;
    const value = jsonOf(line);
    const step = v.safeParse(stepSchema, value);
    if (step.success) {
      metrics.push(finite(step.output));
      continue;
    }
    const told = v.safeParse(evalSchema, value);
    if (!told.success) throw new UserError(`Line ${i + 1} of ${file} is no step and no evaluation of a run.`);
    const { eval: which, ...point } = told.output;
    evals.push({ which, point: finite(point) });
  }
  return { metrics, evals };
}

/** A loss that is no number is null in JSON. */
const finite = <T extends { loss: number | null }>(point: T): T & { loss: number } => ({
  ...point,
  loss: point.loss ?? Number.NaN,
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Characters of a table that are read at once: a page answers in between. */
const AT_ONCE = 2 ** 17;

/**
 * Predictions out of their table.
 * @throws UserError where it is no such table
 */
export async function readPredictions(text: string, file: string): Promise<Prediction[]> {
  const { default: Papa } = await import('papaparse');
  const data: string[][] = [];
  await new Promise<void>((resolve, reject) =>
    Papa.parse<string[]>(text, {
      skipEmptyLines: true,
      chunkSize: AT_ONCE,
      chunk(found: ParseResult<string[]>, parser: Parser) {
        for (const row of found.data) data.push(row);
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => resolve(),
      error: reject,
    }),
  );
  const [header, ...rows] = data;
  if (header?.slice(0, 4).join() !== 'image,label,predicted,probability')
    throw new UserError(`${file} is no table of a run's predictions.`);
  return rows.map(([image, label = '', predicted = '', probability], i) => ({
    // an image without a file of its own is named by its place
    image: image === String(i) ? i : image,
    label,
    predicted,
    probability: Number(probability),
  }));
}

/** Both sides of a run's redundancy as one file; weights of the drawn kernels are halves, three digits of them. */
export function redundancyFile(redundancy: RunRedundancy): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, { shape: number[]; data: Float32Array<ArrayBuffer>; dtype: 'F16' }>();
  const layers = { before: [] as object[], after: [] as object[] };
  for (const side of ['before', 'after'] as const) {
    for (const { kernels, drawn, skeleton, ...layer } of redundancy[side]) {
      const shape = [drawn.length, ...layer.shape.slice(2)];
      const data = Float32Array.from(kernels);
      tensors.set(`${side}.${layers[side].length}`, { shape, data, dtype: 'F16' });
      layers[side].push({ ...layer, skeleton: [...skeleton] });
    }
  }
  return writeSafetensors(tensors, new Map([['layers', JSON.stringify(layers)]]));
}

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
/** What is not finite is null in JSON. */
const figure = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
);
const layerSchema = v.object({
  name: v.string(),
  shape: v.tuple([size, size, size, size]),
  planes: size,
  divergence: figure,
  cosine: figure,
  effectiveRank: figure,
  skeleton: v.array(figure),
});
const layersSchema = v.object({ before: v.array(layerSchema), after: v.array(layerSchema) });

/** @throws UserError where it is no such file */
export async function readRedundancy(blob: Blob, file: string): Promise<RunRedundancy> {
  const { tensors, metadata } = readSafetensors(await bytesOf(blob), file);
  const parsed = v.safeParse(layersSchema, jsonOf(metadata.get('layers') ?? ''));
  if (!parsed.success) throw new UserError(`${file} is no file of a run's redundancy.`);
  const side = (name: 'before' | 'after') =>
    parsed.output[name].map((layer, i): LayerRedundancy => {
      const { shape, planes, skeleton } = layer;
      const kernels = tensors.get(`${name}.${i}`)?.data;
      const taps = shape[2] * shape[3];
      const drawn = shape[0] * shape[1] === planes ? drawnOf(shape) : undefined;
      const fits = drawn && skeleton.length === taps && kernels?.length === drawn.length * taps;
      if (!fits || !(kernels instanceof Float32Array))
        throw new UserError(`${file} is no file of a run's redundancy (${name} of layer ${i + 1}).`);
      return { ...layer, drawn, kernels, skeleton: Float64Array.from(skeleton) };
    });
  return { before: side('before'), after: side('after') };
}

/** Gives a file of a run by its name; undefined where it is not there. */
export type OpenRunFile = (name: string) => Promise<Blob | undefined>;

/**
 * Reads what is known of a run. What a run that has not ended lacks is empty.
 * @throws UserError that names the file that is not what it should be
 */
export async function readRun(open: OpenRunFile): Promise<KeptRun> {
  const text = async (name: string) => {
    const blob = await open(name);
    return blob && textOf(blob, name);
  };
  const predictions: TestPredictions = {};
  for (const [which, name] of Object.entries(PREDICTION_FILES) as [keyof TestPredictions, string][]) {
    const table = await text(name);
    if (table !== undefined) predictions[which] = await readPredictions(table, name);
  }
  const report = await text(RUN_FILES.report);
  const redundancy = await open(REDUNDANCY_FILE);
  const pictures = await text(PICTURES_FILE);
  return {
    report: report === undefined ? undefined : parseReport(report, RUN_FILES.report),
    ...readMetrics((await text(RUN_FILES.metrics)) ?? '', RUN_FILES.metrics),
    predictions,
    ...(pictures !== undefined && { pictures: readPictures(pictures, PICTURES_FILE) }),
    redundancy: redundancy ? await readRedundancy(redundancy, REDUNDANCY_FILE) : { before: [], after: [] },
  };
}
