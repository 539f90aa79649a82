import { seesFolder } from '../../containers/shared-paths.ts';
import type { Engine } from '../../engine/engine.ts';

/**
 * What an engine is, and what is done differently for it, a line each.
 *
 * @param folder that containers are to have mounted, of this host
 */
export async function engineNotes(
  engine: Pick<Engine, 'docker' | 'capabilities'>,
  folder: string,
): Promise<string[]> {
  const { name, api, rootless, limits } = engine.capabilities;
  const isSeen = await seesFolder(engine, 'check', folder);
  const absent = Object.entries(limits).flatMap(([limit, isThere]) => (isThere ? [] : limit));
  return [
    `note: ${name}${rootless ? ', rootless' : ''}, spoken to in version ${api} of its API`,
    isSeen
      ? `note: it sees ${folder}, and mounts folders of this host into containers`
      : `warning: it does not see ${folder} of this host: caches are volumes of the engine, and nobody can log into a task`,
    ...(absent.length === 0
      ? []
      : [`warning: it cannot limit what a container takes of ${absent.join(', ')}: such limits do not hold`]),
  ];
}
