import { connectEngine } from '../engine/engine.ts';
import { sweep } from '../engine/sweep.ts';

export async function sweepHost(): Promise<number> {
  await using engine = await connectEngine();
  const { containers, networks } = await sweep(engine.docker);
  process.stdout.write(
    `removed ${containers} containers and ${networks} networks of workers that no longer run\n`,
  );
  return 0;
}
