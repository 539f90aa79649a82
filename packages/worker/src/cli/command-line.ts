import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { pullPolicies } from '../engine/pull-policy.ts';
import { UserError } from '../user-error.ts';
import { version } from '../version.ts';
import { type Shell, shells } from './completion-shells.ts';
import { exitCode } from './exit-code.ts';
import { eventKinds } from './task-file/event/event.ts';

/** Parses and runs a command line; returns the exit code. Each command is loaded only when it is used. */
export async function runCommandLine(argv: string[]): Promise<number> {
  ignoreLostOutput();
  let code = 0;
  const program = new Command('docker-worker')
    .description('Runs Taskcluster tasks in Docker containers.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for the options)');

  program
    .command('run-task')
    .argument(
      '[file]',
      'YAML or JSON: a task definition, just its payload, a list or graph of tasks, or a .taskcluster.yml; several documents are several tasks; the address of a task, as https://HOST/tasks/TASKID, runs that; "-" reads standard input',
    )
    .description("Run tasks on this machine, with an embedded Taskcluster; the exit code is the task's.")
    .option('--artifacts <dir>', 'keep the artifacts in this folder; each of several tasks has its own in it')
    .option(
      '--secret <name=json>',
      'a secret that the task may read, if its scopes allow; name=@file reads it from a file',
      collect,
      [],
    )
    .option('--scope <scope>', 'add a scope to the task', collect, [])
    .option(
      '--role <role=scopes>',
      "what a role grants that the task assumes, as in 'assume:repo:github.com/org/repo:*=SCOPE,SCOPE'",
      collect,
      [],
    )
    .option(
      '--context <file|name=value>',
      'what the JSON-e of the file may name: one value, or a YAML or JSON file of them',
      collect,
      [],
    )
    .addOption(
      new Option(
        '--event <kind>',
        'make the tasks of a .taskcluster.yml for this event, as it would come from the repository that the file lies in',
      ).choices(eventKinds),
    )
    .option('--event-file <file>', 'make them for a stored event: the body of a webhook, as JSON')
    .option('--task-id <id>', 'run this task of the deployment --root-url')
    .option('--root-url <url>', 'the deployment of --task-id; default: TASKCLUSTER_ROOT_URL')
    .option(
      '--upstream-root-url <url>',
      "fetch images that other tasks have made from this deployment; default: the task's, or TASKCLUSTER_ROOT_URL",
    )
    .option('--target <name>', 'run this task of the file, and those that it needs; a glob', collect, [])
    .option('--list', 'print the tasks of the file and what they need, and run none')
    .addOption(
      new Option(
        '--capacity <count>',
        'how many tasks run at once; default: as many as there are cores, two at least',
      ).argParser(wholeNumber),
    )
    .option(
      '--report <file>',
      "write what became of the tasks: as JSON, or as JUnit's XML, by the ending of the name",
      collect,
      [],
    )
    .option('--keep', 'keep the container of a task that fails, and print how to enter it')
    .option('--page', 'serve a page of the tasks, their logs and artifacts, and print its address')
    .option('--env <name=value>', 'set or override a variable of the task', collect, [])
    .option('--config <file>', 'settings of features, as in the configuration of a worker')
    .addOption(
      new Option('--pull <when>', 'when images are fetched from their registry; default: missing').choices(
        pullPolicies,
      ),
    )
    .option('--interactive', 'let people log into the task, and print the address of the page')
    .option('--shell', "open a shell in the task, in this terminal; its exit code is the command's")
    .option('--task-shell', "open a shell in place of the task's command, where that would run")
    .option('--dry-run', 'print what would be created and which scopes are missing')
    .addOption(logLevel('warn'))
    .action(async (file: string | undefined, options) => {
      const [{ z }, { EngineConnection }] = await Promise.all([
        import('zod'),
        import('./run-task/engine-connection.ts'),
      ]);
      // Each schema parses a document or two, which is done before it would be compiled.
      z.config({ jitless: true });
      await using engine = new EngineConnection();
      if (!options.list) {
        await engine.begin();
      }
      const { runTask } = await import('./run-task/run-task.ts');
      code = await runTask(file, options, engine);
    });

  program
    .command('start')
    .description('Claim and run tasks of a Taskcluster deployment until told to stop.')
    .addOption(configFile())
    .addOption(
      new Option('--host <host>', 'who the worker answers to')
        .choices(['standalone', 'worker-runner'])
        .default('standalone'),
    )
    .addOption(logLevel('info'))
    .action(async (options) => {
      const { start } = await import('./start.ts');
      code = await start(options);
      // What nobody reads would keep the process.
      const { flushStandardStreams } = await import('@docker-worker/service-kit/standard-streams');
      await flushStandardStreams();
      process.exit(code);
    });

  program
    .command('check')
    .description('Look for everything that would keep a worker from running; tell each problem with its fix.')
    .addOption(configFile().makeOptionMandatory(false))
    .option('--online', 'also ask the Taskcluster deployment')
    .action(async (options) => {
      const { check } = await import('./check/check.ts');
      code = await check(options);
    });

  program
    .command('images')
    .description('Images of the sidecars.')
    .command('load')
    .argument('<file>', 'the archive of a release')
    .description('Load the images of the sidecars, where no registry has them.')
    .action(async (file: string) => {
      const { loadImages } = await import('./load-images.ts');
      code = await loadImages(file);
    });

  program
    .command('sweep')
    .description('Remove containers and networks that killed workers left on this host.')
    .action(async () => {
      const { sweepHost } = await import('./sweep.ts');
      code = await sweepHost();
    });

  program
    .command('schema')
    .argument('<document>', '"payload" or "config"')
    .description('Print the JSON schema of task payloads or of the configuration file.')
    .action(async (document: string) => {
      const { printSchema } = await import('./schema.ts');
      code = printSchema(document);
    });

  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(shells))
    .description("Print a shell's completion of these commands, to be sourced by it.")
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion.ts');
      process.stdout.write(completionScript(program, shell));
    });

  try {
    await program.parseAsync(likeStart(argv));
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : exitCode.failure;
    }
    if (error instanceof UserError) {
      process.stderr.write(`${error.message}\n`);
      return exitCode.failure;
    }
    throw error;
  }
}

/** Without a listener, output that nobody reads any more would end the process in the middle of its work. */
function ignoreLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
  }
}

/** start-worker knows the original's command line: `docker-worker --host worker-runner production`. */
function likeStart(argv: string[]): string[] {
  const [node = '', script = '', first, host, ...profile] = argv;
  const isOriginals = first === '--host' && host !== undefined && profile.length <= 1;
  return isOriginals ? [node, script, 'start', '--host', host] : argv;
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  }
  return Number(value);
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

function configFile(): Option {
  return new Option('--config <file>', 'configuration, YAML or JSON')
    .env('DOCKER_WORKER_CONFIG')
    .makeOptionMandatory();
}

function logLevel(usual: string): Option {
  return new Option('--log-level <level>', 'how much the worker logs')
    .choices(['debug', 'info', 'warn', 'error', 'silent'])
    .default(usual);
}
