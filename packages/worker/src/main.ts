#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Must run before the modules that it is to speed up are loaded.
enableCompileCache();
// The Hawk library parses URLs in a way that Node warns of at every start; nobody at a terminal can mend it.
process.noDeprecation = true;
const { runCommandLine } = await import('./cli/command-line.ts');
process.exitCode = await runCommandLine(process.argv);
