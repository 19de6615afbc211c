/** How a run goes on from its checkpoint: what stands in one beside the numbers, and what must be as it was. */
import { imageBytes, readImages } from '../data/pixels';
import type { LabelledImages, UserFile } from '../data/types';
import { UserError } from '../errors';
import type { Tuning } from '../graph/tuning';
import { bytesOf } from '../io/blob';
import { fingerprint, sha256 } from '../io/sha256';
import type { StateDict } from '../io/tensor';
import { addedEntries } from '../model/added-norms';
import { stepsPerEpoch } from '../train/batches';
import { decodeCheckpoint, encodeCheckpoint, type TrainingState } from '../train/checkpoint';
import { type Extension, extendedSchedule, scaled } from '../train/schedule';
import type { RunSettings, SettingName, TrainSettings } from '../train/settings';
import type { Training } from '../train/training-session';
import { labelsOf } from './checkpoint-file';

/** What a job goes on from. */
export interface Resume {
  /** the generations that there are, in any order: the newest that is whole counts */
  checkpoints: UserFile[];
  /** how the learning rate goes on where the settings name more epochs than the run had; without it they may not */
  extend?: Extension;
  /** a learning rate to go on with, in the place of the run's own: the whole course that is left is scaled to it */
  rate?: number;
}

/** What a run was begun with. */
export interface StartedRun {
  /** when it began, ISO 8601 */
  date: string;
  /** of Refocus */
  version: string;
  adapter: string;
  tuning: Tuning;
  /** as they were asked for, and with every `auto` decided */
  asked: TrainSettings;
  settings: RunSettings;
  classes: string[];
  /** digests of what it trains with, as it was read */
  inputs: Inputs;
}

interface Inputs {
  network: string;
  train: ImagesDigest;
  test: ImagesDigest;
}

interface ImagesDigest {
  images: number;
  height: number;
  width: number;
  sha256: string;
}

/** A run where its newest checkpoint has it. */
export interface SavedRun {
  file: string;
  state: TrainingState;
  run: StartedRun;
}

/**
 * The newest checkpoint that is whole.
 * @param warn hears which others are not
 * @throws UserError where none is
 */
export async function newestCheckpoint(
  files: UserFile[],
  warn: (message: string) => void,
): Promise<SavedRun> {
  const whole: SavedRun[] = [];
  const broken: string[] = [];
  for (const { path, blob } of files) {
    try {
      const { state, record } = await decodeCheckpoint(await bytesOf(blob), path);
      whole.push({ file: path, state, run: record as StartedRun });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.push(error.message);
    }
  }
  const newest = whole.sort((a, b) => b.state.step - a.state.step)[0];
  if (!newest)
    throw new UserError(`No checkpoint can be gone on from: ${broken.join(' ')} Start the run again.`);
  for (const message of broken)
    warn(`${message} The run goes on from ${newest.file}, step ${newest.state.step}.`);
  return newest;
}

/** The file of a checkpoint, with what it says to who only looks. */
export function writeCheckpoint(state: TrainingState, run: StartedRun, stepsPerEpoch: number) {
  const epoch = Math.floor((100 * state.step) / stepsPerEpoch) / 100;
  const label = { date: run.date, step: state.step, epoch, epochs: run.settings.epochs };
  return encodeCheckpoint(state, run, labelsOf(label));
}

/** Settings that a run may be gone on with differently: they have no say in its numbers. */
const FREE: readonly SettingName[] = ['checkpointMinutes', 'format', 'unmerged'];

/**
 * The settings that a run goes on with: its own, and more epochs where that is asked for.
 * @throws UserError that names what differs
 */
export function settingsToGoOn(
  { run, file }: SavedRun,
  asked: TrainSettings,
  { extend, rate }: Pick<Resume, 'extend' | 'rate'> = {},
): RunSettings {
  const differing = (Object.keys(run.asked) as SettingName[]).filter(
    (name) => name !== 'epochs' && !FREE.includes(name) && text(asked[name]) !== text(run.asked[name]),
  );
  if (differing.length > 0) {
    const said = differing.map((name) => `${name} (${text(run.asked[name])}, not ${text(asked[name])})`);
    throw new UserError(
      `The run of ${file} was begun with other settings: ${said.join(', ')}. Go on with its own.`,
    );
  }
  const { epochs } = asked;
  const had = run.settings.epochs;
  if (epochs < had)
    throw new UserError(`The run of ${file} has ${had} epochs, it cannot go on to ${epochs}.`);
  if (epochs > had && !extend)
    throw new UserError(
      `The run of ${file} was to have ${had} epochs: for ${epochs} say how the learning rate goes on, stretch (as if it had been to have them from the start) or restart (from the highest rate again, over those that are left).`,
    );
  const free = Object.fromEntries(FREE.map((name) => [name, asked[name]]));
  return { ...run.settings, ...free, epochs, lr: rate ?? run.settings.lr };
}

const text = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

/** Where a run goes on from, with the schedule of all its epochs: another one where they have become more. */
export function stateToGoOn(
  { run, state: kept }: SavedRun,
  training: Training,
  how?: Extension,
): TrainingState {
  const { settings } = training;
  const state = { ...kept, schedule: scaled(kept.schedule, settings.lr / run.settings.lr) };
  if (settings.epochs === run.settings.epochs || !how) return state;
  const schedule = extendedSchedule(settings, stepsPerEpoch(training), { step: state.step, how });
  return { ...state, schedule, waited: 0 };
}

/** Digests of what a run trains with. */
export async function digestInputs({
  model,
  start,
  train,
  test,
}: Pick<Training, 'model' | 'start' | 'train' | 'test'>): Promise<Inputs> {
  // what added norms start from is measured, each time anew
  const measured = addedEntries(model);
  return {
    network: await digestState(new Map([...start].filter(([name]) => !measured.has(name)))),
    train: await digestImages(train),
    test: await digestImages(test),
  };
}

/** @throws UserError that names what is not as it was when the run began */
export function checkInputs(
  { run, file }: SavedRun,
  { inputs, classes }: Pick<StartedRun, 'inputs' | 'classes'>,
): void {
  const began = `that the run of ${file} began with`;
  if (text(classes) !== text(run.classes))
    throw new UserError(
      `The classes are ${classes.join(', ')}, not those ${began} (${run.classes.join(', ')}): put its images back.`,
    );
  for (const part of ['train', 'test'] as const) {
    const [now, then] = [inputs[part], run.inputs[part]];
    if (now.sha256 === then.sha256) continue;
    const size = (of: ImagesDigest) => `${of.images} of ${of.width} x ${of.height} px`;
    const how = size(now) === size(then) ? 'have changed since' : `are ${size(now)}, then ${size(then)}`;
    throw new UserError(
      `The ${part === 'train' ? 'training' : 'test'} images are not those ${began}: they ${how}. Put them back as they were.`,
    );
  }
  if (inputs.network !== run.inputs.network)
    throw new UserError(`The weights are not those ${began}: put that file back as it was.`);
}

async function digestState(state: StateDict): Promise<string> {
  const lines: string[] = [];
  for (const [name, { shape, data }] of state) lines.push(`${name} ${shape} ${await fingerprint(data)}\n`);
  return sha256(new TextEncoder().encode(lines.join('')));
}

/** Bytes of images that are digested at a time. */
const PIECE = 2 ** 24;

async function digestImages(set: LabelledImages): Promise<ImagesDigest> {
  const { labels, count, height, width } = set;
  const size = imageBytes(set);
  const atOnce = Math.max(1, Math.floor(PIECE / size));
  const digests = [await fingerprint(Uint32Array.from(labels))];
  for (let first = 0; first < count; first += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => first + i);
    const bytes = new Uint8Array(numbers.length * size);
    await readImages(set, numbers, bytes);
    digests.push(await sha256(bytes));
  }
  return { images: count, height, width, sha256: await sha256(new TextEncoder().encode(digests.join('\n'))) };
}
