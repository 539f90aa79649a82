import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** Name of the package. */
  service: string;
  file: string;
  text: string;
}

/** The sources of what people run, without tests. */
export function sourceFiles(): SourceFile[] {
  return globSync('packages/{*-proxy,exec-ws-server,service-kit,worker}/src/**/*.ts', { cwd: root })
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .sort()
    .map((file) => ({
      service: file.split('/')[1] ?? '',
      file,
      text: readFileSync(join(root, file), 'utf8'),
    }));
}
