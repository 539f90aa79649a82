import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * What dependencies load at once although it is rarely or never used here, and costs more than all the rest of
 * them. In a bundle it is loaded where it is used. `as` is what the file calls the module.
 */
const deferred = [
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

/** The same for what is made of ICU's data about languages, for errors alone. */
const deferredConstants = [
  { file: '@sindresorhus/is/distribution/index.js', as: 'andFormatter' },
  { file: '@sindresorhus/is/distribution/index.js', as: 'orFormatter' },
];

/** The router compiles three functions for each route, before it is known which routes will be asked for. */
const interpreted = [
  {
    file: 'find-my-way/lib/node.js',
    text: 'if (prefix.length >= LONG_PREFIX_MIN_LENGTH)',
    by: 'if (true)',
  },
  {
    file: 'find-my-way/lib/handler-storage.js',
    text: "return new Function('NullObject', fnBody.join('\\n'))(NullObject)",
    by: `return (...values) => {
      const named = new NullObject();
      params.forEach((name, i) => { named[name] = i < 4 ? values[i] : values[4][i - 4]; });
      return named;
    }`,
  },
  {
    file: 'find-my-way/lib/handler-storage.js',
    text: "this._getHandlerMatchingConstraints = new Function('derivedConstraints', lines.join('\\n'))",
    by: `let compiled;
    this._getHandlerMatchingConstraints = (derived) =>
      (compiled ??= new Function('derivedConstraints', lines.join('\\n'))).call(this, derived)`,
  },
];

/** A package's own files behind the exports that are used; its index loads all there are. */
const indexes: Record<string, { index: string; files: Record<string, string>; before?: string }> = {
  lodash: {
    index: 'lodash.js',
    // Of the clients of Taskcluster, and of parameters in payloads.
    files: Object.fromEntries(
      ['cloneDeep', 'cloneDeepWith', 'defaults', 'includes', 'keys', 'set'].map((name) => [
        name,
        `./${name}.js`,
      ]),
    ),
  },
  // A list of all types there are.
  'mime-types': { index: 'index.js', files: {} },
  undici: {
    index: 'index.js',
    files: {
      Agent: './lib/dispatcher/agent.js',
      Client: './lib/dispatcher/client.js',
      Dispatcher: './lib/dispatcher/dispatcher.js',
      Pool: './lib/dispatcher/pool.js',
      buildConnector: './lib/core/connect.js',
      errors: './lib/core/errors.js',
    },
    before: undiciMethods(),
  },
};

/** For esbuild. Fails when a dependency has changed so that one of these is not found any more. */
export function deferRequires(): Plugin {
  return {
    name: 'deferred requires',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\?whole$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace('?whole', '')),
        suffix: '?whole',
      }));
      // Messages in fifty languages, of which a service speaks one.
      onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js';",
      }));
      // An SSH client of JavaScript, where engines are reached by the ssh program; builds of images by gRPC.
      onLoad({ filter: /\/(docker-modem\/lib\/ssh|dockerode\/lib\/session)\.js$/ }, () => ({ contents: '' }));
      // Compilers of JSON schemas, loaded with the first app, for routes that have some. No route here has: bodies are checked with zod.
      onLoad({ filter: /\/@fastify\/(ajv-compiler|fast-json-stringify-compiler)\/index\.js$/ }, () => ({
        contents: `module.exports = () => () => { throw new Error('routes cannot have JSON schemas in a bundle'); };`,
      }));
      onLoad({ filter: /\/node_modules\/.*\.js$/ }, ({ path, suffix }) => {
        const name = Object.keys(indexes).find((one) =>
          path.endsWith(`/node_modules/${one}/${indexes[one]?.index}`),
        );
        if (name !== undefined && suffix === '') return { contents: lazyIndex(name) };
        const here = ({ file }: { file: string }) => path.endsWith(`/node_modules/${file}`);
        const [requires, exports] = [deferred.filter(here), deferredExports.filter(here)];
        const [constants, texts] = [deferredConstants.filter(here), interpreted.filter(here)];
        if (requires.length + exports.length + constants.length + texts.length === 0) return undefined;
        let source = readFileSync(path, 'utf8');
        for (const { as, required } of requires) source = deferRequire(source, path, as, required);
        for (const { as, required } of exports) source = deferExport(source, path, as, required);
        for (const { as } of constants) source = deferConstant(source, path, as);
        for (const { text, by } of texts) source = replaceText(source, path, text, by);
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

function deferConstant(source: string, path: string, as: string): string {
  const [declaration, value] = new RegExp(`^const ${as} = (.*);$`, 'm').exec(source) ?? [];
  if (declaration === undefined) throw new Error(`${path} does not declare ${as} any more`);
  return source.replace(declaration, '').replaceAll(`${as}.`, `(${value}).`);
}

function replaceText(source: string, path: string, text: string, by: string): string {
  if (!source.includes(text)) throw new Error(`${path} does not have "${text}" any more`);
  return source.replace(text, () => by);
}

/** All names of the index; those that are not in the table lead to the whole index. */
function lazyIndex(name: string): string {
  const { index, files, before = '' } = indexes[name] as (typeof indexes)[string];
  const getters = Object.keys(createRequire(import.meta.url)(name)).map((one) => {
    const file = Object.hasOwn(files, one) ? files[one] : undefined;
    return `get ${one}() { return ${file ? `require('${file}')` : `require('./${index}?whole').${one}`} }`;
  });
  return `${before}\nmodule.exports = { ${getters.join(', ')} };`;
}

/** undici's index gives dispatchers their methods for those who do not `dispatch`. */
function undiciMethods(): string {
  const methods = Object.keys(createRequire(import.meta.url)('undici/lib/api'));
  return [
    "const { prototype } = require('./lib/dispatcher/dispatcher.js');",
    ...methods.map(
      (name) =>
        `prototype.${name} = function (...args) { return require('./lib/api').${name}.apply(this, args) };`,
    ),
  ].join('\n');
}
