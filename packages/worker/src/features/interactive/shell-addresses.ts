import { isIPv6 } from 'node:net';
import { settingsOf, type WorkerConfig } from '../../config/config.ts';
import type { ShellAddresses } from '../../run/open-shell.ts';
import { settings } from './settings.ts';

export function usesTls(config: WorkerConfig): boolean {
  return settingsOf(config, settings).interactive.ssl ?? config.ssl !== undefined;
}

/** @param port of the host, at which the server is published */
export function shellAddresses(config: WorkerConfig, port: number, secret: string): ShellAddresses {
  const { url, host = config.host } = settingsOf(config, settings).interactive;
  const name = isIPv6(host) ? `[${host}]` : host;
  const own = `http${usesTls(config) ? 's' : ''}://${name}:${port}`;
  const base = url?.replaceAll('{port}', String(port)).replace(/\/+$/, '') ?? own;
  const sockets = base.replace(/^http/, 'ws');
  return {
    page: `${base}/${secret}/`,
    socket: `${sockets}/${secret}/shell.sock`,
    socketV2: `${sockets}/shell/${secret}`,
  };
}
