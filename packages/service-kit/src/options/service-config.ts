import { isIP } from 'node:net';
import { z } from 'zod';

/** A TCP port to listen on; 0 asks the system for a free one. */
export const Port = z.int('is not a whole number').refine((port) => port >= 0 && port <= 65_535, {
  error: (issue) => `port ${issue.input} is not in range [0,65535]`,
});

/** An IPv4 or IPv6 address without brackets. */
export const IpAddress = z.string().refine((text) => isIP(text) !== 0, {
  error: (issue) => `invalid IPv4/IPv6 address specified - cannot parse: ${issue.input}`,
});

export const defaultAdminAddress = '127.0.0.1';
export const defaultAdminPort = 8081;

/** Keys that every service's configuration has; spread them into its `z.strictObject`. */
export const serviceConfigShape = {
  /** Where health and metrics are served. Loopback, so that a task beside the service cannot reach them. */
  adminAddress: IpAddress.default(defaultAdminAddress),
  /** 0 takes a free port, which the `ready` message names. */
  adminPort: Port.default(defaultAdminPort),
  /** Least important level that is logged. */
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
};

const ServiceConfig = z.object(serviceConfigShape);
export type ServiceConfig = z.infer<typeof ServiceConfig>;
