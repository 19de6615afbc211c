/** What a run has come to between two steps, and the file that keeps it: safetensors, with a checksum over everything in it. */
import * as v from 'valibot';
import { UserError } from '../errors';
import { readSafetensors, writeSafetensors } from '../io/safetensors';
import { fingerprint, sha256 } from '../io/sha256';
import type { StateTensor } from '../io/tensor';
import type { EvalPoint, StepPoint } from './metrics';
import type { Schedule } from './schedule';

type Floats = Float32Array<ArrayBuffer>;

/** Whole arenas by name, as they lie in memory. */
export type Arenas = ReadonlyMap<string, Floats>;

/** A network that a run keeps: parameters and state, and its figures on the test images. */
export interface KeptArenas {
  arenas: Arenas;
  point: EvalPoint;
}

/** Everything that the steps so far have come to: a run that goes on from it takes the steps that this one would have taken. */
export interface TrainingState {
  /** steps taken; at the end of an epoch it has been evaluated */
  step: number;
  phase: { part: 'all' | 'head'; start: number };
  schedule: Schedule;
  points: StepPoint[];
  evals: EvalPoint[];
  /** milliseconds, as they were measured */
  stepTimes: number[];
  /** evaluations since the best */
  waited: number;
  watch: WatchState;
  now: Arenas;
  best?: KeptArenas;
  last?: KeptArenas;
}

/** What the divergence watch has seen. */
export interface WatchState {
  start: { steps: number; loss: number; accuracy: number };
  epoch: { steps: number; accuracy: number };
  recent: number[];
  bestEpoch: number;
}

const CHECKSUM = 'sha256';
/** The tensor that holds all that is no tensor, as JSON. */
const PROGRESS = 'progress';
/** Changes with what a file means. */
const FORMAT = 1;

const at = { step: v.number(), epoch: v.number() };
const measured = { loss: v.number(), accuracy: v.number() };
const figures = { ...at, ...measured };
const numbers = v.array(v.number());
const progressSchema = v.object({
  step: v.pipe(v.number(), v.integer(), v.minValue(0)),
  phase: v.object({ part: v.picklist(['all', 'head']), start: v.number() }),
  schedule: v.custom<Schedule>((value) => typeof (value as Schedule | null)?.kind === 'string'),
  points: v.array(v.looseObject({ ...at, lr: v.number(), ...measured })),
  evals: v.array(v.looseObject(figures)),
  stepTimes: numbers,
  waited: v.number(),
  watch: v.object({
    start: v.object({ steps: v.number(), loss: v.number(), accuracy: v.number() }),
    epoch: v.object({ steps: v.number(), accuracy: v.number() }),
    recent: numbers,
    bestEpoch: v.number(),
  }),
  kept: v.record(
    v.string(),
    v.object({ point: v.looseObject(figures), arenas: v.record(v.string(), v.string()) }),
  ),
});

/**
 * The file of a checkpoint. Arenas that several of its networks share are in it once: after an epoch the last network is the
 * present one.
 * @param record of the run, JSON
 * @param labels what the file's metadata says to who only looks
 */
export async function encodeCheckpoint(
  { now, best, last, ...progress }: TrainingState,
  record: unknown,
  labels: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, { shape: number[]; data: Floats | Uint8Array<ArrayBuffer> }>();
  const add = (name: string, data: Floats) => void tensors.set(name, { shape: [data.length], data });
  for (const [arena, data] of now) add(`now.${arena}`, data);
  /** where the tensors of each network are */
  const kept: Record<string, { point: EvalPoint; arenas: Record<string, string> }> = {};
  for (const [network, of] of Object.entries({ last, best })) {
    if (!of) continue;
    const arenas: Record<string, string> = {};
    for (const [arena, data] of of.arenas) {
      const same = [...tensors].find(
        ([, known]) => known.data instanceof Float32Array && sameBits(known.data, data),
      );
      arenas[arena] = same?.[0] ?? `${network}.${arena}`;
      if (!same) add(arenas[arena], data);
    }
    kept[network] = { point: of.point, arenas };
  }
  const json = new TextEncoder().encode(JSON.stringify({ format: FORMAT, record, ...progress, kept }));
  tensors.set(PROGRESS, { shape: [json.length], data: json });
  return writeSafetensors(tensors, new Map([[CHECKSUM, await checksum(tensors)], ...Object.entries(labels)]));
}

/** Compares the bits: -0 is not 0 here. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const words = new Uint32Array(b.buffer, b.byteOffset, b.length);
  return new Uint32Array(a.buffer, a.byteOffset, a.length).every((word, i) => word === words[i]);
}

/**
 * Reads the file of a checkpoint.
 * @throws UserError where it is torn, changed or of another version
 */
export async function decodeCheckpoint(
  bytes: Uint8Array,
  file: string,
): Promise<{ state: TrainingState; record: unknown }> {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const json = tensors.get(PROGRESS);
  if (!json || !metadata.has(CHECKSUM)) throw new UserError(`${file} is no checkpoint of a run.`);
  if (metadata.get(CHECKSUM) !== (await checksum(tensors)))
    throw new UserError(`${file} is damaged: its checksum is not that of its contents.`);
  const { format, record, ...rest } = JSON.parse(new TextDecoder().decode(json.data as Uint8Array));
  if (format !== FORMAT)
    throw new UserError(
      `${file} is a checkpoint of format ${format}, this version of Refocus reads ${FORMAT}: go on with the version that wrote it.`,
    );
  const parsed = v.safeParse(progressSchema, rest);
  if (!parsed.success)
    throw new UserError(`${file} is no checkpoint of a run (${v.getDotPath(parsed.issues[0])}).`);
  const { kept, ...progress } = parsed.output;
  const arena = (name: string) => {
    const data = tensors.get(name)?.data;
    if (data instanceof Float32Array) return data;
    throw new UserError(`${file} is no checkpoint of a run (${name}).`);
  };
  const isNow = ([name]: [string, StateTensor]) => name.startsWith('now.');
  const now = new Map([...tensors].filter(isNow).map(([name]) => [name.slice('now.'.length), arena(name)]));
  const { last, best } = Object.fromEntries(
    Object.entries(kept).map(([name, { point, arenas }]) => [
      name,
      { point, arenas: new Map(Object.entries(arenas).map(([key, of]) => [key, arena(of)])) } as KeptArenas,
    ]),
  );
  return { state: { ...progress, now, last, best }, record };
}

/** Of every tensor's name and bytes, hexadecimal. */
async function checksum(tensors: ReadonlyMap<string, Pick<StateTensor, 'data'>>): Promise<string> {
  const lines: string[] = [];
  for (const [name, { data }] of tensors) lines.push(`${await fingerprint(data)}  ${name}\n`);
  return sha256(new TextEncoder().encode(lines.sort().join('')));
}
