#!/usr/bin/env node
/**
 * Makes a fresh clone ready, then runs the command it is given: packages, Docker Engine, bundles, images.
 * Plain Node and no dependencies, because it runs before there are any; each step does only what is missing,
 * beside those that it does not need.
 *
 *   node bootstrap.mjs [--omit=dev] [--images=NAME[,NAME...]] [--tools=NAME] [COMMAND [ARGUMENT...]]
 *
 * `--omit=dev` leaves out the packages that only those need who change or test this repository. `--images` are the
 * images that the command needs, without it all. `--tools` names a list in `config/debian-packages.json`: what the
 * command needs beside all that.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' };
const argv = process.argv.slice(2);
const commandAt = argv.findIndex((argument) => !argument.startsWith('--'));
const options = commandAt < 0 ? argv : argv.slice(0, commandAt);
const [command, ...args] = commandAt < 0 ? [] : argv.slice(commandAt);
const omitDev = options.includes('--omit=dev');
const tools = optionValue('--tools');
const images = optionValue('--images')?.split(',');

try {
  await Promise.all([step('packages', installPackages), step('engine', startEngine)]);
  const base = step('base image', () => run('node', ['docker/bake.ts', '--base-only']));
  const bundles = step('bundles', () =>
    run('turbo', ['run', 'build', '--output-logs=errors-only', '--log-order=stream', ...bundlesOf(images)]),
  );
  await Promise.all([
    Promise.all([base, bundles]).then(() =>
      step('images', () =>
        run('node', ['docker/bake.ts', ...(images ?? []).map((name) => `--only=${name}`)]),
      ),
    ),
    // After what may install a package for itself: apt serves one at a time.
    base.then(() => tools && step('tools', installTools)),
  ]);
  if (command) {
    process.exitCode = await runCommand(command, args);
  }
} catch (error) {
  say(error.message);
  // What runs beside it is let end: an apt that is cut leaves its database half done.
  process.exitCode = 1;
}

function optionValue(option) {
  return options.find((each) => each.startsWith(`${option}=`))?.slice(option.length + 1);
}

/** Of the worker, and of the images that have one. */
function bundlesOf(names) {
  const folders = names?.map((name) => `packages/${name}`).filter((folder) => existsSync(join(root, folder)));
  return folders
    ? ['--only', ...['packages/worker', ...folders].map((folder) => `--filter=./${folder}`)]
    : [];
}

async function step(name, make) {
  const started = Date.now();
  const outcome = (await make()) ?? 'ready';
  say(`${name}: ${outcome} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** The lockfile's digest beside the installed packages tells whether they are the ones it names. */
async function installPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.installed-lockfile');
  const wanted = omitDev ? [`${digest} omit=dev`, digest] : [digest];
  if (existsSync(stamp) && wanted.includes(readFileSync(stamp, 'utf8'))) {
    return 'up to date';
  }
  // Not `npm ci`, which refuses a lockfile without the optional packages of platforms that a registry lacks.
  await run('npm', ['install', '--no-save', '--loglevel=error', ...(omitDev ? ['--omit=dev'] : [])]);
  await requireNode();
  writeFileSync(stamp, wanted[0]);
  return 'installed';
}

/** npm brings ours for Linux; elsewhere it is the one of the system. */
async function requireNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const { stdout } = spawnSync('node', ['--version'], { env: environment, encoding: 'utf8' });
  if (Number.parseInt(stdout.slice(1), 10) < Number.parseInt(wanted.slice(2), 10)) {
    throw new Error(
      `This needs Node ${wanted} and found ${stdout.trim()}: install it from nodejs.org, then run this again.`,
    );
  }
}

async function startEngine() {
  if (engineAnswers()) {
    return 'answers';
  }
  const chosen = chosenEngine();
  if (chosen !== undefined) {
    throw new Error(
      `No Docker Engine answers at ${chosen}: start it, or choose another with DOCKER_HOST or "docker context use".`,
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
    await aptInstall(['docker.io', 'iptables', 'mmdebstrap']);
  }
  if (!engineAnswers()) {
    await startDaemon();
  }
  return 'started';
}

async function installTools() {
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
  await aptInstall(missing);
  return `installed ${missing.join(', ')}`;
}

async function aptInstall(packages) {
  await run('apt-get', ['update', '-qq']);
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}

function isDebianRoot() {
  return process.platform === 'linux' && process.getuid() === 0 && existsSync('/etc/debian_version');
}

/** systemd owns the daemon where it is the init system; elsewhere we start it, detached and logging to a file. */
async function startDaemon() {
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker']);
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
  while (!engineAnswers()) {
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

/** Asked by the docker command line, which knows of `DOCKER_HOST`, of contexts, and of certificates. */
function engineAnswers() {
  return docker('version').status === 0;
}

/** The engine that is not the one of this host, if any is chosen. */
function chosenEngine() {
  const { DOCKER_HOST: host, DOCKER_CONTEXT: named } = process.env;
  const context = named ?? docker('context', 'inspect', '--format', '{{.Name}}').stdout?.trim();
  return host ?? (context && context !== 'default' ? `the context ${context}` : undefined);
}

function docker(...argv) {
  return spawnSync('docker', argv, { encoding: 'utf8', timeout: 10_000 });
}

/** Runs a step's command; what it prints is shown when it fails. */
async function run(program, programArguments) {
  const child = spawn(program, programArguments, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => printed.push(chunk));
  }
  const end = await new Promise((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  if (end !== 0) {
    throw new Error(`${Buffer.concat(printed)}"${program} ${programArguments.join(' ')}" failed (${end}).`);
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
