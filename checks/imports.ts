import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';

/**
 * Holds the code against the rules of the house: which package may import which; that the folders of a package do not import
 * each other in a circle; and that a package declares what it imports, and nothing else.
 *
 *   node checks/imports.ts [FOLDER]
 *
 * Tests and build scripts may import from anywhere; what they need must be declared all the same.
 */

/** What a service, which is a package with an `image.json`, may import of other packages. */
const ofServices = ['service-kit'];

/** What other packages may import of each other, and which part of that. Those that are not named may import everything. */
const allowed: Record<string, readonly string[]> = {
  'service-kit': [],
  'fake-device-cloud': [],
  'local-taskcluster': ['run-page'],
  'run-page': [],
  // Of services what they say about themselves; beside it only how a phone is given back whose service is gone.
  worker: ['service-kit', '*/sidecar', 'testdroid-proxy/release-session', 'local-taskcluster', 'run-page'],
};

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface SourceFile {
  path: string;
  isTest: boolean;
  imports: string[];
}

const scope = '@docker-worker/';
const importStatement =
  /(?:^|\n)\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\b(?:import|require|import\.meta\.resolve)\(\s*'([^']+)'/g;

export function importProblems(root: string): string[] {
  const rootManifest = readManifest(root);
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .flatMap((path) => {
      const folder = dirname(path);
      const manifest = readManifest(join(root, folder));
      const files = sourceFiles(join(root, folder));
      const isService = existsSync(join(root, folder, 'image.json'));
      return [
        ...forbiddenImports(manifest.name.slice(scope.length), files, isService ? ofServices : undefined),
        ...undeclared(manifest, rootManifest, files),
        ...unused(manifest, files),
        ...circles(files),
      ].map((problem) => `${folder}: ${problem}`);
    });
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function sourceFiles(folder: string): SourceFile[] {
  return globSync('{src,bin}/**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$|^[^.]+$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const relative = path.slice(folder.length + 1);
      const imports = [...readFileSync(path, 'utf8').matchAll(importStatement)];
      return {
        path: relative,
        isTest: /\.test\.ts$|(^|\/)testing\/|(^|\/)build\.ts$/.test(relative),
        imports: imports.map(([, from, called]) => from ?? called ?? ''),
      };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function forbiddenImports(name: string, files: SourceFile[], rules = allowed[name]): string[] {
  if (rules === undefined) {
    return [];
  }
  const isAllowed = (target: string) => {
    const [other = '', ...part] = target.slice(scope.length).split('/');
    const patterns = [other, `*/${part.join('/')}`, `${other}/${part.join('/')}`];
    return other === name || patterns.some((pattern) => rules.includes(pattern));
  };
  return files
    .filter(({ isTest }) => !isTest)
    .flatMap(({ path, imports }) =>
      imports
        .filter((target) => target.startsWith(scope) && !isAllowed(target))
        .map((target) => `${path} may not import ${target}`),
    );
}

function undeclared(manifest: Manifest, root: Manifest, files: SourceFile[]): string[] {
  const shipped = new Set([manifest.name, ...Object.keys(manifest.dependencies ?? {})]);
  const forTests = new Set([
    ...Object.keys(manifest.devDependencies ?? {}),
    ...Object.keys({ ...root.dependencies, ...root.devDependencies }),
  ]);
  // A package whose whole source is tests ships nothing.
  const onlyTests = manifest.dependencies === undefined;
  return files.flatMap(({ path, isTest, imports }) =>
    packagesOf(imports)
      .filter((name) => !shipped.has(name) && !((isTest || onlyTests) && forTests.has(name)))
      .map((name) => `${path} imports ${name}, which package.json does not declare`),
  );
}

function unused({ dependencies, devDependencies }: Manifest, files: SourceFile[]): string[] {
  const used = new Set(files.flatMap(({ imports }) => packagesOf(imports)));
  return Object.keys({ ...dependencies, ...devDependencies })
    .filter((name) => !used.has(name) && !used.has(typed(name)))
    .map((name) => `package.json declares ${name}, which nothing imports`);
}

/** `@types/ws` is used where `ws` is. */
function typed(name: string): string {
  return name.replace(/^@types\//, '').replace(/^(.+)__(.+)$/, '@$1/$2');
}

function packagesOf(imports: string[]): string[] {
  return imports
    .filter((target) => !/^(\.|\/|node:|data:)/.test(target) && !builtinModules.includes(target))
    .map((target) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

/** Circles between the folders of a package; a file that lies beside the folders is one of its own. */
function circles(files: SourceFile[]): string[] {
  const edges = new Map<string, Map<string, string>>();
  for (const { path, isTest, imports } of files) {
    for (const target of isTest ? [] : imports.filter((name) => name.startsWith('.'))) {
      const [from, to] = [roomOf(path), roomOf(normalize(join(dirname(path), target)))];
      if (from !== to) {
        edges.set(from, (edges.get(from) ?? new Map<string, string>()).set(to, `${path} → ${target}`));
      }
    }
  }
  const reaches = (from: string, wanted: string, seen = new Set<string>()): boolean =>
    [...(edges.get(from)?.keys() ?? [])].some(
      (next) => next === wanted || (!seen.has(next) && reaches(next, wanted, seen.add(next))),
    );
  return [...edges].flatMap(([from, targets]) =>
    [...targets]
      .filter(([to]) => reaches(to, from))
      .map(([to, example]) => `${from} and ${to} import each other in a circle: ${example}`),
  );
}

function roomOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first;
}

if (import.meta.main) {
  const problems = importProblems(process.argv[2] ?? dirname(import.meta.dirname));
  for (const problem of problems) {
    process.stderr.write(`${problem}\n`);
  }
  process.exitCode = problems.length === 0 ? 0 : 1;
}
