/** How long the event loop may be held, ms: half of what people take for at once. */
const HELD_MS = 50;

/**
 * Turns of the event loop in long work of one thread: what came meanwhile (a signal, a message, a timer) is heard between
 * two parts of it. Those who wait for a turn go on in the order in which they asked.
 */
export class Turns {
  private since = performance.now();
  private last = Promise.resolve();

  /** Settles at once where the loop has turned lately, else after a turn of it. */
  next(): Promise<void> {
    this.last = this.last.then(async () => {
      if (performance.now() - this.since < HELD_MS) return;
      await new Promise((resolve) => setTimeout(resolve));
      this.since = performance.now();
    });
    return this.last;
  }
}
