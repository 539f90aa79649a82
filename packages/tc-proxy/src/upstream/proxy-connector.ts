import { type buildConnector, errors, Pool } from 'undici';

type Connector = ReturnType<typeof buildConnector>;

export interface ProxyConnectorOptions {
  /** URL of the HTTP proxy. */
  url: string;
  /** Connects to the proxy. */
  connect: Connector;
  /** Makes TLS out of the tunnel's socket. */
  secure: Connector;
  /** Milliseconds for connection and tunnel. */
  timeoutMs: number;
  /** Rejects with an error that ends the attempt when the host may not be reached. */
  check?(host: string): Promise<void>;
}

/**
 * Connects to https upstreams through an HTTP proxy's `CONNECT`. undici's own proxy agent does the same, but
 * makes an object of the headers and so loses their repetitions.
 */
export function proxyConnector({ url, connect, secure, timeoutMs, check }: ProxyConnectorOptions): {
  connector: Connector;
  destroy(): Promise<void>;
} {
  const { origin, username, password } = new URL(url);
  const pool = new Pool(origin, { connect, connections: null });
  const authorization =
    username === ''
      ? {}
      : {
          'Proxy-Authorization': `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
        };

  async function tunnel(host: string, port: string) {
    const authority = `${host}:${port || 443}`;
    await check?.(host);
    const { statusCode, socket } = await pool.connect({
      path: authority,
      headers: { Host: authority, ...authorization },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode === 200) return socket;
    socket.on('error', () => {}).destroy();
    throw Object.assign(new Error(`the HTTPS proxy answered ${statusCode}`), { code: 'ERR_PROXY_TUNNEL' });
  }

  return {
    connector: (options, done) => {
      tunnel(options.hostname, options.port).then(
        (socket) => secure({ ...options, httpSocket: socket as never }, done),
        (error: Error) =>
          done(error.name === 'TimeoutError' ? new errors.ConnectTimeoutError() : error, null),
      );
    },
    destroy: () => pool.destroy(),
  };
}
