using System.Buffers;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>
/// Mail transactions on an open session: MAIL, RCPT, DATA, pipelined where the server offers it (RFC 2920), then the content. The
/// next message's envelope may leave together with this one's end mark.
/// </summary>
internal sealed class MailTransactions(ClientWire wire, SmtpClientOptions options, EnvelopeWriter envelope)
{
    /// <summary>Recipients sent before their replies are read: bounds what both sides must buffer (RFC 2920 §3.1).</summary>
    internal const int GroupSize = 100;

    private const int ChunkSize = 32 * 1024;

    private readonly ChunkSender chunks = new(wire, options);
    /// <summary>The message whose envelope has been written already.</summary>
    private OutgoingMessage? announced;

    /// <summary>The last transaction was given up between MAIL and the content, or a group ended in whatever state.</summary>
    private bool needsReset;

    /// <summary>An envelope was sent ahead: the next transaction is that one.</summary>
    public bool IsBespoken => announced is not null;

    /// <summary>What the server did that one does not which takes what is sent ahead; null where it did nothing like that.</summary>
    public string? Trouble { get; private set; }

    /// <summary>A group of transactions was made: what the last of them left is not known here.</summary>
    public void ResetNext() => needsReset = true;

    /// <summary>Ends what the last transaction left open; null where nothing is open now.</summary>
    public async ValueTask<ClientAnswer?> ResetAsync()
    {
        if (!needsReset)
            return null;
        needsReset = false;
        wire.Output.Append("RSET\r\n"u8);
        await wire.FlushAsync(ClientPhase.Mail, options.Timeouts.Command).ConfigureAwait(false);
        return await ResetRefusalAsync().ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<ClientAnswer>> SendAsync(OutgoingMessage message, OutgoingMessage? following)
    {
        if (announced is not null && !ReferenceEquals(announced, message))
            throw new InvalidOperationException("Another message was announced to follow");
        var answers = new ClientAnswer?[message.Recipients.Length];
        if (envelope.WhyNotToTry(message) is { } refused)
            return Fill(answers, refused);

        var goAhead = envelope.Offered.HasPipelining
            ? await PipelinedEnvelopeAsync(message, answers).ConfigureAwait(false)
            : await StepwiseEnvelopeAsync(message, answers).ConfigureAwait(false);
        if (goAhead)
            await ContentAsync(message, following, answers).ConfigureAwait(false);
        return Fill(answers, wire.Fault);
    }

    private async ValueTask<bool> PipelinedEnvelopeAsync(OutgoingMessage message, ClientAnswer?[] answers)
    {
        var resets = needsReset;
        var isAhead = announced is not null;
        if (!isAhead)
        {
            WriteEnvelopeStart(message);
            if (!await wire.FlushAsync(ClientPhase.Mail, options.Timeouts.Mail).ConfigureAwait(false))
                return false;
        }

        announced = null;
        if (resets && await ResetRefusalAsync().ConfigureAwait(false) is { } cannotReset)
            return StopAt(answers, cannotReset);
        needsReset = true;
        var sender = await RefusalAsync(ClientPhase.Mail, options.Timeouts.Mail).ConfigureAwait(false);
        if (isAhead && sender is ClientAnswer.Refused { Reply: var reply } && OrderRefusal.Is(reply))
        {
            // How much of what is behind it was refused with it nobody can tell: this connection has served its time.
            Trouble = $"it refused what was sent ahead of its message: {reply}";
            wire.Break(ClientPhase.Mail, ClientFault.ConnectionLost, Trouble);
            return StopAt(answers, wire.Fault);
        }

        for (var i = 0; i < answers.Length; i++)
        {
            if (!wire.IsOpen)
                return StopAt(answers, sender, answers[Math.Max(0, i - 1)]);
            if (i > 0 && i % GroupSize == 0)
            {
                if (sender is not null)
                    return StopAt(answers, sender, null);
                WriteRecipients(message, i);
                await wire.FlushAsync(ClientPhase.Rcpt, options.Timeouts.Rcpt).ConfigureAwait(false);
            }

            answers[i] = await RefusalAsync(ClientPhase.Rcpt, options.Timeouts.Rcpt).ConfigureAwait(false);
        }

        if (!wire.IsOpen)
            return StopAt(answers, sender, answers[^1]);
        if (!message.IsBinary)
            return await DataAsync(sender, answers).ConfigureAwait(false);
        return sender is null ? answers.AsSpan().Contains(null) : StopAt(answers, sender, answer: null);
    }

    /// <summary>Reads the answer to a DATA that was sent before the answers to MAIL and RCPT were known (RFC 2920 §3.1).</summary>
    private async ValueTask<bool> DataAsync(ClientAnswer? sender, ClientAnswer?[] answers)
    {
        var reply = await wire.ReadAsync(ClientPhase.Data, options.Timeouts.Data).ConfigureAwait(false);
        var anyRecipient = answers.AsSpan().Contains(null);
        if (reply is { Code: 354 } && sender is null && anyRecipient)
            return true;
        if (reply is { Code: 354 } && anyRecipient)
        {
            // MAIL was refused, yet a recipient and DATA were not: an end mark now could deliver an empty message.
            wire.Break(ClientPhase.Data, ClientFault.ProtocolError, "DATA was accepted without a sender");
        }
        else if (reply is { Code: 354 } && options.IsLmtp)
        {
            // There is nobody to answer for behind the end mark (RFC 2033 §4.2).
            wire.Break(ClientPhase.Data, ClientFault.ProtocolError, "DATA was accepted without a recipient");
        }
        else if (reply is { Code: 354 })
        {
            wire.Output.Append(".\r\n"u8);
            await wire.FlushAsync(ClientPhase.Data, options.Timeouts.Data).ConfigureAwait(false);
            await wire.ReadAsync(ClientPhase.Data, options.Timeouts.EndOfData).ConfigureAwait(false);
        }

        return StopAt(answers, sender, WhyNoContent(reply));
    }

    private async ValueTask<bool> StepwiseEnvelopeAsync(OutgoingMessage message, ClientAnswer?[] answers)
    {
        if (await ResetAsync().ConfigureAwait(false) is { } cannotReset)
            return StopAt(answers, cannotReset);
        envelope.WriteMail(message);
        if (await CommandAsync(ClientPhase.Mail, options.Timeouts.Mail).ConfigureAwait(false) is { } refused)
            return StopAt(answers, refused);
        needsReset = true;
        for (var i = 0; i < answers.Length; i++)
        {
            envelope.WriteRecipient(message, i);
            answers[i] = await CommandAsync(ClientPhase.Rcpt, options.Timeouts.Rcpt).ConfigureAwait(false);
            if (!wire.IsOpen)
                return StopAt(answers, answers[i]);
        }

        if (!answers.AsSpan().Contains(null))
            return false;
        if (message.IsBinary)
            return true;
        wire.Output.Append("DATA\r\n"u8);
        await wire.FlushAsync(ClientPhase.Data, options.Timeouts.Data).ConfigureAwait(false);
        var reply = await wire.ReadAsync(ClientPhase.Data, options.Timeouts.Data).ConfigureAwait(false);
        return reply is { Code: 354 } || StopAt(answers, WhyNoContent(reply));
    }

    /// <summary>Sends the content, its last piece in one write with the end mark and the envelope of the message that follows.</summary>
    private async ValueTask ContentAsync(OutgoingMessage message, OutgoingMessage? following, ClientAnswer?[] answers)
    {
        wire.BeginContent();
        if (message.IsBinary)
        {
            var refused = await chunks.SendAsync(message, envelope.Offered.HasPipelining, ReadContentAsync).ConfigureAwait(false);
            // A chunk that was refused leaves the transaction in the server's hands (RFC 3030 §2).
            needsReset = refused is not null || !await ReadEndAsync(answers).ConfigureAwait(false);
            StopAt(answers, refused);
            return;
        }

        needsReset = false;
        var length = message.Content.Length;
        var chunk = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(length, 1, ChunkSize));
        try
        {
            var stuffer = default(DotStuffer);
            for (long offset = 0; offset < length;)
            {
                var read = await ReadContentAsync(message, offset, chunk.AsMemory(0, (int)Math.Min(chunk.Length, length - offset)))
                    .ConfigureAwait(false);
                offset += read;
                wire.Output.Advance(stuffer.Write(chunk.AsSpan(0, read), wire.Output.GetSpan(DotStuffer.MaxLength(read))));
                if (offset < length && !await wire.FlushAsync(ClientPhase.Content, options.Timeouts.DataBlock).ConfigureAwait(false))
                    break;
            }

            wire.Output.Advance(stuffer.Finish(wire.Output.GetSpan(DotStuffer.FinishLength)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        wire.BeginEnd();
        Announce(following);
        // A write that fails may have carried the end mark all the same.
        if (!await wire.FlushAsync(ClientPhase.EndOfData, options.Timeouts.DataBlock).ConfigureAwait(false))
        {
            StopAt(answers, options.IsLmtp ? wire.Fault : await LastWordsAsync().ConfigureAwait(false) ?? wire.Fault);
            return;
        }

        await ReadEndAsync(answers).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads what the server says to the whole content: once, or by LMTP once for each recipient that it accepted, in their order (RFC 2033
    /// §4.2). True when somebody has the message.
    /// </summary>
    private async ValueTask<bool> ReadEndAsync(ClientAnswer?[] answers)
    {
        if (!options.IsLmtp)
        {
            var answer = await EndAsync().ConfigureAwait(false);
            StopAt(answers, answer);
            return answer is ClientAnswer.Accepted;
        }

        var isTaken = false;
        for (var i = 0; i < answers.Length; i++)
            isTaken |= (answers[i] ??= await EndAsync().ConfigureAwait(false)) is ClientAnswer.Accepted;
        return isTaken;
    }

    private async ValueTask<ClientAnswer> EndAsync()
    {
        var reply = await wire.ReadAsync(ClientPhase.EndOfData, options.Timeouts.EndOfData).ConfigureAwait(false);
        return wire.WhyNot(reply, ClientPhase.EndOfData) ?? new ClientAnswer.Accepted(reply!);
    }

    /// <summary>What the server still said to the content before the connection broke: nothing else is unanswered.</summary>
    private async ValueTask<ClientAnswer?> LastWordsAsync() => await wire.LastWordsAsync().ConfigureAwait(false) switch
    {
        { Code: >= 400 } refusal => new ClientAnswer.Refused(ClientPhase.Content, refusal),
        { Code: >= 200 and < 300 } taken when wire.Fault!.Phase == ClientPhase.EndOfData => new ClientAnswer.Accepted(taken),
        _ => null,
    };

    private async ValueTask<int> ReadContentAsync(OutgoingMessage message, long offset, Memory<byte> chunk)
    {
        try
        {
            var read = await message.Content.ReadAsync(offset, chunk, wire.Caller).ConfigureAwait(false);
            return read > 0 ? read : throw new EndOfStreamException($"The content ends at {offset} of {message.Content.Length} octets");
        }
        catch (Exception e)
        {
            wire.Break(ClientPhase.Content, ClientFault.ConnectionLost, "the content could not be read");
            if (e is OperationCanceledException)
                throw;
            throw new MessageContentException($"The content cannot be read: {e.Message}", e);
        }
    }

    private void Announce(OutgoingMessage? following)
    {
        if (following is null
            || !envelope.Offered.HasPipelining
            || following.Recipients.Length > GroupSize
            || envelope.WhyNotToTry(following) is not null)
            return;
        WriteEnvelopeStart(following);
        announced = following;
    }

    private void WriteEnvelopeStart(OutgoingMessage message)
    {
        if (needsReset)
            wire.Output.Append("RSET\r\n"u8);
        envelope.WriteMail(message);
        WriteRecipients(message, from: 0);
    }

    /// <summary>One group of recipients, and DATA behind the last; content that goes by BDAT has no DATA.</summary>
    private void WriteRecipients(OutgoingMessage message, int from)
    {
        var to = Math.Min(message.Recipients.Length, from + GroupSize);
        for (var i = from; i < to; i++)
            envelope.WriteRecipient(message, i);
        if (to == message.Recipients.Length && !message.IsBinary)
            wire.Output.Append("DATA\r\n"u8);
    }

    private async ValueTask<ClientAnswer?> CommandAsync(ClientPhase phase, TimeSpan timeout)
    {
        await wire.FlushAsync(phase, timeout).ConfigureAwait(false);
        return await RefusalAsync(phase, timeout).ConfigureAwait(false);
    }

    private async ValueTask<ClientAnswer?> RefusalAsync(ClientPhase phase, TimeSpan timeout) =>
        wire.WhyNot(await wire.ReadAsync(phase, timeout).ConfigureAwait(false), phase);

    /// <summary>A refused RSET is about the connection and no verdict on the message: this connection has served its time.</summary>
    private async ValueTask<ClientAnswer?> ResetRefusalAsync()
    {
        if (await RefusalAsync(ClientPhase.Mail, options.Timeouts.Command)
            .ConfigureAwait(false) is not ClientAnswer.Refused { Reply: var reply })
            return wire.Fault;
        wire.Break(ClientPhase.Mail, ClientFault.ConnectionLost, $"the server refused RSET: {reply}");
        return wire.Fault;
    }

    /// <summary>Why DATA did not lead to content: anything but 354 and a refusal is out of step.</summary>
    private ClientAnswer? WhyNoContent(Reply? reply)
    {
        if (reply is { Code: >= 400 })
            return new ClientAnswer.Refused(ClientPhase.Data, reply);
        if (reply is not null and not { Code: 354 })
            wire.Break(ClientPhase.Data, ClientFault.ProtocolError, $"the server answered out of step: {reply}");
        return wire.Fault;
    }

    private static bool StopAt(ClientAnswer?[] answers, ClientAnswer? answer)
    {
        for (var i = 0; i < answers.Length; i++)
            answers[i] ??= answer;
        return false;
    }

    /// <summary>A refused MAIL answers for every recipient: what RCPT was told behind it is only its echo (503).</summary>
    private static bool StopAt(ClientAnswer?[] answers, ClientAnswer? sender, ClientAnswer? answer)
    {
        if (sender is not null)
            Array.Fill(answers, sender);
        return StopAt(answers, answer);
    }

    private static IReadOnlyList<ClientAnswer> Fill(ClientAnswer?[] answers, ClientAnswer? answer)
    {
        StopAt(answers, answer);
        return answers!;
    }
}
