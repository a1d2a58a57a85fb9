using System.Buffers;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>
/// Mail transactions that are all on their way before the first is answered: RSET, MAIL, RCPT and the content as one last chunk, of one
/// message behind the other (RFC 2920 §3.1, RFC 3030 §2). Their answers come in the same order, and each is counted. The RSET keeps a
/// transaction that failed from being one with the next.
/// </summary>
internal sealed class TransactionGroup(ClientWire wire, SmtpClientOptions options, EnvelopeWriter envelope)
{
    /// <summary>A larger message goes alone: its content fills the way by itself.</summary>
    private const int MostOctetsEach = 64 * 1024;

    /// <summary>Written at once, so that a group is held in memory; the answers to it fit into what the system buffers.</summary>
    private const int MostOctets = 128 * 1024;

    /// <summary>Who said that it is leaving has so long to do so.</summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(10);

    /// <summary>An answer to what needs no work at all.</summary>
    private static readonly TimeSpan Proving = TimeSpan.FromSeconds(10);

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private bool hasWriteFailed;
    private bool isLeaving;
    private string? trouble;

    /// <summary>The server offers what a group needs.</summary>
    public bool IsPossible => !options.IsLmtp && envelope.Offered.HasPipelining && envelope.Offered.Has("CHUNKING");

    /// <summary>
    /// Sends a chunk outside of any transaction, and RSET behind it. A server that passes over chunks which it refuses answers both; one
    /// that does not, and would take the content of a refused message for commands, finds QUIT there. False, and the dialogue over, where
    /// the answers are not those two.
    /// </summary>
    public async ValueTask<bool> ProveAsync()
    {
        wire.Output.Append("BDAT 6 LAST\r\nQUIT\r\nRSET\r\n"u8);
        await wire.FlushAsync(ClientPhase.Mail, options.Timeouts.Command).ConfigureAwait(false);
        var chunk = await wire.ReadAsync(ClientPhase.Mail, Proving).ConfigureAwait(false);
        var reset = chunk is { Code: >= 500 } ? await wire.ReadAsync(ClientPhase.Mail, Proving).ConfigureAwait(false) : null;
        if (reset is { Code: 250 })
            return true;
        wire.Break(ClientPhase.Mail, ClientFault.ProtocolError, $"a refused chunk was not passed over: {reset ?? chunk}");
        return false;
    }

    /// <summary>Sends as many of the messages as go together, from the first on. None are sent where the first goes alone.</summary>
    /// <param name="answered">
    /// Told of each that was attempted, in order. Of the others the server has nothing: they were not sent, or it said before that it left.
    /// </param>
    public async ValueTask<GroupResult> SendAsync(
        IReadOnlyList<OutgoingMessage> messages, Action<int, IReadOnlyList<ClientAnswer>> answered)
    {
        (hasWriteFailed, isLeaving, trouble) = (false, false, null);
        var count = 0;
        while (count < messages.Count && await TryWriteAsync(messages[count]).ConfigureAwait(false))
            count++;
        if (count == 0)
            return new GroupResult(0, Trouble: null);
        wire.BeginEnd();
        // Whatever of it arrived: any of them may have been taken.
        hasWriteFailed = !await wire.FlushAsync(ClientPhase.EndOfData, options.Timeouts.DataBlock).ConfigureAwait(false);
        for (var i = 0; i < count; i++)
        {
            var replies = new Replied(messages[i].Recipients.Length);
            await ReadAsync(replies).ConfigureAwait(false);
            if (AnswersOf(replies) is { } answers)
                answered(i, answers);
        }

        // Whoever counts commands in another way may have more answers on the way.
        if (trouble is not null)
            wire.Break(ClientPhase.Mail, ClientFault.ProtocolError, trouble);
        return new GroupResult(count, trouble ?? (isLeaving || wire.Fault is null ? null : $"{wire.Fault.Detail}, within a group"));
    }

    /// <summary>Adds one message to what is written next; false, and nothing added, where it does not go in this group.</summary>
    private async ValueTask<bool> TryWriteAsync(OutgoingMessage message)
    {
        var start = wire.Output.Length;
        var length = message.Content.Length;
        if (length is 0 or > MostOctetsEach
            || start + length > MostOctets
            || message.IsBinary
            || message.Recipients.Length > MailTransactions.GroupSize
            || envelope.WhyNotToTry(message) is not null)
            return false;
        wire.Output.Append("RSET\r\n"u8);
        envelope.WriteMail(message);
        for (var i = 0; i < message.Recipients.Length; i++)
            envelope.WriteRecipient(message, i);
        wire.Output.Append("BDAT "u8);
        wire.Output.Append(length, maxLength: 20);
        wire.Output.Append(" LAST\r\n"u8);
        if (await TryWriteContentAsync(message, (int)length).ConfigureAwait(false))
            return true;
        wire.Output.Truncate(start);
        return false;
    }

    /// <summary>
    /// A chunk is taken as it is: content whose lines do not all end in CRLF goes by DATA, where they are mended, and one that cannot be
    /// read goes alone, so that it fails alone.
    /// </summary>
    private async ValueTask<bool> TryWriteContentAsync(OutgoingMessage message, int length)
    {
        try
        {
            var content = wire.Output.GetMemory(length)[..length];
            for (var offset = 0; offset < length;)
            {
                var read = await message.Content.ReadAsync(offset, content[offset..], wire.Caller).ConfigureAwait(false);
                if (read == 0)
                    return false;
                offset += read;
            }

            if (!IsText(content.Span))
                return false;
            wire.Output.Advance(length);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return false;
        }
    }

    private static bool IsText(ReadOnlySpan<byte> content)
    {
        if (!content.EndsWith("\r\n"u8))
            return false;
        for (var next = content.IndexOfAny(LineEnds); next >= 0; next = content.IndexOfAny(LineEnds))
        {
            if (content[next] != '\r' || next + 1 == content.Length || content[next + 1] != '\n')
                return false;
            content = content[(next + 2)..];
        }

        return true;
    }

    /// <summary>Reads what there is to one message.</summary>
    private async ValueTask ReadAsync(Replied replies)
    {
        replies.LeftBefore = isLeaving;
        replies.Reset = await NextAsync(ClientPhase.Mail, options.Timeouts.Command, replies).ConfigureAwait(false);
        if (replies.Reset is { Code: >= 400 and not 421 } refused)
            trouble ??= $"it refused RSET: {refused}";
        replies.Mail = await NextAsync(ClientPhase.Mail, options.Timeouts.Mail, replies).ConfigureAwait(false);
        for (var i = 0; i < replies.Rcpt.Length; i++)
            replies.Rcpt[i] = await NextAsync(ClientPhase.Rcpt, options.Timeouts.Rcpt, replies).ConfigureAwait(false);
        replies.End = await NextAsync(ClientPhase.EndOfData, options.Timeouts.EndOfData, replies).ConfigureAwait(false);
    }

    /// <summary>The next reply; null where none comes any more.</summary>
    private async ValueTask<Reply?> NextAsync(ClientPhase phase, TimeSpan timeout, Replied replies)
    {
        // Who leaves and goes on to answer has what it says it has.
        var reply = hasWriteFailed
            ? await wire.LastWordsAsync().ConfigureAwait(false)
            : await wire.ReadAsync(phase, isLeaving && Leaving < timeout ? Leaving : timeout).ConfigureAwait(false);
        if (reply is { Code: 421 })
        {
            isLeaving = true;
            replies.Farewell ??= new ClientAnswer.Refused(phase, reply);
        }
        else if (reply is { Code: >= 300 and < 400 })
        {
            wire.Break(phase, ClientFault.ProtocolError, $"the server answered out of step: {reply}");
            hasWriteFailed = false;
            return null;
        }

        return reply;
    }

    /// <summary>What the replies mean for each recipient; null where the server has nothing of the message.</summary>
    private ClientAnswer[]? AnswersOf(Replied replies)
    {
        var isOver = replies.End is null;
        // It left before it came to this one. Where it said so and then says nothing, nobody knows.
        if (isOver && replies is { LeftBefore: true, Mail: null } && wire.Fault is { Fault: ClientFault.ConnectionLost })
            return null;
        // The transaction before it may not have been over: what was refused is not this message.
        if (replies is { Reset.Code: >= 400 and not 421, End.Code: >= 400 })
            return null;
        // Nor is it where a verb was refused: MAIL for its place, or BDAT, which is offered and not known.
        var unknown = replies is { Mail: { Code: >= 500 } mail, End.Code: >= 400 } && OrderRefusal.Is(mail) ? mail
            : replies.IsAnyTaken && replies.End is { Code: >= 500 } end && OrderRefusal.Is(end) ? end
            : null;
        if (unknown is not null)
        {
            trouble ??= $"it refused a command for its place: {unknown}";
            return null;
        }

        var answers = new ClientAnswer[replies.Rcpt.Length];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = AnswerOf(replies, replies.Rcpt[i]);
        return answers;
    }

    private ClientAnswer AnswerOf(Replied replies, Reply? toRecipient)
    {
        // Whoever was answered well before has the message, whatever was said to MAIL.
        if (replies.End is { Code: < 300 } taken && toRecipient is { Code: < 300 })
            return replies.Taken ??= new ClientAnswer.Accepted(taken);
        if (replies.Mail is { Code: >= 400 } sender)
            return replies.Sender ??= new ClientAnswer.Refused(ClientPhase.Mail, sender);
        if (toRecipient is { Code: >= 400 })
            return new ClientAnswer.Refused(ClientPhase.Rcpt, toRecipient);
        if (replies.End is { Code: >= 400 } refusal)
            return replies.Refused ??= new ClientAnswer.Refused(ClientPhase.EndOfData, refusal);
        if (replies.Farewell is { } farewell)
            return farewell;
        return replies.Lost ??= LostBehindTheEnd();
    }

    /// <summary>Its last octet was written: wherever in the answers the dialogue ended, it may have been taken (RFC 1047).</summary>
    private ClientAnswer.Broken LostBehindTheEnd()
    {
        if (wire.Fault is null)
            wire.Break(ClientPhase.EndOfData, ClientFault.ProtocolError, "a message was answered for nobody");
        return wire.Fault! with { Phase = ClientPhase.EndOfData };
    }

    /// <summary>The replies to one message, and the answers made of them, which recipients share.</summary>
    private sealed class Replied(int recipients)
    {
        public Reply? Reset { get; set; }

        public Reply? Mail { get; set; }

        public Reply?[] Rcpt { get; } = new Reply?[recipients];

        public Reply? End { get; set; }

        /// <summary>It said 421 to a message before this one.</summary>
        public bool LeftBefore { get; set; }

        /// <summary>It said 421 to this one.</summary>
        public ClientAnswer.Refused? Farewell { get; set; }

        public ClientAnswer? Taken { get; set; }

        public ClientAnswer? Sender { get; set; }

        public ClientAnswer? Refused { get; set; }

        public ClientAnswer? Lost { get; set; }

        public bool IsAnyTaken => Mail is { Code: < 300 } && Array.Exists(Rcpt, static r => r is { Code: < 300 });
    }
}
