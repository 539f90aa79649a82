export { TcProxyConfig as config } from './tc-proxy-config.ts';

/** Takes the place of the service's start when its options are only to be checked: by now they are found valid. */
export async function start(): Promise<never> {
  process.stdout.write('the configuration is valid\n');
  process.exit(0);
}
