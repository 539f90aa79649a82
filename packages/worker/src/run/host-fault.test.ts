import { expect, test } from '@jest/globals';
import { EngineTimeout } from '../engine/engine-api.ts';
import { EngineLost } from '../engine/engine-lost.ts';
import { ImageUnavailable } from '../engine/ensure-image.ts';
import { hostFault, isHostFault } from './host-fault.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function engineAnswer(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) ${message}`), { statusCode });
}

test.each<[string, Error]>([
  ['a disk that is full', systemError('ENOSPC')],
  ['too many open files', systemError('EMFILE')],
  ['a disk that fails', systemError('EIO')],
  ['a connection that is cut', systemError('ECONNRESET')],
  ['a connection that ends while it is read', systemError('UND_ERR_SOCKET')],
  ['an engine that is gone', systemError('ECONNREFUSED')],
  ['an engine that is lost', new EngineLost('gone')],
  ['an engine that does not answer', new EngineTimeout('POST', '/containers/create', 1_000)],
  ['the full disk of the engine', engineAnswer(500, 'write /var/lib/docker/a: no space left on device')],
  ['a pull for which the disk is too small', new ImageUnavailable('a', 'no space left on device')],
  ['an image store that is broken', engineAnswer(500, 'layer does not exist')],
  ['one of several', new AggregateError([new Error('a'), systemError('ENOSPC')])],
  ['whatever one of these has caused', new Error('a', { cause: systemError('ENOSPC') })],
])('%s is no fault of the task: the queue makes another run', (_, error) => {
  expect(isHostFault(error)).toBe(true);
  expect(hostFault('a', error).resolution).toEqual({ kind: 'exception', reason: 'worker-shutdown' });
});

test.each<[string, unknown]>([
  ['a command that there is not', engineAnswer(400, 'exec: "nope": executable file not found in $PATH')],
  ['an image that there is not', new ImageUnavailable('a', 'manifest unknown')],
  ['what a feature refuses', new Error('there is no such device')],
  ['a library that refuses an argument', systemError('ERR_INVALID_ARG_TYPE')],
  ['nothing', undefined],
])('%s is not the fault of the host', (_, error) => {
  expect(isHostFault(error)).toBe(false);
});
