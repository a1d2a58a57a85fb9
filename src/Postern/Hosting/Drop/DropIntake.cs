using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Postern.Configuration;
using Postern.Machine;
using Postern.Relay.Runtime;
using Postern.Smtp.Client;
using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace Postern.Hosting.Drop;

/// <summary>
/// Brings one file of the drop directory into the queue: whose it is the system says, by the file's owner; what it may send the rules say.
/// </summary>
/// <param name="configuration">The one that is in force.</param>
/// <param name="tell">Takes a word and its details, for the log.</param>
internal sealed class DropIntake(
    Func<PosternConfiguration> configuration, ILocalIntake queue, Action<string, string> tell, TimeProvider clock)
{
    /// <summary>Files that are kept for an operator; of further ones the log alone tells.</summary>
    private const int MostAside = 100;

    private const int MostHeader = 32 * 1024;
    private const int CopyBuffer = 64 * 1024;

    /// <param name="path">Where only the server can reach it.</param>
    /// <param name="rest">Where a file for the recipients goes that are to be tried again alone.</param>
    public async ValueTask<DropOutcome> TakeAsync(string path, string rest, CancellationToken ct)
    {
        // A link is not opened at all; what has another name too may be another user's.
        if (UserIdentity.Look(path) is not { IsFile: true, Links: 1 })
            return new DropOutcome.Aside("it is no file of its own");
        using var file = UserIdentity.OpenForeign(path, out var facts);
        if (!DropFile.TryRead(file, out var dropped, out var whyNot))
            return new DropOutcome.Aside(whyNot);
        var user = dropped.UserOf(facts);
        if (!configuration().Sendmail.Takes(user))
            return new DropOutcome.Aside($"{user} is not among sendmail.users");
        var content = new TracedContent(
            dropped.ContentOf(file), Trace(user, facts.User, Path.GetFileName(path)[DropDirectory.FinishedPrefix.Length..]));
        try
        {
            return await TakeAsync(user, dropped, file, content, rest, ct);
        }
        catch (MessageContentException e)
        {
            return e.InnerException is EndOfStreamException ? new DropOutcome.Aside(e.Message) : new DropOutcome.Later(e.Message);
        }
    }

    /// <summary>Keeps what cannot be taken for an operator, and tells of it.</summary>
    public void PutAside(DropDirectory from, string name, string reason)
    {
        var path = Path.Combine(from.Taken, name);
        var owner = UserIdentity.Look(path) is { } facts ? UserIdentity.NameOf(facts.User) : "nobody";
        var isKept = Directory.EnumerateFileSystemEntries(from.Aside).Take(MostAside).Count() < MostAside;
        if (isKept)
            File.Move(path, Path.Combine(from.Aside, name), overwrite: true);
        else
            File.Delete(path);
        tell("drop_refused", $"{name} of {owner}: {reason}; {(isKept ? $"kept in {from.Aside}" : "removed, as many are kept already")}");
    }

    /// <summary>As long as some are taken, the others are tried: a server of any kind takes so many recipients at a time.</summary>
    private async ValueTask<DropOutcome> TakeAsync(
        string user, DropFile dropped, SafeFileHandle file, IMessageContent content, string rest, CancellationToken ct)
    {
        int[] left = [.. Enumerable.Range(0, dropped.Envelope.Recipients.Length)];
        var refused = new List<(int Recipient, ClientAnswer.Refused Answer)>();
        string? reason = null;
        while (left.Length > 0)
        {
            var answers = await queue.SubmitAsync(user, Fresh(dropped.Envelope.For(left)), content, ct);
            var again = new List<int>();
            for (var i = 0; i < left.Length; i++)
            {
                if (answers[i] is ClientAnswer.Refused { Reply.IsTransient: false } no)
                    refused.Add((left[i], no));
                else if (answers[i] is not ClientAnswer.Accepted)
                    again.Add(left[i]);
                if (answers[i] is ClientAnswer.Refused or ClientAnswer.Broken)
                    reason = Words(answers[i]);
            }

            if (again.Count == left.Length)
                break;
            left = [.. again];
        }

        // Whose refusal cannot be told now is refused once more later, and told then.
        if (refused.Count > 0 && !await queue.ReportRefusedAsync(
            user,
            dropped.Envelope.For([.. refused.Select(static r => r.Recipient)]),
            [.. refused.Select(static r => r.Answer)],
            await HeaderAsync(dropped.ContentOf(file), ct),
            ct))
        {
            left = [.. left.Concat(refused.Select(static r => r.Recipient)).Order()];
            reason = $"that it was refused cannot be told now ({reason})";
        }

        if (left.Length == dropped.Envelope.Recipients.Length)
            return new DropOutcome.Later(reason!);
        if (left.Length > 0)
            await KeepAsync(user, dropped.Envelope.For(left), dropped.ContentOf(file), rest, ct);
        return new DropOutcome.Done();
    }

    /// <summary>A time that is over is not asked for again.</summary>
    private SmtpEnvelope Fresh(SmtpEnvelope said) =>
        said.Parameters.HoldUntil is { } until && until <= clock.GetUtcNow()
            ? said with { Parameters = said.Parameters with { HoldUntil = null, HoldFor = null } }
            : said;

    /// <summary>Leaves the message for these recipients alone; only then may the first file go.</summary>
    private async ValueTask KeepAsync(string user, SmtpEnvelope envelope, IMessageContent content, string directory, CancellationToken ct)
    {
        await using var writer = DropWriter.Begin(directory, envelope, user, clock);
        var buffer = new byte[CopyBuffer];
        for (long at = 0; at < content.Length;)
        {
            var read = await content.ReadAsync(at, buffer, ct);
            await writer.AppendAsync(buffer.AsMemory(0, read), ct);
            at += read;
        }

        await writer.CommitAsync(ct);
    }

    private string Trace(string user, uint id, string name)
    {
        var text = new StringBuilder();
        HeaderField.Append(
            text,
            "Received",
            $"by {configuration().Server.Hostname}",
            string.Create(CultureInfo.InvariantCulture, $"(Postern, from userid {id})"),
            $"id {name};",
            ReceivedField.Date(clock.GetUtcNow()));
        return text.ToString();
    }

    private static async ValueTask<ReadOnlyMemory<byte>> HeaderAsync(IMessageContent content, CancellationToken ct)
    {
        var buffer = new byte[(int)Math.Min(MostHeader, content.Length)];
        var read = 0;
        while (read < buffer.Length)
            read += await content.ReadAsync(read, buffer.AsMemory(read), ct);
        var end = buffer.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
            end = buffer.AsSpan().LastIndexOf("\r\n"u8);
        return buffer.AsMemory(0, end < 0 ? 0 : end + 2);
    }

    private static string Words(ClientAnswer answer) => answer switch
    {
        ClientAnswer.Refused(_, var reply) => reply.ToString(),
        ClientAnswer.Broken(_, _, var detail) => detail,
        _ => string.Empty,
    };

    /// <summary>The content with the trace of this hop before it (RFC 5321 §4.4).</summary>
    private sealed class TracedContent(IMessageContent content, string trace) : IMessageContent
    {
        private readonly byte[] before = Encoding.UTF8.GetBytes(trace);

        public long Length => before.Length + content.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
        {
            if (offset >= before.Length)
                return content.ReadAsync(offset - before.Length, buffer, ct);
            var count = (int)Math.Min(buffer.Length, before.Length - offset);
            before.AsMemory((int)offset, count).CopyTo(buffer);
            return new(count);
        }
    }
}

/// <summary>What became of one file.</summary>
internal abstract record DropOutcome
{
    private DropOutcome()
    {
    }

    /// <summary>All of it is in the queue, or told of: the file can go.</summary>
    internal sealed record Done : DropOutcome;

    /// <summary>Not now; nothing of it is in the queue.</summary>
    internal sealed record Later(string Reason) : DropOutcome;

    /// <summary>Never.</summary>
    internal sealed record Aside(string Reason) : DropOutcome;
}
