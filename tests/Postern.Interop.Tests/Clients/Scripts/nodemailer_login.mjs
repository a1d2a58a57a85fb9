// Logs in with nodemailer's connection as the job on standard input says; answers with a JSON list, the reply to each secret.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const SMTPConnection = require('nodemailer/lib/smtp-connection');
const XOAuth2 = require('nodemailer/lib/xoauth2');

const job = JSON.parse(readFileSync(0, 'utf8'));

function credentials(secret) {
  return job.mechanism === 'XOAUTH2'
    ? { oauth2: new XOAuth2({ user: job.user, accessToken: secret }) }
    : { credentials: { user: job.user, pass: secret } };
}

function login(secret) {
  return new Promise((resolve, reject) => {
    const connection = new SMTPConnection({
      host: '127.0.0.1', port: job.port, secure: false, requireTLS: true, name: 'client.test', authMethod: job.mechanism, tls: { ca: readFileSync(job.ca) },
    });
    connection.once('error', reject);
    connection.connect(() => {
      connection.login({ user: job.user, method: job.mechanism, ...credentials(secret) }, (error) => {
        resolve(error ? error.response ?? `no reply: ${error.message}` : connection.lastServerResponse);
        connection.quit();
      });
    });
  });
}

const replies = [];
for (const secret of job.secrets)
  replies.push(await login(secret));
process.stdout.write(JSON.stringify(replies));
