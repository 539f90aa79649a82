import { builtinModules, isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

const namespace = 'builtin';
const allOfThem = 'all';

/** What Node has loaded when it starts: functions, which have to stay such, and `process`, which knows its listeners by itself. */
const loaded = ['assert', 'assert/strict', 'events', 'module', 'process', 'stream'];

/**
 * For esbuild: loads Node's modules when something of them is first used. An `import` loads a module at once with all that it
 * exports, also what it exports lazily, such as a second HTTP client by way of `node:http`; that is a good part of the time
 * that a program takes to start.
 */
export function lazyBuiltins(): Plugin {
  return {
    name: 'lazy builtins',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind, namespace: from }) =>
        from === namespace || (kind === 'import-statement' && isBuiltin(path))
          ? { path: withoutPrefix(path), namespace }
          : undefined,
      );
      onLoad({ filter: /./, namespace }, ({ path }) => ({
        contents: path === allOfThem ? everyRequirement() : lazyModule(path),
      }));
    },
  };
}

function withoutPrefix(name: string): string {
  return name.replace(/^node:/, '');
}

function everyRequirement(): string {
  const names = builtinModules.filter((name) => !name.startsWith('_')).map(withoutPrefix);
  return names.map((name) => `require('${name}');`).join('\n');
}

/** CommonJS. esbuild looks at each property that the exports have themselves; what they inherit it leaves alone. */
function lazyModule(name: string): string {
  const get = `process.getBuiltinModule('node:${name}')`;
  if (loaded.includes(name)) {
    return `module.exports = ${get};`;
  }
  return [
    'const unloaded = new Proxy({}, {',
    `  get: (_, key) => Object.getPrototypeOf(Object.setPrototypeOf(inherited, ${get}))[key],`,
    `  has: (_, key) => key in ${get},`,
    '});',
    'const inherited = Object.create(unloaded);',
    'module.exports = Object.create(inherited);',
    // Never called. Without it each of them would be a file of its own in a bundle that is split.
    `inherited.together = () => require('${allOfThem}');`,
  ].join('\n');
}
