/**
 * Fills V8's compile cache of an image while the image is made, so that it depends on the code alone:
 *
 *   node --hash-seed=1 --import /app/fill-compile-cache.mjs /app/main.js …
 *
 * V8 writes hashes of names into what it caches, and salts them anew in every process, because clients must not be able to guess
 * them. A fixed salt makes the cache the same each time. The flag is taken back before anything is cached: a cache is for
 * exactly the flags that it was made with, and the process that uses it must have a salt of its own. It computes
 * the hashes anew as it reads.
 */
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--hash-seed=0');
enableCompileCache(process.env.COMPILE_CACHE_TO_FILL);
