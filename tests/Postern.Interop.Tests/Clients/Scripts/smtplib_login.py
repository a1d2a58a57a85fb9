"""Logs in with smtplib as the job on standard input says; answers with a JSON list, the reply to each secret."""
import json
import smtplib
import ssl
import sys


def login(client, job, secret):
    client.user, client.password = job["user"], secret
    exchange = {
        "PLAIN": client.auth_plain,
        "LOGIN": client.auth_login,
        "CRAM-MD5": client.auth_cram_md5,
        # Asked a second time, it is the server's reason for a refusal: that wants an empty answer.
        "XOAUTH2": lambda challenge=None: "" if challenge else "user=%s\1auth=Bearer %s\1\1" % (job["user"], secret),
    }[job["mechanism"]]
    try:
        code, text = client.auth(job["mechanism"], exchange)
    except smtplib.SMTPAuthenticationError as error:
        code, text = error.smtp_code, error.smtp_error
    return "%d %s" % (code, text.decode("ascii"))


def main():
    job = json.load(sys.stdin)
    with smtplib.SMTP("127.0.0.1", job["port"], local_hostname="client.test") as client:
        client.starttls(context=ssl.create_default_context(cafile=job["ca"]))
        client.ehlo()
        json.dump([login(client, job, secret) for secret in job["secrets"]], sys.stdout)


main()
