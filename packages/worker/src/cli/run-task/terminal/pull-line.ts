import type { PullEvent } from '../../../engine/ensure-image.ts';

const mebibyte = 1024 * 1024;

/** One line on a terminal that says how far the download of an image has come; it is cleared at the end. */
export function pullLine(terminal: NodeJS.WritableStream): (event: PullEvent) => void {
  const layers = new Map<string, { current: number; total: number }>();
  return ({ id, status, progressDetail }) => {
    if (id !== undefined && progressDetail?.current !== undefined && progressDetail.total !== undefined) {
      layers.set(id, { current: progressDetail.current, total: progressDetail.total });
    }
    const sum = (key: 'current' | 'total') =>
      [...layers.values()].reduce((all, layer) => all + layer[key], 0);
    const line =
      id === undefined && status?.startsWith('Status:')
        ? ''
        : `pulling: ${(sum('current') / mebibyte).toFixed(1)} of ${(sum('total') / mebibyte).toFixed(1)} MiB`;
    // Back to the first column, the line, and whatever an earlier, longer one left after it erased.
    terminal.write(`\r${line}\u001b[K`);
  };
}
