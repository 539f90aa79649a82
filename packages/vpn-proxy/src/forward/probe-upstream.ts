import { gatewayError } from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import type { Probe } from '../vpn-config.ts';
import type { HttpTarget } from './http-target.ts';

/** Asks the upstream once. Returns what is wrong, or undefined when its answer is as expected. */
export async function probeUpstream(
  { origin, base, host }: HttpTarget,
  probe: Probe,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(probe.timeout * 1000);
  try {
    const { statusCode, body } = await dispatcher.request({
      origin,
      path: `${base}${probe.path}`,
      method: 'GET',
      signal: AbortSignal.any([signal, timeout]),
    });
    await body.dump();
    if (probe.expect.some((range) => covers(range, statusCode))) return undefined;
    return `${host} answered ${statusCode}, expected is ${probe.expect.join(', ')}`;
  } catch (error) {
    if (timeout.aborted) return `${host} did not answer within ${probe.timeout} s`;
    return gatewayError(error, { method: 'GET', host }).body.message;
  }
}

function covers(range: string, status: number): boolean {
  const [from = '', to = from] = range.split('-');
  return Number(from) <= status && status <= Number(to);
}
