import { wholeNumber } from '../options/option-table.ts';

export const greeterOptions = {
  port: {
    flag: 'port',
    short: 'p',
    env: 'GREETER_PORT',
    placeholder: '<n>',
    description: 'Port to listen on.',
    parse: wholeNumber,
    standaloneDefault: 0,
  },
  greeting: { flag: 'greeting', env: 'GREETER_GREETING', description: 'What to say.' },
  'credentials.clientId': { flag: 'client-id', env: 'GREETER_CLIENT_ID', description: 'Who says it.' },
  'credentials.accessToken': {
    flag: 'access-token',
    env: 'GREETER_ACCESS_TOKEN',
    description: 'A secret.',
    secret: true,
  },
  names: { positional: true, placeholder: '<name>', description: 'Whom to greet.' },
  isLoud: { flag: 'loud', env: 'GREETER_LOUD', boolean: true, description: 'In capitals.' },
} as const;
