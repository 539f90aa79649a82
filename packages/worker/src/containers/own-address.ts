import { readFile } from 'node:fs/promises';

/** Whether a host has an IPv4 address. It asks the kernel: Node tells only of interfaces with something attached. */
export async function isOwnAddress(address: string): Promise<boolean> {
  // Other systems have the networks of no engine.
  const routes = await readFile('/proc/net/fib_trie', 'utf8').catch(() => '');
  return new RegExp(`\\|-- ${address.replaceAll('.', '\\.')}\\n\\s*/32 host LOCAL`).test(routes);
}
