import { sweep } from '../containers/sweep.ts';
import { connectEngine } from '../engine/engine.ts';
import { sweepProfiles } from '../features/allow-ptrace/app-armor.ts';
import { forgetMetadataRules } from '../firewall/block-metadata.ts';
import { sweepRunFolders } from '../run/run-folder.ts';

export async function sweepHost(): Promise<number> {
  await using engine = await connectEngine();
  const { containers, networks, images } = await sweep(engine.docker);
  const [profiles, folders, rules] = await Promise.all([
    sweepProfiles(),
    sweepRunFolders(),
    // Whoever may not see rules has none to remove.
    forgetMetadataRules({ docker: engine.docker }).catch(() => 0),
  ]);
  process.stdout.write(
    `removed ${containers} containers, ${networks} networks, ${images} images, ${profiles} AppArmor profiles, ` +
      `${rules} rules about metadata services and ${folders.removed} temporary folders of workers that no longer run\n`,
  );
  if (folders.ofOthers.length > 0) {
    process.stdout.write(`left to other persons, who have to remove them: ${folders.ofOthers.join(', ')}\n`);
  }
  return 0;
}
