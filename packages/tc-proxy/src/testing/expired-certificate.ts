import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const caConfig = `
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = IP:127.0.0.1
basicConstraints = CA:true
`;

/** A self-signed certificate for 127.0.0.1 whose time was over in 2020. */
export function expiredCertificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'expired-'));
  function openssl(...argv: string[]): void {
    execFileSync('openssl', argv, { cwd: folder, stdio: 'ignore' });
  }
  try {
    writeFileSync(join(folder, 'ca.cnf'), caConfig);
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'serial'), '01');
    const newKey = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      'key.pem',
    ];
    openssl('req', '-new', ...newKey, '-subj', '/CN=test', '-out', 'request.pem');
    const time = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
    const files = ['-config', 'ca.cnf', '-keyfile', 'key.pem', '-in', 'request.pem', '-out', 'cert.pem'];
    openssl('ca', '-selfsign', '-batch', '-notext', ...time, ...files);
    return {
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
      cert: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
