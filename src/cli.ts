#!/usr/bin/env node
/** The program: its words, its signals and its end. */
import { commandLine } from './command-line.ts';
import { LookoutError } from './errors.ts';
import { outliveReaders } from './lib/standard-streams.ts';

const interrupt = new AbortController();
let first: NodeJS.Signals | null = null;

function onSignal(signal: NodeJS.Signals): void {
  if (first !== null) {
    // A terminal that is closed says so twice: its shell does, and the system.
    if (signal === 'SIGHUP') return;
    // The second one does not wait.
    process.exit(signal === 'SIGINT' ? 130 : 143);
  }
  first = signal;
  interrupt.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
}

process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
outliveReaders();
process.exit(await commandLine(process.argv.slice(2), { signal: interrupt.signal, by: () => first }));
