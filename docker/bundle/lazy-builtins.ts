import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * For esbuild: makes `import`s of Node's modules what `require` is. An `import` makes Node read all that a module
 * exports, which loads what it exports lazily as well, such as a second HTTP client by way of `node:http`; that is a
 * good part of the time that a small service takes to start.
 */
export function lazyBuiltins(): Plugin {
  return {
    name: 'lazy builtins',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind }) =>
        kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
        contents: [
          `const builtin = process.getBuiltinModule('${path}');`,
          // esbuild looks at each property that the exports have themselves, which loads those that are lazy; what they
          // inherit it leaves alone. A function has to stay one, and `process` knows its listeners by itself.
          "module.exports = typeof builtin === 'function' || builtin === process ? builtin : Object.create(builtin);",
        ].join('\n'),
      }));
    },
  };
}
