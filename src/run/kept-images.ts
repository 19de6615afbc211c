import type { ImageSet } from '../data/image-set';
import { closeImages } from '../data/pixels';
import type { ImageSetReport } from '../data/report';
import type { LoadedPart } from '../data/split';

/** What a source of images gives; the built-in one needs no report. */
export type LoadedSource = Pick<ImageSet, 'train' | 'test' | 'own' | 'available'> & {
  report?: ImageSetReport;
};

/**
 * Decoded images that the jobs of one name share, as the runs of an experiment do: what was read from files once is not read again.
 * One set of jobs at a time has its images kept; those of another name, or of none, free them.
 */
export class KeptImages {
  private name?: string;
  private sources = new Map<string, Promise<LoadedSource>>();

  /** Begins a job: frees what it does not share, and gives it what it does. */
  async of(name: string | undefined): Promise<KeptImages | undefined> {
    if (name !== this.name) await this.free();
    this.name = name;
    return name === undefined ? undefined : this;
  }

  /** The source of that key, read by `load` where no job has yet. It is the caller's own but for the pixels, which stay when it closes them. */
  async get(key: string, load: () => Promise<LoadedSource>): Promise<LoadedSource> {
    let source = this.sources.get(key);
    if (!source) {
      source = load();
      this.sources.set(key, source);
      source.catch(() => this.sources.delete(key));
    }
    const { train, test, report, ...rest } = await source;
    return { ...rest, train: lent(train), test: lent(test), report: structuredClone(report) };
  }

  private async free(): Promise<void> {
    const { sources } = this;
    this.sources = new Map();
    for (const { train, test } of await Promise.all(sources.values()))
      await closeImages(...[train, test].flatMap((part) => part?.images ?? []));
  }
}

/** A part whose file outlives those that read it. */
function lent(part: LoadedPart | undefined): LoadedPart | undefined {
  if (!part || part.images.pixels instanceof Uint8Array) return part;
  return { ...part, images: { ...part.images, pixels: { ...part.images.pixels, close: async () => {} } } };
}
