/** Entries kept: a page or a demo goes back and forth between very few. */
const MOST = 8;

/** Results that several jobs of an engine share, by key: what is asked for again is not made again. */
export class Memo {
  private readonly entries = new Map<string, Promise<unknown>>();

  /** The result of an earlier `make` of that key, finished or still going on; what failed is made anew. */
  get<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.entries.get(key) as Promise<T> | undefined;
    if (known) return known;
    const made = make();
    this.entries.set(key, made);
    made.catch(() => this.entries.delete(key));
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= MOST) break;
      this.entries.delete(oldest);
    }
    return made;
  }
}
