import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Demultiplexer } from '../shell/demultiplexer.ts';
import { code, decodeFrame, encodeFrame, stoppedFrame } from './frames-v1.ts';
import { decodeShellFrame } from './frames-v2.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

test('no message whatsoever makes a decoder throw', () => {
  fc.assert(
    fc.property(bytes, (message) => {
      expect(decodeFrame(message).kind).toBeTruthy();
      expect(decodeShellFrame(message).kind).toBeTruthy();
    }),
    { numRuns: 2000 },
  );
});

test('input keeps every byte', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      expect(decodeFrame(encodeFrame(code.stdin, data))).toEqual({ kind: 'stdin', data });
      expect(decodeShellFrame(encodeFrame(1, data))).toEqual({ kind: 'input', data });
    }),
  );
});

test('a size is rows first, then columns, both little-endian', () => {
  expect(decodeFrame(Buffer.from([50, 0x19, 0x01, 0x50, 0x00]))).toEqual({
    kind: 'resize',
    rows: 281,
    columns: 80,
  });
  expect(decodeShellFrame(Buffer.from([2, 0x19, 0x01, 0x50, 0x00]))).toEqual({
    kind: 'resize',
    rows: 281,
    columns: 80,
  });
});

test('a size that is cut short is ignored', () => {
  expect(decodeFrame(Buffer.from([50, 1, 0, 1]))).toEqual({ kind: 'unknown' });
  expect(decodeShellFrame(Buffer.from([2, 1, 0, 1]))).toEqual({ kind: 'unknown' });
});

test('an exit code is one unsigned byte', () => {
  expect([...stoppedFrame(255)]).toEqual([200, 255]);
  expect([...stoppedFrame(137)]).toEqual([200, 137]);
});

test('the engine’s stream comes apart the same wherever it is cut', () => {
  const frames = fc.array(fc.record({ isError: fc.boolean(), data: bytes }), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (given, lengths) => {
      const stream = Buffer.concat(given.map(({ isError, data }) => multiplexed(isError ? 2 : 1, data)));
      const demultiplexer = new Demultiplexer();
      const found = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
      for (let at = 0; at < stream.length; ) {
        const length = lengths.next().value as number;
        demultiplexer.push(stream.subarray(at, at + length), (output, data) => {
          found[output] = Buffer.concat([found[output], data]);
        });
        at += length;
      }
      const written = (wanted: boolean) =>
        Buffer.concat(given.filter(({ isError }) => isError === wanted).map(({ data }) => data));
      expect(found.stdout).toEqual(written(false));
      expect(found.stderr).toEqual(written(true));
    }),
  );
});

function multiplexed(stream: number, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}
