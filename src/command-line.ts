/** The command line: from words to an exit code (2 usage, 1 failure, 130 stopped by Ctrl-C, 143 by SIGTERM or the end of its terminal where that is not the usual end). */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './commands/context.ts';
import type { ServerOptions } from './commands/followers.ts';
import { DEMO_SETTINGS } from './commands/demo-settings.ts';
import { defaultOf, listSettings, meaningOf, splitList } from './config/settings.ts';
import { settingsTable } from './config/table.ts';
import { errorInfo, ERRORS, LookoutError, type ErrorCode } from './errors.ts';
import { version } from './lib/package.ts';
import { inLines } from './lib/terminal.ts';
import { asOfDisk } from './lib/transient.ts';
import type { Config } from './types.ts';

/** Faults of the command line or the settings, which end with 2. */
const USAGE: ReadonlySet<ErrorCode> = new Set(['config_invalid', 'bad_request', 'unknown_model']);

/** Adds a flag for each setting; the help tells those that the command goes by. */
function withSettings(command: Command, defaults: Partial<Config> = {}, told: readonly string[] | null = null): Command {
  command.option('--config <file>', 'Settings file. (default: lookout.yaml in the data folder)');
  for (const setting of listSettings(defaults)) {
    const { flag, kind, key } = setting;
    const value = kind === 'boolean' ? '' : ` <${kind === 'list' ? 'a,b' : kind}>`;
    const usual = defaultOf(setting);
    const option = new Option(flag + value, usual === '' ? meaningOf(setting) : `${meaningOf(setting)} (default: ${usual})`);
    command.addOption(option.hideHelp(told?.includes(key) === false));
  }
  return command;
}

/** What the models have to do with. */
const OF_MODELS = ['data_dir', 'models_dir', 'project', 'offline', 'log_level', 'log_format'];

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

function seconds(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a number of seconds above 0.');
  return Number(text);
}

/** `stopped`: the exit code after SIGTERM or SIGHUP, 0 where that is how the command is meant to end. */
type Run = (work: (context: CommandContext) => Promise<number>, options: Record<string, unknown>, stopped?: 0 | 143) => Promise<void>;

/** Each command is loaded when it is run: help and mistakes do not wait for the whole server. */
function program(run: Run): Command {
  const root = new Command('lookout')
    .description('Batch-oriented video pipeline orchestrator with pluggable model runners.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(try: lookout --help)');

  withSettings(root.command('serve').description('run the server: the API, the web page and the streams'))
    .action((options: Record<string, unknown>) => run(async (context) => (await import('./commands/serve.ts')).serve(context), options, 0));
  withSettings(root.command('demo').description('run the server with cameras of its own over real RTSP'), DEMO_SETTINGS)
    .option('--records <number>', 'stop after so many records of each camera', wholeNumber)
    .option('--fault <name>', 'what the first camera does wrong, 15 s in every 30; `--fault help` lists what it can do')
    .action((options: Record<string, unknown>) => run(async (context) => (await import('./commands/demo.ts')).demo(context, {
      records: (options.records as number | undefined) ?? null, fault: (options.fault as string | undefined) ?? null,
    }), options, 0));

  const models = root.command('models').description('look at models, prepare their environments, try them');
  withSettings(models.command('list').description('the models there are, and where they come from'), {}, OF_MODELS)
    .action((options: Record<string, unknown>) => run(async (context) => (await import('./commands/models.ts')).listModels(context), options));
  withSettings(models.command('prepare').argument('<name...>').description('build the environments of models'), {}, OF_MODELS)
    .action((names: string[], options: Record<string, unknown>) => run(async (context) => (await import('./commands/models.ts')).prepareModels(context, names), options));
  withSettings(
    models.command('try').argument('<name>').argument('<picture...>', 'pictures, folders of pictures, videos').description('run a model on pictures; print what it finds and draw it')
      .option('--out <folder>', 'where the drawings go', '.')
      .option('--json', 'print one JSON document; everything else goes to the standard error')
      .option('--every <seconds>', 'how often a video is looked at (default: as a stream would, interval_seconds)', seconds),
    {}, [...OF_MODELS, 'model_deadline_seconds'],
  ).action((name: string, named: string[], options: Record<string, unknown>) => run(async (context) => (await import('./commands/try.ts')).tryModel(context, name, named, {
    out: String(options.out), json: options.json === true, every: (options.every as number | undefined) ?? null,
  }), options));

  const cameras = root.command('cameras').description('cameras that push their pictures');
  withSettings(cameras.command('key').argument('<id>').description('make a key for a camera, in place of the one that it has; it is shown this once'), {}, ['data_dir', 'project'])
    .action((id: string, options: Record<string, unknown>) => run(async (context) => (await import('./commands/cameras.ts')).makeCameraKey(context, id), options));

  withSettings(root.command('replay').argument('[frame...]').description('run dead letters again, or stored frames through a model'))
    .option('--model <a,b>', 'the models for stored frames, or instead of those of the dead letters', splitList)
    .option('--camera <id>', 'the camera of stored frames; of dead letters: only its own')
    .option('--events', 'what is replayed makes events')
    .action((frames: string[], options: Record<string, unknown>) => run(async (context) => (await import('./commands/replay.ts')).replay(context, {
      frames, models: (options.model as readonly string[] | undefined) ?? null, camera: (options.camera as string | undefined) ?? null, events: options.events === true,
    }), options));
  withSettings(root.command('probe').argument('<url>').description('look at a camera for some seconds: what it sends, what it costs'), {}, ['interval_seconds', 'transport', 'tls', 'capture_engine', 'capture_mode', 'jpeg_quality', 'max_width'])
    .option('--json', 'print one JSON document')
    .option('--picture <file>', 'where one of its pictures goes')
    .action((url: string, options: Record<string, unknown>) => run(async (context) => (await import('./commands/probe.ts')).probe(context, url, {
      json: options.json === true, picture: (options.picture as string | undefined) ?? null,
    }), options));
  const followers = root.command('followers').description('those who deliver records and events elsewhere, of a server that runs');
  const ofServer = (command: Command): Command => command
    .option('--url <address>', 'the server', 'http://127.0.0.1:5000')
    .option('--token-file <file>', 'the file of its token (default: LOOKOUT_TOKEN in the environment)');
  const serverOf = (options: Record<string, unknown>): ServerOptions => ({ url: String(options.url), tokenFile: (options.tokenFile as string | undefined) ?? null });
  ofServer(followers.command('list').description('how they do; ends with 1 where one waits for its target'))
    .action((options: Record<string, unknown>) => run(async (context) => (await import('./commands/followers.ts')).listFollowers(context, serverOf(options)), options));
  ofServer(followers.command('test').argument('<name>').description('reach its target once'))
    .action((name: string, options: Record<string, unknown>) => run(async (context) => (await import('./commands/followers.ts')).testFollower(context, serverOf(options), name), options));
  ofServer(followers.command('rewind').argument('<name>').description('go on from another place of the logs'))
    .requiredOption('--to <place>', 'now, beginning, or a time such as 2026-01-31T12:00:00Z')
    .action((name: string, options: Record<string, unknown>) => run(async (context) => (await import('./commands/followers.ts')).rewindFollower(context, serverOf(options), name, String(options.to)), options));
  ofServer(followers.command('retry').argument('<name>').description('bring what its target refused once more'))
    .action((name: string, options: Record<string, unknown>) => run(async (context) => (await import('./commands/followers.ts')).retryFollower(context, serverOf(options), name), options));
  root.command('settings').description('every setting with its default, as a table; flags and LOOKOUT_ variables have the same names')
    .action(() => { process.stdout.write(`${settingsTable()}\n`); });
  withSettings(root.command('doctor').description('check what Lookout needs on this machine, or with --url how a server is that runs'))
    .option('--url <address>', 'the server that is examined instead of this machine, such as http://host:5000')
    .option('--token-file <file>', 'the file of its token (default: LOOKOUT_TOKEN in the environment)')
    .action((options: Record<string, unknown>) => run(async (context) => (
      typeof options.url === 'string'
        ? (await import('./commands/doctor-server.ts')).doctorOfServer(context, options.url, (options.tokenFile as string | undefined) ?? null)
        : (await import('./commands/doctor.ts')).doctor(context)
    ), options));
  return root;
}

/** Who asks a command to stop. */
export interface Stop {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The first signal; null: nobody has asked. */
  readonly by: () => NodeJS.Signals | null;
}

/** Runs the command of these words; resolves with the exit code. */
export async function commandLine(words: readonly string[], { signal, by }: Stop): Promise<number> {
  let exitCode = 0;
  let afterSigterm: 0 | 143 = 143;
  const exitOfStop = (): number | null => (by() === null ? null : by() === 'SIGINT' ? 130 : afterSigterm);
  try {
    await program(async (work, options, stopped = 143) => {
      afterSigterm = stopped;
      exitCode = await work({ signal, flags: options });
    }).parseAsync([...words], { from: 'user' });
    return exitOfStop() ?? exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const stopped = exitOfStop();
    if (stopped !== null && isOfStop(error)) return stopped;
    const { code, message } = errorInfo(asOfDisk(error));
    process.stderr.write(`lookout: ${inLines(message)}\nwhat to try: ${ERRORS[code].advice}\n`);
    if (code === 'internal' && error instanceof Error) process.stderr.write(`${inLines(error.stack ?? '')}\n`);
    return USAGE.has(code) ? 2 : 1;
  }
}

/** Whether it says no more than that what went on was stopped. */
function isOfStop(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || (error instanceof LookoutError && error.code === 'shutting_down') || isOfStop(error.cause);
}
