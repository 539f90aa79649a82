/**
 * Node's `node:http`, taken this way because an `import` of it makes Node read all of its exports at
 * once, lazy ones included, which loads a whole second HTTP client and costs 30 ms at each start.
 */
export const http = process.getBuiltinModule('node:http');
