import { styleText } from 'node:util';

type Color = Parameters<typeof styleText>[0];

const colors: Color[] = ['cyan', 'magenta', 'blue', 'yellow', 'green'];

/**
 * What each line of a task's log begins with when several run.
 *
 * @param index tells apart those that stand beside each other
 * @param stream decides about colours, as NO_COLOR does
 */
export function linePrefix(name: string, index: number, stream: NodeJS.WritableStream): string {
  return `${styleText(colors[index % colors.length] as Color, `[${name}]`, { stream })} `;
}
