import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** What a file was when it was chosen. */
interface Chosen {
  path: string;
  size: number;
  mtimeMs: number;
}

/** Bytes of one read; the system takes no more than 2 GiB. */
const MOST = 2 ** 30;

/** A part of a file as a blob, read when it is asked for. Node's own (`openAsBlob`) counts its bytes in 32 bits. */
export class FileBlob extends Blob {
  constructor(
    private readonly file: Chosen,
    private readonly begin = 0,
    private readonly end = file.size,
  ) {
    super();
  }

  override get size(): number {
    return this.end - this.begin;
  }

  override slice(from = 0, to = this.size): Blob {
    const at = (place: number) => Math.min(Math.max(place < 0 ? this.size + place : place, 0), this.size);
    return new FileBlob(this.file, this.begin + at(from), this.begin + Math.max(at(from), at(to)));
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    const { path, size, mtimeMs } = this.file;
    const handle = await open(path).catch(() => {
      throw changed(path);
    });
    try {
      const now = await handle.stat();
      if (now.size !== size || now.mtimeMs !== mtimeMs) throw changed(path);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(
          bytes,
          done,
          Math.min(bytes.length - done, MOST),
          this.begin + done,
        );
        if (bytesRead === 0) throw changed(path);
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
    return bytes.buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.size === 0) return new Blob().stream();
    const { path } = this.file;
    const file = createReadStream(path, { start: this.begin, end: this.end - 1 });
    return Readable.toWeb(file) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
  }
}

/** As a browser's blob fails whose file is another one by now. */
const changed = (path: string) => new DOMException(`${path} was changed or taken away`, 'NotReadableError');
