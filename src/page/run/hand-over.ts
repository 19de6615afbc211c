/** A run that goes over to another tab: it stops behind a checkpoint, and the other tab goes on from there. */
import type { TrainEvent } from '../../api';
import { UserError } from '../../errors';
import { engine, replaceEngine } from '../engine';
import { status, stepCount } from './state';

/** Another tab has the run. */
export class HandedOver extends UserError {
  override name = 'HandedOver';

  constructor() {
    super('Another tab goes on with this run.');
  }
}

/** The end of a run in this tab, should another one ask for it. */
export class HandOver {
  /** step of the newest checkpoint */
  private kept = 0;
  private isAsked = false;
  private end!: (error: HandedOver) => void;
  /** rejects once the run is the other tab's */
  readonly done = new Promise<never>((_, reject) => {
    this.end = reject;
  });

  constructor() {
    // a run that ends by itself is waited for no more
    this.done.catch(() => {});
  }

  /** Hears what the run tells. */
  hear(event: TrainEvent): void {
    if (event.type !== 'checkpoint') return;
    this.kept = event.step;
    if (this.isAsked) this.finishIfKept();
  }

  /** Lets the run come to a checkpoint, and ends it. */
  async ask(): Promise<void> {
    this.isAsked = true;
    // a run that is held is at its checkpoint already; one that has not begun to train has none
    this.finishIfKept();
    if (status.value === 'running') await engine().pause();
  }

  /** Ends the run at once: its lock was taken away. */
  finish = (): void => {
    replaceEngine();
    this.end(new HandedOver());
  };

  private finishIfKept(): void {
    if (this.kept === stepCount.value) this.finish();
  }
}
