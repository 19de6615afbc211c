import { readdirSync, readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readBytes } from './read-bytes';

const FOLDER = 'test/fixtures/pytorch';
const fixture = (name: string) => new Uint8Array(readFileSync(`${FOLDER}/${name}`));
const expected: Record<
  string,
  Record<string, { dtype: string; shape: number[]; values: (number | string)[] }>
> = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8'));

describe('checkpoints that torch wrote', () => {
  test('each fixture has its expectation', async () => {
    expect(readdirSync(FOLDER).filter((name) => name !== 'expected.json')).toEqual(
      Object.keys(expected).sort(),
    );
  });

  test.each(Object.keys(expected))('%s', async (name) => {
    const { tensors } = await readBytes(fixture(name), name);
    expect([...tensors.keys()]).toEqual(Object.keys(expected[name]));
    for (const [key, { dtype, shape, values }] of Object.entries(expected[name])) {
      const tensor = tensors.get(key)!;
      expect([key, tensor.dtype, tensor.shape]).toEqual([key, dtype, shape]);
      const want = values.map((v) => (typeof v === 'string' ? BigInt(v) : Number(v)));
      expect(Array.from<number | bigint>(tensor.data as Iterable<number | bigint>)).toEqual(want);
    }
  });

  test('the format and the prefix are told', async () => {
    const told = async (name: string) => {
      const { format, prefix } = await readBytes(fixture(name), name);
      return [format, prefix];
    };
    expect(await told('zip.pt')).toEqual(['pytorch-zip', '']);
    expect(await told('compiled.pt')).toEqual(['pytorch-zip', '_orig_mod.module.']);
    expect(await told('module-nested.th')).toEqual(['pytorch-legacy', 'module.']);
  });

  test('a deflated archive reads as the stored one', async () => {
    const packed = zipSync(unzipSync(fixture('zip.pt')), { level: 9 });
    expect(await readBytes(packed, 'a.pt')).toEqual(await readBytes(fixture('zip.pt'), 'a.pt'));
  });

  test('a checkpoint that lies at an odd offset of a larger buffer', async () => {
    for (const name of ['dtypes.pt', 'dtypes-legacy.pth']) {
      const bytes = fixture(name);
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      expect(await readBytes(shifted.subarray(3), name)).toEqual(await readBytes(bytes, name));
    }
  });
});

describe('damaged checkpoints', () => {
  test.each(['zip.pt', 'legacy.th', 'nested.pt'])('%s cut at any byte is a UserError', async (name) => {
    const bytes = fixture(name);
    for (let length = 0; length < bytes.length; length += 1 + (length % 7)) {
      await expect(readBytes(bytes.subarray(0, length), name), `${length}`).rejects.toThrow(
        expect.objectContaining({ name: 'UserError', message: expect.stringContaining(name) }),
      );
    }
  });

  test.each(['nested.pt', 'legacy.th'])(
    '%s with a bit of every third byte changed reads or is a UserError',
    async (name) => {
      const bytes = fixture(name);
      for (let at = 0; at < bytes.length; at += 3) {
        const broken = bytes.slice();
        broken[at] ^= 1 << (at % 8);
        try {
          await readBytes(broken, name);
        } catch (error) {
          expect((error as Error).name, `byte ${at}: ${error}`).toBe('UserError');
        }
      }
    },
  );

  test('another byte order', async () => {
    const files = unzipSync(fixture('zip.pt'));
    const folder = Object.keys(files)[0].split('/')[0];
    files[`${folder}/byteorder`] = new TextEncoder().encode('big');
    await expect(readBytes(zipSync(files), 'a.pt')).rejects.toThrow(/big-endian/);
    const bytes = fixture('legacy.th');
    const flag = Buffer.from(bytes).indexOf('little_endian') + 'little_endian'.length + 2;
    expect(bytes[flag]).toBe(0x88);
    bytes[flag] = 0x89;
    await expect(readBytes(bytes, 'a.th')).rejects.toThrow(/a\.th .*big-endian/);
  });

  test('a TorchScript program', async () => {
    const files = unzipSync(fixture('zip.pt'));
    const folder = Object.keys(files)[0].split('/')[0];
    files[`${folder}/constants.pkl`] = new Uint8Array([0x80, 2, 0x4e, 0x2e]);
    await expect(readBytes(zipSync(files), 'a.pt')).rejects.toThrow(/TorchScript/);
  });
});
