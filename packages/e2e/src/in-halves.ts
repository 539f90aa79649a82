import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Machine } from './harness/machine.ts';

const jest = [
  '--experimental-vm-modules',
  '--no-warnings',
  '../../node_modules/jest/bin/jest.js',
  ...process.argv.slice(2),
];
/** The rooms whose tests take about half of the time. The other half is all other rooms, those to come included. */
const firstHalf = 'e2e/src/(tasks|repository)/';

/**
 * Runs the tests: all of them in two halves at once, the second on a machine within this one, where that can be had;
 * chosen ones, as `npm test -- PATTERN` names them, just here.
 */
process.exitCode =
  process.argv.length > 2 ||
  process.env.DOCKER_HOST ||
  process.getuid?.() !== 0 ||
  !existsSync('/usr/sbin/ip')
    ? await run(process.execPath, jest)
    : await inHalves();

async function inHalves(): Promise<number> {
  await using machine = await Machine.start().catch((error: Error) => {
    process.stderr.write(
      `all tests run on this machine, since there can be no second one: ${error.message}\n`,
    );
    return undefined;
  });
  if (machine === undefined) {
    return await run(process.execPath, jest);
  }
  const [first, second] = await Promise.all([
    run(process.execPath, [...jest, firstHalf]),
    run(...machine.command(process.execPath, [...jest, `--testPathIgnorePatterns=${firstHalf}`])),
  ]);
  return first || second;
}

async function run(program: string, args: string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' });
  // It ends then, and what there is to remove is removed.
  const passOn = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}
