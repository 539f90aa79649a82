import { styleText } from 'node:util';
import { phases, type TaskResult } from './task-result.ts';

type Color = Parameters<typeof styleText>[0];

/**
 * The tasks of a run with how they ended, their seconds by phase, and the number of their artifacts.
 *
 * @param stream decides about colours, as NO_COLOR does
 */
export function resultTable(results: TaskResult[], stream: NodeJS.WritableStream): string {
  const header = ['task', 'result', ...phases, 'artifacts'];
  const rows = results.map(({ name, result, seconds, artifacts }) => [
    name,
    result,
    ...phases.map((phase) => seconds[phase]?.toFixed(1) ?? '-'),
    String(artifacts.length),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[], color?: Color) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        // Names to the left, figures to the right.
        const padded = column < 2 ? cell.padEnd(width) : cell.padStart(width);
        return column === 1 && color !== undefined ? styleText(color, padded, { stream }) : padded;
      })
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map((row) => line(row, colorOf(row[1])))].map((text) => `${text}\n`).join('');
}

function colorOf(result: string | undefined): Color {
  return result === 'completed' ? 'green' : result === 'skipped' ? 'yellow' : 'red';
}
