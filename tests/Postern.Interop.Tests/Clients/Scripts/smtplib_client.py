"""Submits a message that email.message composes, with smtplib, as the job on standard input says.

Answers with one JSON document: what each login came to, and the octets that were handed to the server.
"""
import base64
import json
import smtplib
import ssl
import sys
from email.message import EmailMessage


def compose(job):
    message = EmailMessage()
    message["From"] = job["sender"]
    message["To"] = job["recipient"]
    message["Subject"] = job["subject"]
    message["Date"] = "Fri, 20 Nov 2026 10:11:12 +0100"
    message["Message-ID"] = "<%s>" % job["recipient"]
    message.set_content("Grüße ∀x∈ℝ\n.\n..\n.hidden\nFrom here on\n", cte="8bit")
    message.add_attachment(base64.b64decode(job["attachment"]), maintype="application", subtype="octet-stream", filename="octets.bin")
    return message


class Recorder:
    """Keeps what goes into DATA, before dots are stuffed."""

    sent = b""

    def data(self, msg):
        self.sent = msg
        return super().data(msg)


class StartTlsClient(Recorder, smtplib.SMTP):
    pass


class ImplicitClient(Recorder, smtplib.SMTP_SSL):
    pass


def connect(job):
    trust = ssl.create_default_context(cafile=job["ca"])
    if job["way"] == "Implicit":
        return ImplicitClient("127.0.0.1", job["port"], context=trust, local_hostname="client.test")
    client = StartTlsClient("127.0.0.1", job["port"], local_hostname="client.test")
    client.starttls(context=trust)
    return client


def login(client, job, password):
    try:
        if job["mechanism"] is None:
            code, _ = client.login(job["user"], password)
        else:
            client.ehlo_or_helo_if_needed()
            client.user, client.password = job["user"], password
            exchange = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[job["mechanism"]]
            code, _ = client.auth(job["mechanism"], exchange, initial_response_ok=job["initial_response"])
        return {"code": code}
    except smtplib.SMTPAuthenticationError as error:
        return {"code": error.smtp_code, "failure": "SMTPAuthenticationError"}


def main():
    job = json.load(sys.stdin)
    with connect(job) as client:
        logins = [login(client, job, password) for password in job["passwords"]]
        client.send_message(compose(job))
        json.dump({"logins": logins, "sent": base64.b64encode(client.sent).decode("ascii")}, sys.stdout)


main()
