#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';

// Must run before the modules that it is to speed up are loaded.
enableCompileCache();
// Compression takes a thread per core, and must leave some for files; read when the first one is needed.
process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism() + 4);
// The Hawk library parses URLs in a way that Node warns of at every start; nobody at a terminal can mend it.
process.noDeprecation = true;
const { runCommandLine } = await import('./cli/command-line.ts');
process.exitCode = await runCommandLine(process.argv);
