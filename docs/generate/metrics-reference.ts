import { code, table } from './markdown.ts';
import { sourceFiles } from './source-files.ts';

const created = /new (?:Route)?(Counter|Gauge|Histogram)\(/g;
const described =
  /new (?:Route)?(Counter|Gauge|Histogram)\(\{\s*name: '([^']+)',\s*help:\s*'((?:[^'\\]|\\.)*)'/g;

/** All Prometheus metrics, by the service that has them. */
export function metricsReference(): string {
  const rows = [];
  for (const { service, file, text } of sourceFiles()) {
    const metrics = [...text.matchAll(described)];
    if (metrics.length !== [...text.matchAll(created)].length) {
      throw new Error(`${file}: each metric must begin with its name and its help, as literals`);
    }
    for (const [, kind = '', name = '', help = ''] of metrics) {
      rows.push([code(name), kind.toLowerCase(), service === 'service-kit' ? 'all proxies' : service, help]);
    }
  }
  return table(['metric', 'kind', 'of', 'is'], rows);
}
