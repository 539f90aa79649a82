/**
 * Preloaded into a worker: whoever asks the engine about an image whose name begins with `throws/` has an error that
 * nobody handles, as one of an emitter without a listener is.
 */
import { EventEmitter } from 'node:events';
import http from 'node:http';

const { request } = http;
http.request = (...all) => {
  if (all[0]?.path?.includes('/images/throws/')) {
    setImmediate(() => new EventEmitter().emit('error', new Error('made up')));
  }
  return Reflect.apply(request, http, all);
};
