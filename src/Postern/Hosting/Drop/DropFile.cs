using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Postern.Machine;
using Postern.Smtp.Client;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Hosting.Drop;

/// <summary>
/// One message as it waits in the drop directory: a line with the length of its content, lines for the envelope, an empty line, the
/// content. Whoever may write there wrote it, so every word of it is read as strictly as what comes from the network.
/// </summary>
/// <param name="Envelope">What was said of the message.</param>
/// <param name="User">As whom the writer wants to be known; believed only of the server's own user.</param>
internal sealed record DropFile(SmtpEnvelope Envelope, string? User)
{
    private const string Magic = "postern-drop 1 ";
    private const int LengthDigits = 16;
    private const int MostHead = 4 * 1024 * 1024;
    private const int FirstRead = 4 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Where the content begins in the file.</summary>
    public long ContentAt { get; private init; }

    /// <summary>Octets of content.</summary>
    public long Length { get; private init; }

    /// <summary>Everything before the content, which is as long as <paramref name="length"/> says.</summary>
    public static byte[] Head(SmtpEnvelope envelope, string? user, long length)
    {
        var text = new StringBuilder(LengthLine(length));
        if (user is not null)
            text.Append(CultureInfo.InvariantCulture, $"user\t{user}\n");
        text.Append(CultureInfo.InvariantCulture, $"from\t{envelope.Sender.Address}\t{ParameterText.Of(envelope.Parameters)}\n");
        for (var i = 0; i < envelope.Recipients.Length; i++)
            text.Append(
                CultureInfo.InvariantCulture, $"to\t{envelope.Recipients[i].Address}\t{ParameterText.Of(envelope.ParametersOf(i))}\n");
        return StrictUtf8.GetBytes(text.Append('\n').ToString());
    }

    /// <summary>The first line, which has the same number of octets for every length.</summary>
    public static string LengthLine(long length) => $"{Magic}{length.ToString($"D{LengthDigits}", CultureInfo.InvariantCulture)}\n";

    /// <summary>Reads the head of a file. False with the reason where it is no message, or not a whole one.</summary>
    public static bool TryRead(SafeFileHandle file, [NotNullWhen(true)] out DropFile? dropped, out string whyNot)
    {
        dropped = null;
        if (ReadHead(file) is not { } head)
        {
            whyNot = "it has no proper beginning";
            return false;
        }

        string text;
        try
        {
            text = StrictUtf8.GetString(head);
        }
        catch (DecoderFallbackException)
        {
            whyNot = "its beginning is not UTF-8";
            return false;
        }

        (dropped, whyNot) = Parse(text[..^1].Split('\n')[..^1]);
        if (dropped is null)
            return false;
        dropped = dropped with { ContentAt = head.Length };
        if (RandomAccess.GetLength(file) == dropped.ContentAt + dropped.Length)
            return true;
        whyNot = "it is longer or shorter than it says";
        dropped = null;
        return false;
    }

    /// <summary>
    /// As whom it is sent: as its owner, by the system's word. Whoever could forge the owner of a file, or is the server itself, needs no
    /// leave to be believed.
    /// </summary>
    public string UserOf(FileFacts facts) =>
        (facts.User == UserIdentity.Effective ? User : null)
            ?? UserIdentity.ListedNameOf(facts.User)
            ?? string.Create(CultureInfo.InvariantCulture, $"uid{facts.User}");

    /// <summary>The content, read from the file while it is open.</summary>
    public IMessageContent ContentOf(SafeFileHandle file) => new Content(file, ContentAt, Length);

    /// <summary>Up to and including the empty line; null where there is none.</summary>
    private static byte[]? ReadHead(SafeFileHandle file)
    {
        var buffer = new byte[FirstRead];
        var read = 0;
        while (true)
        {
            var count = RandomAccess.Read(file, buffer.AsSpan(read), read);
            var from = Math.Max(0, read - 1);
            read += count;
            if (buffer.AsSpan(from, read - from).IndexOf("\n\n"u8) is >= 0 and var end)
                return buffer[..(from + end + 2)];
            if (count == 0 || read >= MostHead)
                return null;
            if (read == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
        }
    }

    private static (DropFile? File, string WhyNot) Parse(string[] lines)
    {
        if (lines.Length < 3
            || !lines[0].StartsWith(Magic, StringComparison.Ordinal)
            || !long.TryParse(lines[0].AsSpan(Magic.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            return (null, "it is no message of this version");
        var rest = lines.AsSpan(1);
        string? user = null;
        if (rest[0].Split('\t') is ["user", { Length: > 0 } name])
        {
            user = name;
            rest = rest[1..];
        }

        if (rest.Length < 2
            || rest[0].Split('\t') is not ["from", var address, var said]
            || !TryReadSender(address, out var sender)
            || !ParameterText.TryRead(said, out MailParameters? parameters))
            return (null, "its sender is no address");
        var recipients = ImmutableArray.CreateBuilder<Mailbox>(rest.Length - 1);
        var each = ImmutableArray.CreateBuilder<RecipientParameters>(rest.Length - 1);
        foreach (var line in rest[1..])
        {
            if (line.Split('\t') is not ["to", var to, var asked]
                || !Mailbox.TryParse(to, out var recipient)
                || !ParameterText.TryRead(asked, out RecipientParameters? wishes))
                return (null, "one of its recipients is no address");
            recipients.Add(recipient);
            each.Add(wishes);
        }

        var envelope = new SmtpEnvelope(sender, recipients.DrainToImmutable())
        {
            Parameters = parameters,
            RecipientParameters = each.All(static p => p == RecipientParameters.None) ? [] : each.DrainToImmutable(),
        };
        return (new DropFile(envelope, user) { Length = length }, string.Empty);
    }

    private static bool TryReadSender(string address, out ReversePath sender)
    {
        sender = ReversePath.Null;
        if (address.Length == 0)
            return true;
        if (!Mailbox.TryParse(address, out var mailbox))
            return false;
        sender = new ReversePath(mailbox);
        return true;
    }

    private sealed class Content(SafeFileHandle file, long start, long length) : IMessageContent
    {
        public long Length => length;

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
        {
            var wanted = (int)Math.Min(buffer.Length, length - offset);
            if (wanted == 0)
                return 0;
            return await RandomAccess.ReadAsync(file, buffer[..wanted], start + offset, ct) is > 0 and var read
                ? read
                : throw new EndOfStreamException("the file got shorter while it was read");
        }
    }
}
