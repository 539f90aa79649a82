import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Checks that no package of the lockfile compiles or does anything else when it is installed: `.npmrc` lets no package run its
 * script, and each that has one is known to work without it.
 *
 *   node checks/install-scripts.ts
 */
const root = join(import.meta.dirname, '..');

/** Packages with a script, each with why it is not needed. */
const needless: Record<string, string> = {
  '@parcel/watcher': 'has its binary in a package for each platform, and compiles only without that',
  '@swc/core': 'looks only whether the package of its platform is there',
  'cpu-features': 'compiles what ssh2 takes to choose a cipher: ssh2 does without it',
  esbuild: 'looks only whether the package of its platform is there',
  protobufjs: 'only warns of version ranges',
  ssh2: 'compiles ciphers for dockerode: its connections by ssh are made by the ssh program here',
};

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean }>;
};
const found = Object.entries(packages)
  .filter(([, { hasInstallScript }]) => hasInstallScript)
  .map(([path]) => path.split('node_modules/').at(-1) ?? path);
const problems = [
  ...found
    .filter((name) => !(name in needless))
    .map(
      (name) =>
        `${name} has a script for its installation: do without it, or say in checks/install-scripts.ts why it works without the script`,
    ),
  ...Object.keys(needless)
    .filter((name) => !found.includes(name))
    .map((name) => `${name} is in the list of checks/install-scripts.ts and has no script: take it out`),
  ...(/^ignore-scripts=true$/m.test(readFileSync(join(root, '.npmrc'), 'utf8'))
    ? []
    : ['.npmrc must have ignore-scripts=true']),
];
process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
process.exitCode = problems.length > 0 ? 1 : 0;
