import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of loopback that nobody listens on, for programs that tell nobody which one they chose. It lies below the ports that the
 * kernel gives to connections, one of which could take it before the program does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const taken = await Promise.race([
      once(server, 'listening').then(() => false),
      once(server, 'error').then(() => true),
    ]);
    if (!taken) {
      server.close();
      await once(server, 'close');
      return port;
    }
  }
}
