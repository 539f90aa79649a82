import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { BakedImage } from './bake-images.ts';
import { dockerOutput } from './docker-cli.ts';

const emptyBill = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [] };

const Bom = z.looseObject({ components: z.array(z.unknown()).default([]) });

/**
 * A CycloneDX document of what is in an image: the npm packages that the service's code comes from, and the Debian packages of
 * the base.
 */
export async function softwareBill(root: string, { reference, folder }: BakedImage): Promise<object> {
  const hasCode = existsSync(join(folder, 'package.json'));
  const [npm, debian] = await Promise.all([
    hasCode ? npmBill(root, folder) : emptyBill,
    debianPackages(reference),
  ]);
  return { ...npm, components: [...npm.components, ...debian] };
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

/** An image without dpkg has none. */
async function debianPackages(reference: string): Promise<object[]> {
  const argv = ['run', '--rm', '--network', 'none', '--entrypoint', 'dpkg-query', reference, '--show'];
  const text = await dockerOutput(argv).catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      // A library of several architectures is called `libc6:amd64`.
      const [name = '', version = ''] = line.replace(/:[^\t]*/, '').split('\t');
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}`;
      return { type: 'library', 'bom-ref': purl, name, version, purl };
    });
}
