// Submits a message that nodemailer composes, as the job on standard input says. Answers with one JSON document: what each
// attempt came to, and the octets of the composed message.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const nodemailer = require('nodemailer');
const MailComposer = require('nodemailer/lib/mail-composer');

const job = JSON.parse(readFileSync(0, 'utf8'));

const mail = {
  from: `Lisa Example <${job.sender}>`,
  to: job.recipient,
  subject: job.subject,
  date: new Date('2026-11-20T10:11:12+01:00'),
  messageId: `<${job.recipient}>`,
  baseBoundary: 'part',
  text: 'Grüße ∀x∈ℝ\n.\n..\n.hidden\nFrom here on\n',
  attachments: [{ filename: 'octets.bin', content: Buffer.from(job.attachment, 'base64'), contentType: 'application/octet-stream' }],
};

async function submit(password) {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: job.port,
    secure: job.way === 'Implicit',
    requireTLS: true,
    name: 'client.test',
    authMethod: job.mechanism ?? undefined,
    auth: { user: job.user, pass: password },
    tls: { ca: readFileSync(job.ca) },
  });
  try {
    return { response: (await transport.sendMail(mail)).response };
  } catch (error) {
    return { failure: error.code, code: error.responseCode };
  } finally {
    transport.close();
  }
}

const attempts = [];
for (const password of job.passwords)
  attempts.push(await submit(password));
// Its transport ends every line with CRLF on the wire, as SMTP wants; the composed message still has the text's own line ends.
const sent = (await new MailComposer(mail).compile().build()).toString('latin1').replaceAll(/\r?\n/g, '\r\n');
process.stdout.write(JSON.stringify({ attempts, sent: Buffer.from(sent, 'latin1').toString('base64') }));
