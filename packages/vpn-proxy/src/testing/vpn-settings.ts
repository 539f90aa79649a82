/** Both ends of a VPN of the test's own. */
export interface VpnSettings {
  /** What the tunnel's packets are carried by. */
  protocol: 'tcp' | 'udp';
  /** What the server says when it is complete. */
  readyText: string;
  /** Name and password that the server takes, if it asks for any. */
  user: { name: string; password: string };
  /** Parts of the client's files that nobody must be told. */
  secrets: string[];
  /** Contents of the server's folder. */
  serverFiles: Record<string, string>;
  /** Contents of the client's folder, for a server that is reached there. */
  clientFiles(host: string, port: number): Record<string, string>;
}
