import { json, jsonSchema, openApi, operation, text } from '@docker-worker/service-kit/open-api';
import { z } from 'zod';
import { DeviceProxy, DeviceSession } from './cloud/device-sessions.ts';
import { Capabilities, Device } from './cloud/devices.ts';

const Borrowed = z.object({
  session: DeviceSession,
  device: Device,
  proxies: z.object({ adb: DeviceProxy, marionette: DeviceProxy }),
  proxyHost: z.string().describe('Where the proxies are reached.'),
});
const Acquiring = z.object({
  state: z.literal('acquiring'),
  step: z.string().describe('What is being done, in words.'),
  since: z.iso.datetime(),
});
const State = z.union([
  z.object({ state: z.literal('none'), error: z.string().optional() }),
  Acquiring,
  Borrowed.extend({ state: z.literal('held'), since: z.iso.datetime(), until: z.iso.datetime() }),
]);
const Failure = z.object({ error: z.string().describe('Begins with "Error: ".') });
const Refusal = z.object({ statusCode: z.int(), error: z.string(), message: z.string() });
const InvalidBody = Refusal.extend({
  validation: z.object({ source: z.literal('payload'), keys: z.array(z.string()) }),
});
const Properties = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

/** The routes as an OpenAPI document. */
export function openApiDocument(version: string): object {
  const failed = json('The cloud refused or could not be reached.', Failure);
  const paths = {
    '/': { get: operation('Whether the service runs', { 200: exactly('Server running') }) },
    '/openapi.json': {
      get: operation('This document', { 200: json('An OpenAPI document.', z.looseObject({})) }),
    },
    '/devices': {
      get: operation('All devices of the account', {
        200: json('Devices as the cloud tells of them.', z.array(Device)),
        500: failed,
      }),
    },
    '/device': {
      get: operation('What is borrowed or being borrowed', { 200: json('The state.', State) }),
      post: {
        ...operation('Borrow a device; it is flashed first when none has the build', {
          200: json('It is borrowed.', Borrowed),
          202: json('It is being borrowed; asked for with wait=0.', Acquiring),
          400: json('The body is not valid.', InvalidBody),
          409: json('There is a session already, which is in the answer.', Refusal),
          500: failed,
        }),
        parameters: [
          {
            name: 'wait',
            in: 'query',
            description: '0 answers at once; GET /device then tells how it goes.',
            schema: { type: 'string', enum: ['0', '1'], default: '1' },
          },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: jsonSchema(Capabilities) } },
        },
      },
    },
    '/device/release': {
      post: operation('Give the device back', {
        200: exactly('Device released'),
        400: exactly('No device session to release'),
        500: failed,
      }),
    },
    '/device/properties': {
      get: operation('Labels of the borrowed device, by the names of their groups', {
        200: json('A label, or a list where a group has several.', Properties),
        400: json('Nothing is borrowed.', Refusal),
        500: failed,
      }),
    },
  };
  const description = 'Lends the phones of a cloud with Testdroid’s API, one at a time.';
  return openApi({ title: 'testdroid-proxy', version, description, paths });
}

function exactly(words: string): object {
  return text(words, { type: 'string', const: words });
}
