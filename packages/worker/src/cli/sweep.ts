import { connectEngine } from '../engine/engine.ts';
import { sweep } from '../engine/sweep.ts';
import { sweepProfiles } from '../ptrace/app-armor.ts';

export async function sweepHost(): Promise<number> {
  await using engine = await connectEngine();
  const { containers, networks, images } = await sweep(engine.docker);
  const profiles = await sweepProfiles();
  process.stdout.write(
    `removed ${containers} containers, ${networks} networks, ${images} images and ${profiles} AppArmor profiles of workers that no longer run\n`,
  );
  return 0;
}
