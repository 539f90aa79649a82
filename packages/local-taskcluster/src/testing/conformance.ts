import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint, Service } from '../api/endpoint.ts';

interface ReferenceEntry {
  name: string;
  method: string;
  route: string;
  input?: string;
  output?: string;
  scopes?: unknown;
}

interface ReferenceFile {
  filename: string;
  content: { $id?: string; serviceName?: string; entries?: ReferenceEntry[] };
}

const FILE = new URL('../../test-data/taskcluster-references.json', import.meta.url);
const files = JSON.parse(readFileSync(FILE, 'utf8')) as ReferenceFile[];

const ajv = loadSchemas();

/** What Taskcluster publishes about one endpoint; undefined if it has none of that name. */
export function referenceEntry(service: string, name: string): ReferenceEntry | undefined {
  const api = files.find(({ filename }) => filename === `references/${service}/v1/api.json`);
  return api?.content.entries?.find((entry) => entry.name === name);
}

/** `<service>.<endpoint>` of everything that Taskcluster publishes of a service. */
export function referenceNames(service: string): string[] {
  const api = files.find(({ filename }) => filename === `references/${service}/v1/api.json`);
  return (api?.content.entries ?? []).map(({ name }) => `${service}.${name}`);
}

/** Compares everything that goes over the wire with Taskcluster's published schemas. */
export class Conformance {
  /** `<service>.<endpoint>` of every endpoint that is mounted. */
  readonly mounted = new Map<string, Endpoint>();
  /** Those of them that have answered without an error. */
  readonly exercised = new Set<string>();
  /** What was wrong, in sentences. */
  readonly violations: string[] = [];

  watch(app: FastifyInstance, services: Service[]): void {
    for (const { name, endpoints } of services) {
      for (const endpoint of endpoints) this.mounted.set(`${name}.${endpoint.name}`, endpoint);
    }
    app.addHook('onSend', async (request, reply, body) => {
      const { endpoint } = request.routeOptions.config;
      if (endpoint) this.#check(endpoint, request, reply, body);
    });
  }

  #check(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply, body: unknown): void {
    const service = /^\/api\/([^/]+)/.exec(request.routeOptions.url ?? '')?.[1] ?? '';
    const entry = referenceEntry(service, endpoint.name);
    const name = `${service}.${endpoint.name}`;
    if (!entry) {
      this.violations.push(`${name} is not in the reference`);
      return;
    }
    const json = body === undefined || body === '' ? undefined : JSON.parse(String(body));
    if (reply.statusCode >= 400 && reply.statusCode !== 424) {
      this.#checkError(name, entry, request, json);
      return;
    }
    this.exercised.add(name);
    this.#validate(`request to ${name}`, service, entry.input, request.body);
    if (reply.statusCode !== 424) this.#validate(`response of ${name}`, service, entry.output, json);
  }

  /** An error has Taskcluster's form, and a refused body is one that the schema refuses too. */
  #checkError(
    name: string,
    entry: ReferenceEntry,
    request: FastifyRequest,
    error: Record<string, unknown>,
  ): void {
    const keys = Object.keys(error).sort().join();
    if (keys !== 'code,message,requestInfo') this.violations.push(`An error of ${name} has keys ${keys}`);
    if (error.code !== 'InputValidationError') return;
    const service = name.split('.')[0] ?? '';
    if (entry.input === undefined || ajv.validate(schemaId(service, entry.input), request.body)) {
      this.violations.push(`${name} refused a body that the schema allows: ${error.message}`);
    }
  }

  #validate(what: string, service: string, schema: string | undefined, json: unknown): void {
    if (schema === undefined) return;
    if (!ajv.validate(schemaId(service, schema), json)) {
      this.violations.push(`The ${what} does not match: ${ajv.errorsText()}\n${JSON.stringify(json)}`);
    }
  }
}

/** Schemas refer to each other by path, so that they all need the same origin. */
function schemaId(service: string, path: string): string {
  return `http://taskcluster/schemas/${service}/${path}`;
}

function loadSchemas(): Ajv.default {
  const loaded = new Ajv.default({ strict: false, validateFormats: true });
  addFormats.default(loaded);
  for (const { filename, content } of files) {
    if (!filename.startsWith('schemas/') || filename.startsWith('schemas/common/')) continue;
    loaded.addSchema({ ...content, $id: `http://taskcluster/${filename}`, $schema: undefined });
  }
  return loaded;
}
