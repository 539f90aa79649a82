#!/usr/bin/env node
/**
 * Makes a fresh clone ready, then runs the command it is given: packages, Docker Engine, bundles, images.
 * Plain Node and no dependencies, because it runs before there are any; each step does only what is missing.
 *
 *   node bootstrap.mjs [--tools=NAME] [COMMAND [ARGUMENT...]]
 *
 * `--tools` names a list in `config/debian-packages.json`: what the command needs beside all that.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' };
const [first = '', ...others] = process.argv.slice(2);
const [tools, [command, ...args]] = first.startsWith('--tools=')
  ? [first.slice('--tools='.length), others]
  : [undefined, [first, ...others]];
const steps = [
  ['packages', installPackages],
  ['engine', startEngine],
  ['bundles', () => run('turbo', ['run', 'build', '--output-logs=errors-only', '--log-order=stream'])],
  ['images', () => run('node', ['docker/bake.ts'])],
  ...(tools === undefined ? [] : [['tools', installTools]]),
];

try {
  for (const [index, [name, step]] of steps.entries()) {
    const started = Date.now();
    const outcome = (await step()) ?? 'ready';
    say(
      `[${index + 1}/${steps.length}] ${name}: ${outcome} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
    );
  }
} catch (error) {
  say(error.message);
  process.exit(1);
}
if (command) {
  process.exitCode = await runCommand(command, args);
}

/** The lockfile's digest beside the installed packages tells whether they are the ones it names. */
async function installPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.installed-lockfile');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
    return 'up to date';
  }
  // Not `npm ci`, which refuses a lockfile without the optional packages of platforms that a registry lacks.
  run('npm', ['install', '--no-save', '--loglevel=error']);
  writeFileSync(stamp, digest);
  return 'installed';
}

async function startEngine() {
  if (await engineAnswers()) {
    return 'answers';
  }
  if (process.env.DOCKER_HOST) {
    throw new Error(
      `No Docker Engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}: start it, or unset DOCKER_HOST.`,
    );
  }
  if (!isDebianRoot()) {
    throw new Error(
      'No Docker Engine answers at /var/run/docker.sock. Install and start one (for Debian or Ubuntu: ' +
        '"sudo apt-get install docker.io iptables"; elsewhere see docs.docker.com/engine/install), make sure that ' +
        'this user may use its socket (group "docker"), or set DOCKER_HOST; then run this command again.',
    );
  }
  if (!existsSync('/usr/sbin/dockerd') && !existsSync('/usr/bin/dockerd')) {
    aptInstall(['docker.io', 'iptables']);
  }
  if (!(await engineAnswers())) {
    await startDaemon();
  }
  return 'started';
}

function installTools() {
  const lists = JSON.parse(readFileSync(join(root, 'config', 'debian-packages.json'), 'utf8'));
  const missing = lists[tools].filter((name) => {
    const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' });
    // A package that others only recommend is known, too.
    return !stdout.includes('\nStatus: install ok installed\n');
  });
  if (missing.length === 0) {
    return 'up to date';
  }
  if (!isDebianRoot()) {
    throw new Error(`Install these with your system's packages, then run this again: ${missing.join(', ')}.`);
  }
  aptInstall(missing);
  return `installed ${missing.join(', ')}`;
}

function aptInstall(packages) {
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}

function isDebianRoot() {
  return process.platform === 'linux' && process.getuid() === 0 && existsSync('/etc/debian_version');
}

/** systemd owns the daemon where it is the init system; elsewhere we start it, detached and logging to a file. */
async function startDaemon() {
  if (existsSync('/run/systemd/system')) {
    run('systemctl', ['start', 'docker']);
    return;
  }
  removeStalePid('/var/run/docker.pid', 'dockerd');
  removeStalePid('/var/run/docker/containerd/containerd.pid', 'containerd');
  const log = '/var/log/dockerd.log';
  const started = Date.now();
  const output = openSync(log, 'a');
  const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', output, output] });
  let exit;
  daemon.on('exit', (code) => {
    exit = code ?? 'a signal';
  });
  daemon.on('error', (error) => {
    exit = error.message;
  });
  daemon.unref();
  // The daemon tells only its log file when it listens, and a detached daemon must not hold a pipe of ours.
  while (!(await engineAnswers())) {
    if (exit !== undefined || Date.now() - started > 60_000) {
      throw new Error(`dockerd did not start (${exit ?? 'no answer within 60 s'}); its log is ${log}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A daemon that was killed leaves its pid file, which keeps the next one from starting once the pid is reused. */
function removeStalePid(file, program) {
  if (!existsSync(file)) {
    return;
  }
  const command = `/proc/${readFileSync(file, 'utf8').trim()}/comm`;
  if (!existsSync(command) || readFileSync(command, 'utf8').trim() !== program) {
    rmSync(file);
  }
}

function engineAnswers() {
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  const options = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: new URL(host).hostname, port: new URL(host).port };
  return new Promise((resolve) => {
    const ping = request({ ...options, path: '/_ping', timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

/** Runs a step's command; its output goes to our standard error, which keeps standard output the command's own. */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, env: environment, stdio: ['ignore', 2, 2] });
  if (result.error) {
    throw new Error(`${command}: ${result.error.message}`);
  }
  if (result.status !== 0) {
    throw new Error(
      `"${command} ${args.join(' ')}" failed (${result.signal ?? `exit code ${result.status}`}).`,
    );
  }
}

/** The command owns the terminal: its signals are its own to handle, its exit code is ours. */
function runCommand(command, args) {
  const child = spawn(command, args, { cwd: root, env: environment, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
