/** Names of checkpoints, what one says before it is read, and the order in which they are written. */
import type { UserFile } from '../data/types';
import { openSafetensors } from '../io/safetensors';
import { VERSION } from './version';

/** Names of a run's two newest checkpoints: each is written over the older one. */
export const CHECKPOINT_FILES = ['checkpoint.0.safetensors', 'checkpoint.1.safetensors'] as const;

/** Where the checkpoint after that one goes. */
export const checkpointAfter = (file?: string): string =>
  CHECKPOINT_FILES[file === CHECKPOINT_FILES[0] ? 1 : 0];

/** A safetensors file to keep, and its name; `TrainJob.resume` takes it. */
export interface CheckpointEvent {
  type: 'checkpoint';
  file: string;
  step: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** How far a run has come, for who only looks. */
export interface CheckpointLabel {
  /** when the run began, ISO 8601 */
  date: string;
  step: number;
  epoch: number;
  /** that it is to have */
  epochs: number;
}

/** The key of a checkpoint's metadata that tells it from weights: the version of Refocus that wrote it. */
export const CHECKPOINT_KEY = 'refocus.checkpoint';

/** A label as a file's metadata. */
export const labelsOf = ({ date, step, epoch, epochs }: CheckpointLabel): Record<string, string> => ({
  [CHECKPOINT_KEY]: VERSION,
  date,
  step: String(step),
  epoch: String(epoch),
  epochs: String(epochs),
});

/** The label of the newest of some checkpoints whose beginning can be read; undefined where there is none. */
export async function newestLabel(files: readonly UserFile[]): Promise<CheckpointLabel | undefined> {
  const labels: CheckpointLabel[] = [];
  for (const { path, blob } of files) {
    const metadata = await openSafetensors(blob, path).then(
      (opened) => opened.metadata,
      () => undefined,
    );
    const number = (key: string) => Number(metadata?.get(key));
    const label = { step: number('step'), epoch: number('epoch'), epochs: number('epochs') };
    if (metadata && Number.isFinite(label.step)) labels.push({ ...label, date: metadata.get('date') ?? '' });
  }
  return labels.sort((a, b) => b.step - a.step)[0];
}

/** Writes checkpoints one after the other; of those that come while one is written, the newest. */
export class CheckpointQueue {
  private waiting?: CheckpointEvent;
  private writing?: Promise<void>;

  /** @param write must not throw */
  constructor(private readonly write: (event: CheckpointEvent) => Promise<void>) {}

  add(event: CheckpointEvent): void {
    this.waiting = event;
    this.writing ??= this.writeAll();
  }

  /** Settles when all is written. */
  async settle(): Promise<void> {
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    for (let event = this.waiting; event; event = this.waiting) {
      this.waiting = undefined;
      await this.write(event);
    }
    this.writing = undefined;
  }
}
