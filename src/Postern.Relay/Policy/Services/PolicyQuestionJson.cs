using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Services;

/// <summary>A question in JSON (docs/http-policy.openapi.yaml). What is not known is left out.</summary>
internal static class PolicyQuestionJson
{
    public static ReadOnlyMemory<byte> Write(string id, RuleContext context, TimedQuestion asked)
    {
        var (question, facts) = (context.Question, context.Facts);
        var connection = facts.Connection;
        var octets = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(octets))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("stage", asked.Stage.ToWord());
            Write(json, "context", asked.Context);
            Write(json, "session", facts.Session);
            json.WriteString("transaction", connection.Transaction.ToString("x16", CultureInfo.InvariantCulture));
            json.WriteString("listener", facts.Listener);
            json.WriteStartObject("client");
            json.WriteString("address", facts.Client.ToString());
            if (connection.ClientPort > 0)
                json.WriteNumber("port", connection.ClientPort);
            Write(json, "name", connection.ClientName);
            json.WriteEndObject();
            if (connection.Server is { } server)
            {
                json.WriteStartObject("server");
                json.WriteString("address", server.Address.ToString());
                json.WriteNumber("port", server.Port);
                json.WriteEndObject();
            }

            json.WriteString("protocol", connection.IsLmtp ? "LMTP" : connection.IsExtended ? "ESMTP" : "SMTP");
            Write(json, "helo", facts.Helo);
            WriteTls(json, facts);
            Write(json, "login", facts.Login);
            Write(json, "mechanism", connection.Mechanism);
            Write(json, "tenant", facts.Tenant);
            json.WriteString("sender", question.Sender.Address);
            Write(json, "recipient", question.Recipient?.Address);
            if (asked.Stage == RuleStage.Message)
                Write(json, "recipients", question.Recipients);
            if (question.Parameters?.DeclaredSize is { } size)
                json.WriteNumber("size", size);
            if (question.Header is { } header)
            {
                json.WriteStartObject("header");
                Write(json, "from", header.From);
                Write(json, "message_id", header.MessageId);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return octets.WrittenMemory;
    }

    private static void WriteTls(Utf8JsonWriter json, EnvelopeFacts facts)
    {
        if (facts.Tls is null)
            return;
        json.WriteStartObject("tls");
        json.WriteString("version", facts.Tls);
        Write(json, "cipher", facts.Connection.Cipher);
        if (facts.Connection.Certificate is { } certificate)
        {
            json.WriteStartObject("certificate");
            json.WriteString("subject", certificate.Subject);
            json.WriteString("fingerprint", certificate.Fingerprint);
            json.WriteBoolean("trusted", certificate.IsTrusted);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string member, IEnumerable<Mailbox> mailboxes)
    {
        json.WriteStartArray(member);
        foreach (var one in mailboxes)
            json.WriteStringValue(one.Address);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string member, string? text)
    {
        if (!string.IsNullOrEmpty(text))
            json.WriteString(member, text);
    }
}
