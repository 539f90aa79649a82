import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const emptyBill = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [] };

const Bom = z.looseObject({ components: z.array(z.unknown()).default([]) });

/**
 * A CycloneDX document of what is in an image: the npm packages that the service's code comes from, and the Debian packages of
 * the base.
 *
 * @param folder that the image is built from
 * @param dpkgStatus what dpkg has noted of its packages, for each platform
 */
export async function softwareBill(
  root: string,
  folder: string,
  dpkgStatus: readonly string[],
): Promise<object> {
  const npm = existsSync(join(folder, 'package.json')) ? await npmBill(root, folder) : emptyBill;
  const debian = new Map(dpkgStatus.flatMap(debianPackages).map((found) => [found.purl, found]));
  return { ...npm, components: [...npm.components, ...debian.values()] };
}

async function npmBill(root: string, folder: string): Promise<z.infer<typeof Bom>> {
  const program = join(root, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js');
  const argv = [
    program,
    '--omit',
    'dev',
    '--package-lock-only',
    '--output-reproducible',
    '--ignore-npm-errors',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, '--workspace', folder], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  return Bom.parse(JSON.parse(stdout));
}

function debianPackages(status: string) {
  return status
    .split(/\n\n+/)
    .filter((stanza) => /^Status: .* installed$/m.test(stanza))
    .map((stanza) => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(stanza)?.[1] ?? '';
      const [name, version] = [field('Package'), field('Version')];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
      return { type: 'library', 'bom-ref': purl, name, version, purl };
    });
}
