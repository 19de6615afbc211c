/** Checkpoints take at most one part in so many of a run's time: short epochs do not each end with one. */
const SHARE = 20;

interface CheckpointOptions<State> {
  /** between two within an epoch; 0: there are none at all */
  minutes: number;
  /** begins to read back what the run has come to: as it is at the call, whatever runs after it */
  read: () => Promise<State>;
  keep: (state: State) => Promise<void> | void;
  failed: (error: Error) => void;
}

/** Keeps what a run has come to, now and then and beside its steps. One that fails does not end the run. */
export class Checkpoints<State> {
  private last = performance.now();
  /** milliseconds that keeping the last one took */
  private cost = 0;
  private pending: Promise<void> = Promise.resolve();

  constructor(private readonly options: CheckpointOptions<State>) {}

  /** Whether it is time for one within an epoch. */
  get isDue(): boolean {
    const { minutes } = this.options;
    return minutes > 0 && performance.now() - this.last >= minutes * 60_000;
  }

  /** Keeps the end of an epoch, unless the last checkpoint was just now. */
  async endEpoch(): Promise<void> {
    if (performance.now() - this.last >= SHARE * this.cost) await this.keep();
  }

  /** Keeps what there is now. Returns once it is being read: the next step may run. */
  async keep(): Promise<void> {
    const { minutes, read, keep, failed } = this.options;
    if (minutes === 0) return;
    await this.pending;
    this.last = performance.now();
    const timed = async (state: State) => {
      const begun = performance.now();
      await keep(state);
      this.cost = performance.now() - begun;
    };
    this.pending = read().then(timed).catch(failed);
  }

  /** Settles when no checkpoint is under way. */
  async settle(): Promise<void> {
    await this.pending;
  }
}
