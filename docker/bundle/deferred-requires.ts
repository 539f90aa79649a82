import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * What dependencies load at once although it is rarely or never used here, and costs more than all the rest of
 * them. In a bundle it is loaded where it is used. `as` is what the file calls the module.
 */
const deferred = [
  // Image builds.
  { file: 'dockerode/lib/docker.js', as: 'withSession', required: './session' },
  // TLS and HTTP/2 of a server, and versions of plugins.
  { file: 'fastify/lib/server.js', as: 'https', required: 'node:https' },
  { file: 'fastify/lib/server.js', as: 'http2', required: 'node:http2' },
  { file: 'fastify/lib/plugin-utils.js', as: 'semver', required: 'semver' },
  // Types of files in forms.
  { file: 'form-data/lib/form_data.js', as: 'mime', required: 'mime-types' },
  // HTTP/2 of clients.
  { file: 'got/dist/source/core/options.js', as: 'http2wrapper', required: 'http2-wrapper' },
  { file: 'undici/lib/dispatcher/client.js', as: 'connectH2', required: './client-h2.js' },
  // Logging in another thread.
  { file: 'pino/lib/transport.js', as: 'ThreadStream', required: 'thread-stream' },
];

/** The same for what a package's index does nothing with but export it. */
const deferredExports = [
  { file: 'prom-client/index.js', as: 'Pushgateway', required: './lib/pushgateway' },
  { file: 'prom-client/index.js', as: 'AggregatorRegistry', required: './lib/cluster' },
  { file: 'prom-client/index.js', as: 'Summary', required: './lib/summary' },
  { file: 'prom-client/index.js', as: 'collectDefaultMetrics', required: './lib/defaultMetrics' },
];

/** undici's own files behind the exports that its clients use; the index loads a browser's worth of others. */
const undiciExports: Record<string, string> = {
  Agent: './lib/dispatcher/agent.js',
  Client: './lib/dispatcher/client.js',
  Dispatcher: './lib/dispatcher/dispatcher.js',
  Pool: './lib/dispatcher/pool.js',
  buildConnector: './lib/core/connect.js',
  errors: './lib/core/errors.js',
};

/** For esbuild. Fails when a dependency has changed so that one of these is not found any more. */
export function deferRequires(): Plugin {
  return {
    name: 'deferred requires',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\/index\.js\?whole$/ }, ({ resolveDir }) => ({
        path: `${resolveDir}/index.js`,
        suffix: '?whole',
      }));
      // Messages in fifty languages, of which a service speaks one.
      onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js';",
      }));
      // An SSH client of JavaScript; engines are reached by the ssh program.
      onLoad({ filter: /\/docker-modem\/lib\/ssh\.js$/ }, () => ({ contents: '' }));
      onLoad({ filter: /\/undici\/index\.js$/ }, ({ suffix }) =>
        suffix === '' ? { contents: undiciIndex() } : undefined,
      );
      onLoad({ filter: /\/node_modules\/.*\.js$/ }, ({ path }) => {
        const here = ({ file }: { file: string }) => path.endsWith(`/node_modules/${file}`);
        const [requires, exports] = [deferred.filter(here), deferredExports.filter(here)];
        if (requires.length + exports.length === 0) return undefined;
        let source = readFileSync(path, 'utf8');
        for (const { as, required } of requires) source = deferRequire(source, path, as, required);
        for (const { as, required } of exports) source = deferExport(source, path, as, required);
        return { contents: source };
      });
    },
  };
}

/** Takes the declaration out, alone or in a list of them, and writes the requirement wherever the name is used. */
function deferRequire(source: string, path: string, as: string, required: string): string {
  const declaration = new RegExp(
    `(?:(?:const|var) )?\\b${as} = require\\('${required}'\\)(?:,\\n|\\n)|import ${as} from '${required}';\\n`,
  );
  if (!declaration.test(source)) throw new Error(`${path} does not require ${required} as ${as} any more`);
  return source
    .replace(declaration, '')
    .replaceAll(new RegExp(`(?<![.\\w])${as}(?=[.(])`, 'g'), `(require('${required}'))`);
}

function deferExport(source: string, path: string, as: string, required: string): string {
  const statement = `exports.${as} = require('${required}');`;
  if (!source.includes(statement)) throw new Error(`${path} does not export ${required} as ${as} any more`);
  return source.replace(
    statement,
    `Object.defineProperty(exports, '${as}', { enumerable: true, get: () => require('${required}') });`,
  );
}

/** All names of the index; those that are not in the table lead to the whole index. */
function undiciIndex(): string {
  const require = createRequire(import.meta.url);
  const methods = Object.keys(require('undici/lib/api'));
  const getters = Object.keys(require('undici')).map((name) => {
    const file = undiciExports[name];
    return `get ${name}() { return ${file ? `require('${file}')` : `require('./index.js?whole').${name}`} }`;
  });
  return [
    // The index gives dispatchers their methods for those who do not `dispatch`.
    "const { prototype } = require('./lib/dispatcher/dispatcher.js');",
    ...methods.map(
      (name) =>
        `prototype.${name} = function (...args) { return require('./lib/api').${name}.apply(this, args) };`,
    ),
    `module.exports = { ${getters.join(', ')} };`,
  ].join('\n');
}
