using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Drop;
using Postern.Relay.Runtime;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Commands.Sendmail;

/// <summary>Takes a message from standard input, by itself or in an SMTP dialogue, and leaves it in the drop directory.</summary>
/// <param name="drop">The directory.</param>
internal sealed class LetterDesk(LocalConfiguration configuration, string drop, TimeProvider clock)
{
    private const string NameVariable = "NAME";

    /// <summary>The user's name for the system.</summary>
    public required string Caller { get; init; }

    /// <summary>The user's name for people; null where nobody knows.</summary>
    public string? FullName { get; init; }

    /// <summary>As whom it sends, where the file will not say; else null.</summary>
    public string? As { get; init; }

    private Domain Host => configuration.Server.Hostname;

    /// <summary>Leaves one message.</summary>
    public async Task<int> LeaveAsync(SendmailArguments arguments, Terminal terminal, CancellationToken ct)
    {
        var recipients = new List<Mailbox>();
        foreach (var text in arguments.Recipients)
        {
            if (!AddressList.TryRead(text, Host, recipients, out var bad))
                return terminal.Fail($"sendmail: '{bad}' is not an address", "Nothing was sent.", SysExits.Data);
        }

        if (recipients.Count == 0 && !arguments.ReadsRecipients)
            return terminal.Fail("sendmail: there is no recipient", "Name one, or say -t to take those of the message.", SysExits.Usage);
        if (!TryReadSender(arguments.Sender, out var sender))
            return terminal.Fail($"sendmail: -f '{arguments.Sender}' is not an address", "Nothing was sent.", SysExits.Data);
        if (sender.IsNull && arguments.Verp is not null)
            return terminal.Fail("sendmail: -XV needs a sender", "-f names one; reports have none.", SysExits.Usage);
        var input = new LetterInput(terminal.InputOctets, endsAtDot: !arguments.IgnoresDots);
        var head = await LetterHead.ReadAsync(input, ct);
        if (arguments.ReadsRecipients && !head.TryReadRecipients(Host, recipients, out var wrong))
            return terminal.Fail($"sendmail: '{wrong}' in the header is not an address", "Nothing was sent.", SysExits.Data);
        if (recipients.Count == 0)
            return terminal.Fail("sendmail: the message names no recipient", "It has no address in To, Cc or Bcc.", SysExits.Data);
        return await StoreAsync(EnvelopeOf(arguments, sender, recipients), head, input, arguments.FullName, ct)
            ? SysExits.Ok
            : terminal.Fail(
                string.Create(
                    CultureInfo.InvariantCulture, $"sendmail: the message is larger than {configuration.Limits.MessageSize} octets"),
                "Nothing was sent; limits.message_size is what the server takes.",
                SysExits.Data);
    }

    /// <summary>Speaks SMTP; each message that is accepted has been left. What the server's rules say of it is known later.</summary>
    public async Task<int> SpeakSmtpAsync(Terminal terminal, CancellationToken ct)
    {
        var end = new DialogueEnd();
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = Host.Text,
            Policy = EnvelopePolicy.From(static (_, _, _) => new(new Verdict.Permit(RelayService.LocalListener))),
            Store = new DropStore(drop, As, clock),
            Limits = configuration.Limits.ToSessionLimits(),
            Events = end,
            Clock = clock,
        });
        var listener = new SmtpListenerOptions
        {
            Name = RelayService.LocalListener,
            Tls = TlsMode.None,
            Auth = AuthMode.Off,
            BareNewlines = BareNewlines.Normalize,
            // The size of a chunk is that of the octets before they get the line ends of SMTP.
            WithoutExtensions = ["CHUNKING", "BINARYMIME"],
        };
        await server.ServeAsync(
            new DuplexStream(new DialogueInput(terminal.InputOctets), terminal.Octets),
            new IPEndPoint(IPAddress.Loopback, 0),
            listener,
            ct);
        return end.IsCutOff
            ? terminal.Fail(
                "sendmail: the input ended within a message, which was not taken",
                "A line with a dot alone ends a message; those that were answered 250 before it are taken.",
                SysExits.Data)
            : SysExits.Ok;
    }

    private static SmtpEnvelope EnvelopeOf(SendmailArguments arguments, ReversePath sender, List<Mailbox> recipients)
    {
        ImmutableArray<Mailbox> each = [.. recipients.Distinct()];
        var isUtf8 = sender is { Mailbox.IsAscii: false } || each.Any(static r => !r.IsAscii);
        var wishes = new RecipientParameters { Notify = arguments.Notify };
        return new SmtpEnvelope(sender, each)
        {
            Parameters = new MailParameters
            {
                Body = arguments.IsSevenBit ? BodyType.SevenBit : BodyType.EightBitMime,
                IsUtf8 = isUtf8,
                Return = arguments.Return,
                EnvelopeId = arguments.EnvelopeId,
                Verp = arguments.Verp,
            },
            RecipientParameters = arguments.Notify == DsnNotify.Unspecified ? [] : [.. each.Select(_ => wishes)],
        };
    }

    /// <summary>False for a message that is too large, of which nothing is kept.</summary>
    private async ValueTask<bool> StoreAsync(
        SmtpEnvelope envelope, LetterHead head, LetterInput input, string? fullName, CancellationToken ct)
    {
        await using var writer = DropWriter.Begin(drop, envelope, As, clock);
        await writer.AppendAsync(head.Section, ct);
        if (!head.HasFrom)
            await writer.AppendAsync(FromField(envelope.Sender, fullName), ct);
        if (!head.Rest.Span.StartsWith("\r\n"u8))
            await writer.AppendAsync("\r\n"u8.ToArray(), ct);
        await writer.AppendAsync(head.Rest, ct);
        while (await input.ReadAsync(ct) is { IsEmpty: false } part)
        {
            if (writer.Length + part.Length > configuration.Limits.MessageSize)
                return false;
            await writer.AppendAsync(part, ct);
        }

        await writer.CommitAsync(ct);
        return true;
    }

    private byte[] FromField(ReversePath sender, string? fullName)
    {
        var address = sender.Mailbox?.Address ?? $"{Caller}@{Host}";
        var name = fullName ?? Environment.GetEnvironmentVariable(NameVariable) ?? FullName;
        return Encoding.UTF8.GetBytes(string.IsNullOrWhiteSpace(name) ? $"From: {address}\r\n" : $"From: {Phrase(name)} <{address}>\r\n");
    }

    /// <summary>A quoted string, or an encoded word where it is not US-ASCII (RFC 2047).</summary>
    private static string Phrase(string name)
    {
        var words = string.Concat(name.Where(static c => !char.IsControl(c)));
        return words.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(words))}?="
            : words.All(static c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '-')
                ? words
                : $"\"{words.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>The user, unless another is named.</summary>
    private bool TryReadSender(string? text, out ReversePath sender)
    {
        sender = ReversePath.Null;
        if (text?.Trim() is "" or "<>")
            return true;
        var found = new List<Mailbox>();
        if (!AddressList.TryRead(text ?? Caller, Host, found, out _) || found is not [var one])
            return false;
        sender = new ReversePath(one);
        return true;
    }
}
