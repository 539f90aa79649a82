const common = `
daemon off;
master_process off;
worker_rlimit_nofile 8192;
error_log stderr crit;
events { worker_connections 4096; }
`;

function paths(folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n');
}

/** An upstream that answers everything with one small JSON. */
export function upstreamConfig(folder: string, port: number): string {
  const json = JSON.stringify({
    status: { taskId: 'AAAAAAAAAAAAAAAAAAAAAA', state: 'running', runs: [{ runId: 0, state: 'running' }] },
  });
  return `pid ${folder}/upstream.pid; ${common}
http {
  ${paths(folder)}
  access_log off; keepalive_requests 100000000; default_type application/json;
  server { listen 127.0.0.1:${port} backlog=1024; location / { return 200 '${json}'; } }
}`;
}

/**
 * A plain reverse proxy: no signature, connections to the upstream kept. With `buffering`, as nginx is by default, it reads
 * ahead of the client; without it, it passes on what it has, as tc-proxy does.
 */
export function proxyConfig(
  folder: string,
  port: number,
  { upstreamPort, buffering }: { upstreamPort: number; buffering: boolean },
): string {
  return `pid ${folder}/proxy-${port}.pid; ${common}
http {
  ${paths(folder)}
  access_log off; keepalive_requests 100000000; client_max_body_size 0;
  upstream up { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering ${buffering ? 'on' : 'off'};
      proxy_request_buffering off;
    }
  }
}`;
}
