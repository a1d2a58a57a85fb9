using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Runtime.Instruments;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>
/// One message on its way into the spool. The header section is held back until it is whole, reviewed, and written with this host's
/// fields; everything behind it goes through as it came.
/// </summary>
/// <param name="policy">Is asked once the header section is known; null: nobody is.</param>
/// <param name="directory">Knows whose names may stand in the header of a login; null: nobody asks.</param>
/// <param name="tracesSenders">A login that names somebody else is named in the message; false: From and Sender stay as they come.</param>
internal sealed class SubmissionDraft(
    ISpoolDraft spool,
    SessionState session,
    Transaction transaction,
    IAuditLog audit,
    TimeProvider clock,
    IDirectory? directory = null,
    RelayPolicy? policy = null,
    bool tracesSenders = true) : IMessageDraft
{
    /// <summary>RFC 5321 §6.3: enough for any real path, and an end to loops.</summary>
    private const int MaxHops = 50;

    private const int MaxHeaderOctets = 256 * 1024;
    private const int FirstBuffer = 8 * 1024;

    private static readonly Reply TooManyHops = new(
        554, new(5, 4, 6), "Too many hops: the message has been through this or other servers too often");
    private static readonly Reply BareLineEndInHeader = new(554, new(5, 6, 0), "The header section holds a bare CR or LF, or NUL");
    private static readonly Reply CannotAsk = new(451, new(4, 3, 0), "Cannot see now as whom this login may send, try again later");
    private static readonly Reply HeaderTooBig = new(552, new(5, 3, 4), "The header section of the message is larger than 262144 octets");

    private readonly QueueId id = QueueId.New(clock);
    private readonly DateTimeOffset arrivedAt = clock.GetUtcNow();
    private byte[]? header = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int held;
    private long octets;
    private int lineStart;
    private int behindMailboxLines;
    private int mailboxLines;
    private Reply? refusal;
    private EarlierPass? earlier;
    private bool hasUtf8Header;
    private bool hasForeignAuthor;
    private bool waivesTls;
    private string? messageId;
    private string? headerFrom;
    private string? subject;
    private ImmutableArray<MessageEffect> effects = [];
    private TimeSpan? ofAccount = LoginFacts.KeepOf(session);
    private string? tenant = LoginFacts.TenantOf(session);

    /// <summary>Whose content is kept when the delivery is over.</summary>
    public KeepRules Keep { get; init; } = KeepRules.None;

    /// <summary>More than the client's address is kept, as a next hop is told of it.</summary>
    public bool KeepsClient { get; init; }

    /// <summary>Takes how long the commit takes; null for nobody.</summary>
    public MailInstruments? Instruments { get; init; }

    /// <summary>
    /// Asked with the tenant and the octets of a message that is to be held: why it cannot be; null where nobody is asked.
    /// </summary>
    public Func<SessionState, string?, long, CancellationToken, ValueTask<Reply?>>? WhyNotHeld { get; init; }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        octets += content.Length;
        if (refusal is not null)
            return;
        if (header is null)
        {
            await spool.AppendAsync(content, ct);
            return;
        }

        if (held + content.Length > MaxHeaderOctets)
        {
            refusal = HeaderTooBig;
            return;
        }

        Hold(content.Span);
        if (FindEnd(isAll: false) is >= 0 and var end)
            await ReleaseAsync(end, ct);
    }

    public async ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
    {
        if (refusal is null && header is not null)
            await ReleaseAsync(FindEnd(isAll: true) is >= 0 and var end ? end : EndOfAll(), ct);
        if (refusal is { } reply)
            return new StoreOutcome.Refused(reply);
        if (transaction.Parameters.HoldUntil > arrivedAt
            && WhyNotHeld is not null
            && await WhyNotHeld(session, tenant, spool.Length, ct) is { } full)
            return new StoreOutcome.Refused(full);
        if (policy is not null
            && await policy.OnContentAsync(
                session, transaction.Sender, tenant, transaction.Envelope.Recipients, octets, ct) is { } over)
            return new StoreOutcome.Refused(over);

        var envelope = new Envelope
        {
            Id = id,
            ArrivedAt = arrivedAt,
            Said = Envelope.Keep(Addressed(transaction.Envelope)),
            Login = session.Login,
            Client = session.ClientAddress,
            ClientSession = KeepsClient ? ClientOf(session) : null,
            Listener = session.Listener,
            Tenant = tenant,
            HasUtf8Header = hasUtf8Header,
            IsInbound = !IsSubmission,
            Earlier = earlier,
            HasForeignAuthor = hasForeignAuthor,
            IsTlsWaived = waivesTls && !transaction.Parameters.RequiresTls,
        };
        if (Keep.For(envelope, ofAccount) is { } keptFor)
            envelope = envelope with { KeepFor = keptFor };
        var state = DeliveryState.Fresh(envelope.Recipients.Length, envelope.ReleasedAt);
        if (effects.OfType<MessageEffect.Hold>().FirstOrDefault() is { } hold)
            state = state with { Held = true, HeldFor = new HoldReason(hold.Rule ?? hold.Said, hold.Reason, arrivedAt) };
        var commit = Instruments is { TimesCommits: true } taker
            ? TimedAsync(taker, envelope, state, ct)
            : spool.CommitAsync(envelope, state, ct);
        switch (await commit)
        {
            case SpoolCommit.Durable(var entry):
                Report(envelope, entry.Size);
                return new StoreOutcome.Stored(id.ToString());
            case SpoolCommit.Full:
                return new StoreOutcome.Refused(SubmissionStore.NoRoom);
            default:
                return new StoreOutcome.Refused(SubmissionStore.DiskFailed);
        }
    }

    private async ValueTask<SpoolCommit> TimedAsync(MailInstruments taker, Envelope envelope, DeliveryState state, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        var commit = await spool.CommitAsync(envelope, state, ct);
        taker.Committed(session.IsLmtp, clock.GetElapsedTime(begun));
        return commit;
    }

    public ValueTask DisposeAsync()
    {
        ReturnHeader();
        return spool.DisposeAsync();
    }

    private static PeerClaims ClientOf(SessionState session) => new()
    {
        Name = session.XClient.Name,
        Port = session.ClientPort > 0 ? session.ClientPort : null,
        Protocol = session.IsExtended || session.IsLmtp ? "ESMTP" : "SMTP",
        Helo = session.HeloName,
        ServerAddress = session.ServerEndpoint?.Address,
        ServerPort = session.ServerEndpoint?.Port,
    };

    private void Hold(ReadOnlySpan<byte> content)
    {
        if (held + content.Length > header!.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(header.Length * 2, held + content.Length));
            header.AsSpan(0, held).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(header);
            header = larger;
        }

        content.CopyTo(header.AsSpan(held));
        held += content.Length;
    }

    /// <summary>
    /// Where the header section ends, or -1 when its end has not come. Content that begins with the line of a mailbox file has it made a
    /// field first: only where not one field was found is there a look at how the content begins.
    /// </summary>
    private int FindEnd(bool isAll)
    {
        while (true)
        {
            var end = HeaderSection.FindEnd(header.AsSpan(0, held), ref lineStart);
            if ((end < 0 && !isAll) || lineStart != behindMailboxLines || mailboxLines == MailboxLine.Most)
                return end;
            switch (MailboxLine.StandsAt(header.AsSpan(lineStart, held - lineStart), isAll))
            {
                case true:
                    NameMailboxLine();
                    break;
                case false:
                    return end;
                default:
                    return -1;
            }
        }
    }

    /// <summary>Makes a field of the line that begins where the header section would end.</summary>
    private void NameMailboxLine()
    {
        var name = MailboxLine.Name;
        Hold(name); // makes the room
        var line = header.AsSpan(lineStart, held - lineStart);
        line[..^name.Length].CopyTo(line[name.Length..]);
        name.CopyTo(line);
        var end = line.IndexOf("\r\n"u8);
        if (end < 0)
        {
            Hold("\r\n"u8);
            end = line.Length;
        }

        lineStart = behindMailboxLines = lineStart + end + 2;
        mailboxLines++;
    }

    /// <summary>
    /// Where the header section of content without a blank line ends, once there is no more of it. Content that came by BDAT may end inside
    /// a line: of a field, which is then ended, as other fields may follow; or of a body, which stays as it is.
    /// </summary>
    private int EndOfAll()
    {
        var last = header.AsSpan(lineStart, held - lineStart);
        if (!HeaderSection.Continues(last, isFirst: lineStart == 0))
            return lineStart;
        Hold("\r\n"u8);
        return held;
    }

    /// <summary>
    /// Writes this host's fields, the header section and what is held behind it; from now on content goes straight through.
    /// </summary>
    private async ValueTask ReleaseAsync(int end, CancellationToken ct)
    {
        var content = header.AsMemory(0, held);
        if (HasBareLineEnd(content.Span[..end]))
        {
            refusal = BareLineEndInHeader;
            return;
        }

        Submitter? submitter = null;
        try
        {
            if (directory is not null && session.Login is { } login)
            {
                var account = await directory.FindAccountAsync(login, ct);
                (tenant, ofAccount) = (account?.Tenant, account?.Keep);
                submitter = new Submitter(login, account, transaction.Sender.Mailbox, transaction.Parameters.IsUtf8);
            }
        }
        catch (DirectoryUnavailableException)
        {
            refusal = CannotAsk;
            return;
        }

        var reversePath = transaction.Sender.Mailbox is { } sender && (sender.IsAscii || transaction.Parameters.IsUtf8)
            ? sender.Address
            : null;
        var tenants = policy?.Tenants ?? TenantTable.Empty;
        var review = HeaderReview.Of(
            content.Span[..end], session.Hostname, IsSubmission, submitter, tracesSenders, reversePath, tenants.Headers);
        hasForeignAuthor = submitter is null
            ? IsForOneDomain && review.Author is null && !IsFromIt(content.Span[review.FromField])
            : review.HasForeignAuthor;
        hasUtf8Header = transaction.Parameters.IsUtf8
            && !(Ascii.IsValid(content.Span[..end]) && Ascii.IsValid(review.Sender) && Ascii.IsValid(review.Author));
        if (review.Hops > MaxHops)
        {
            refusal = TooManyHops;
            return;
        }

        (earlier, waivesTls) = (review.Earlier, review.WaivesTls);
        messageId = HeaderReview.TextOf(content.Span, review.MessageIdField)
            ?? (IsSubmission && !review.HasMessageId ? $"<{id}@{session.Hostname}>" : null);
        headerFrom = HeaderReview.TextOf(content.Span, review.FromField);
        if (policy is not null)
        {
            var said = new HeaderFacts(headerFrom, messageId, review.Hops)
            {
                HasForeignAuthor = submitter is null ? null : review.HasFrom && review.HasForeignAuthor,
                Subject = HeaderReview.TextOf(content.Span, review.SubjectField),
                ResentFrom = HeaderReview.TextOf(content.Span, review.ResentFromField),
                HasForeignResender = submitter is null ? null : review.HasForeignResender,
                Sender = HeaderReview.TextOf(content.Span, review.SenderField),
                HasForeignSender = submitter is null ? null : review.HasForeignSender,
                Tenants = review.TenantFields.Count == 0
                    ? []
                    : [.. review.TenantFields.Select(f => (f.Field, HeaderReview.TextOf(header.AsSpan(), f.At) ?? string.Empty))],
            };
            var verdict = await policy.OnMessageAsync(session, transaction.Sender, said, ct);
            if (verdict.Refusal is not null)
            {
                refusal = verdict.Refusal;
                return;
            }

            effects = verdict.Effects;
        }

        await WriteAsync(content, end, review, ct);
        ReturnHeader();
    }

    /// <summary>What the spool gets of the header section, and what is held behind it.</summary>
    private async ValueTask WriteAsync(ReadOnlyMemory<byte> content, int end, HeaderReview review, CancellationToken ct)
    {
        Mailbox? author = null;
        foreach (var effect in effects)
        {
            author = effect is MessageEffect.Author(var other) ? other : author;
            tenant = effect is MessageEffect.Tenant(var named) ? named : tenant;
        }

        var rewrite = AuthorRewrite.Of(content.Span[..end], review, author);
        if (rewrite is not null)
            (hasForeignAuthor, headerFrom) = (false, rewrite.Author.Address);
        headerFrom ??= review.Author;

        subject = audit.WantsSubjects ? HeaderReview.TextOf(content.Span, review.SubjectField) : null;
        await spool.AppendAsync(Encoding.UTF8.GetBytes(TraceFields()), ct);
        foreach (var effect in effects)
        {
            if (effect is MessageEffect.Prepend(var field))
                await spool.AppendAsync(Encoding.ASCII.GetBytes($"{field}\r\n"), ct);
        }

        foreach (var field in policy?.Tenants.Find(tenant)?.Fields ?? [])
            await spool.AppendAsync(Encoding.ASCII.GetBytes($"{field}\r\n"), ct);

        var from = 0;
        foreach (var range in rewrite?.Removed ?? review.Removed)
        {
            await spool.AppendAsync(content[from..range.Start.Value], ct);
            from = range.End.Value;
        }

        await spool.AppendAsync(content[from..end], ct);
        if (rewrite is not null)
            await spool.AppendAsync(rewrite.Fields, ct);
        await spool.AppendAsync(
            Encoding.UTF8.GetBytes(MissingFields(review, isRewritten: rewrite is not null, HasBlankLine(content.Span[end..]))), ct);
        await spool.AppendAsync(content[end..], ct);
    }

    /// <summary>To whom the rules send it: whom the client named, unless one redirects it, and whoever gets a copy.</summary>
    private SmtpEnvelope Addressed(SmtpEnvelope said)
    {
        foreach (var effect in effects)
        {
            if (effect is MessageEffect.Redirect(var to))
                said = new SmtpEnvelope(said.Sender, [to]) { Parameters = said.Parameters };
            else if (effect is MessageEffect.Sender(var sender) && !said.Sender.IsNull)
                said = said with { Sender = new ReversePath(sender) };
        }

        foreach (var effect in effects)
        {
            if (effect is MessageEffect.Copy(var to) && !said.Recipients.Contains(to))
                said = new SmtpEnvelope(said.Sender, said.Recipients.Add(to))
                {
                    Parameters = said.Parameters,
                    RecipientParameters =
                    [
                        .. Enumerable.Range(0, said.Recipients.Length).Select(said.ParametersOf),
                        new RecipientParameters { Notify = DsnNotify.Never },
                    ],
                };
        }

        return said;
    }

    private string TraceFields()
    {
        var text = new StringBuilder(512);
        AuthenticationResultsField.Append(text, session, transaction);
        ReceivedField.Append(text, session, transaction, id.ToString(), arrivedAt);
        return text.ToString();
    }

    /// <summary>
    /// What a submission must have and this one lacks (RFC 6409 §8), who really sent it where it says something else, and the blank line
    /// where a body follows without one. Mail that merely arrives for a domain of ours is not completed.
    /// </summary>
    private string MissingFields(HeaderReview review, bool isRewritten, bool hasBlankLine)
    {
        if (hasBlankLine && review is { HasDate: true, HasMessageId: true, Author: null, Sender: null, NeedsTrace: false })
            return string.Empty;
        var text = new StringBuilder();
        if (IsSubmission && !review.HasDate)
            HeaderField.Append(text, "Date", ReceivedField.Date(arrivedAt));
        if (IsSubmission && !review.HasMessageId)
            HeaderField.Append(text, "Message-ID", $"<{id}@{session.Hostname}>");
        if (review.Author is { } author && !isRewritten)
            HeaderField.Append(text, "From", author);
        if (review.Sender is { } sender && !isRewritten)
            HeaderField.Append(text, "Sender", sender);
        if (review.NeedsTrace)
            HeaderField.Append(text, HeaderReview.TraceField, Printable(session.Login!));
        if (!hasBlankLine)
            text.Append("\r\n");
        return text.ToString();
    }

    /// <summary>A name may hold anything that is visible; a field that is not announced as UTF-8 may not (RFC 2047 §2).</summary>
    private static string Printable(string name) =>
        name.AsSpan().ContainsAnyExceptInRange('!', '~') ? $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(name))}?=" : name;

    private bool IsSubmission => session.IsLoggedIn || transaction.PermittedBy.Any(static rule => rule != RejectUnauthDestination.Word);

    /// <summary>The client's network may send for the domain of the reverse-path, and for no other.</summary>
    private bool IsForOneDomain => transaction.PermittedBy.Contains(PermitNetworkForDomain.Word, StringComparer.Ordinal)
        && !transaction.PermittedBy.Contains(PermitNetworks.Word, StringComparer.Ordinal);

    private bool IsFromIt(ReadOnlySpan<byte> field) =>
        MailboxList.DomainOf(field) is { } domain && transaction.Sender.Mailbox is { } sender && sender.Domain.Equals(domain);

    /// <summary>
    /// Only with BODY=BINARYMIME can there be one, or NUL; a reader to whom it ends a line would find a field in it that was not reviewed
    /// here, and what a report returns of the header goes out as text.
    /// </summary>
    private static bool HasBareLineEnd(ReadOnlySpan<byte> header)
    {
        for (int at; (at = header.IndexOfAny((byte)'\r', (byte)'\n', (byte)0)) >= 0; header = header[(at + 2)..])
        {
            if (!header[at..].StartsWith("\r\n"u8))
                return true;
        }

        return false;
    }

    private static bool HasBlankLine(ReadOnlySpan<byte> body) => body.StartsWith("\r\n"u8);

    private void Report(Envelope envelope, long size) =>
        audit.Append(new AcceptedEvent(
            clock.GetUtcNow(),
            RelayEvents.OriginOf(session) with { User = envelope.Login, Tenant = envelope.Tenant },
            id.ToString(),
            envelope.Sender.Address,
            [.. envelope.Recipients.Select(static r => r.Address)],
            size)
        {
            MessageId = messageId,
            HeaderFrom = headerFrom,
            Subject = subject,
            Source = session.IsLmtp ? MessageSource.Lmtp : MessageSource.Smtp,
            EnvelopeId = envelope.Parameters.EnvelopeId,
            Refs = RelayPolicy.RefsOf(session, transaction.Sender),
            Cause = session.Login is null
                ? new AuditCause(AuditKind.Mail, session.ClientAddress, Login: null, "accepted") { IsMessage = true }
                : null,
            Forwarded = session.Forwarded == PeerClaims.None ? null : session.Forwarded.ToString(),
        });

    private void ReturnHeader()
    {
        if (header is not null)
            ArrayPool<byte>.Shared.Return(header);
        header = null;
    }
}
