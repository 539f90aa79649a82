import type { ContainerStatus, RunStatus, WorkerStatus } from './worker-status.ts';

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; }
  h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; }
  section { overflow-x: auto; } code { font-size: .9em; overflow-wrap: anywhere; } .state { font-weight: 600; }
  @media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } a { color: #8bf; } th, td { border-color: #444; } }
`;

/** The status for people: one page without scripts that renews itself. */
export function statusPage({ worker, versions, capacity, disk, runs, warm }: WorkerStatus): string {
  const facts = {
    State: `<span class="state">${escaped(worker.state)}</span>, up ${duration(worker.upSeconds)}`,
    Tasks: `${capacity.running} of ${capacity.slots}`,
    'Free disk': `${gigabytes(disk.freeBytes)}, of which each task needs ${gigabytes(disk.neededBytesPerTask)}`,
    Versions: `docker-worker ${versions.worker}, Node ${versions.node}, Docker Engine ${versions.engine ?? 'unknown'}`,
    'Made ahead': containersCell(warm),
  };
  const rows = Object.entries(facts).map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`);
  const title = escaped(`${worker.pool} ${worker.group}/${worker.id}`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5"><title>${title}</title><style>${style}</style></head>
<body>
<h1>${title}</h1>
<table>${rows.join('')}</table>
<h2>Tasks</h2>
${runs.length === 0 ? '<p>None.</p>' : `<section>${runsTable(runs)}</section>`}
</body>
</html>
`;
}

function runsTable(runs: RunStatus[]): string {
  const heads = ['Task', 'Run', 'Claimed', 'Started', 'Over', 'Open', 'Containers'].map(
    (head) => `<th>${head}</th>`,
  );
  return `<table><tr>${heads.join('')}</tr>${runs.map(runRow).join('')}</table>`;
}

function runRow({ taskId, runId, name, claimed, started, vacated, links, containers }: RunStatus): string {
  const open = Object.entries(links).map(
    ([what, url]) => `<a href="${escaped(url)}" rel="noreferrer">${escaped(what)}</a>`,
  );
  const cells = [
    `${escaped(name)}<br><code>${escaped(taskId)}</code>`,
    String(runId),
    escaped(claimed),
    escaped(started ?? 'not yet'),
    escaped(vacated ?? ''),
    open.join(' '),
    containersCell(containers),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function containersCell(containers: ContainerStatus[]): string {
  return (
    containers
      .map(({ role, id, state }) => `${escaped(role)} <code>${id}</code> ${escaped(state)}`)
      .join('<br>') || 'none'
  );
}

function gigabytes(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${(bytes / 1e9).toFixed(1)} GB`;
}

function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  return hours > 0
    ? `${hours} h ${Math.floor((seconds % 3600) / 60)} min`
    : `${Math.floor(seconds / 60)} min`;
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
