using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Smtp.Message;

namespace Postern.Relay.Runtime;

/// <summary>What one look over a header section tells.</summary>
/// <param name="Hops">Received fields.</param>
/// <param name="Sender">
/// The address for a Sender field that is to be added, as what the header says of its author is not the login's; null for none.
/// </param>
/// <param name="NeedsTrace">
/// The same, by a field of our own: there is no such address, or Sender belongs to an earlier sending (Resent fields).
/// </param>
/// <param name="Removed">
/// The fields to leave out, in order: those that claim to be this host's results; of a submission also those that its sender has no say in,
/// or that are not for recipients.
/// </param>
internal readonly record struct HeaderReview(
    int Hops, bool HasDate, bool HasMessageId, string? Sender, bool NeedsTrace, IReadOnlyList<Range> Removed)
{
    private const int MostOfText = 1024;

    /// <summary>The first Received field that this server wrote, and what the message was named then; null without.</summary>
    public EarlierPass? Earlier { get; private init; }

    /// <summary>It says <c>TLS-Required: No</c>, once (RFC 8689 §3).</summary>
    public bool WaivesTls { get; private init; }

    /// <summary>The login may not send as what the header says of the author, and so it will stay.</summary>
    public bool HasForeignAuthor { get; private init; }

    /// <summary>The same of the newest Resent-From.</summary>
    public bool HasForeignResender { get; private init; }

    /// <summary>The same of a Sender field, which stays.</summary>
    public bool HasForeignSender { get; private init; }

    /// <summary>The address for a From field that is to be added, as a submission has none; null for none.</summary>
    public string? Author { get; private init; }

    /// <summary>There is a From field, whatever it says.</summary>
    public bool HasFrom => !FromField.Equals(default(Range));

    /// <summary>The fields that name a tenant; they are among <see cref="Removed"/>.</summary>
    public required IReadOnlyList<(string Field, Range At)> TenantFields { get; init; }

    /// <summary>The first Message-ID field; empty without.</summary>
    public Range MessageIdField { get; private init; }

    /// <summary>The first From field; empty without.</summary>
    public Range FromField { get; private init; }

    /// <summary>The newest Resent-From field; empty without.</summary>
    public Range ResentFromField { get; private init; }

    /// <summary>The first Sender field; empty without.</summary>
    public Range SenderField { get; private init; }

    /// <summary>The first Subject field; empty without.</summary>
    public Range SubjectField { get; private init; }

    /// <summary>What a field says, unfolded; null where it is not there. Long ones are cut.</summary>
    public static string? TextOf(ReadOnlySpan<byte> section, Range field)
    {
        var line = section[field];
        var body = line[(line.IndexOf((byte)':') + 1)..].Trim(" \t\r\n"u8);
        if (body.IsEmpty)
            return null;
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, MostOfText)]);
        return text.Contains('\n', StringComparison.Ordinal)
            ? string.Join(' ', text.Split(["\r\n", " ", "\t"], StringSplitOptions.RemoveEmptyEntries))
            : text;
    }

    /// <summary>Who really sent it, where Sender cannot say it. One that a submission brings along is taken out.</summary>
    public const string TraceField = "X-Authenticated-Sender";

    /// <param name="isSubmission">Return-Path is for the last server to write, and Bcc for nobody to read (RFC 5322 §3.6.3).</param>
    /// <param name="submitter">Whose names may stand there; null where nobody has logged in, or nobody asks.</param>
    /// <param name="traces">False: From and Sender stay as they come.</param>
    /// <param name="reversePath">Who is the author where nobody has logged in and there is no From; null for nobody.</param>
    public static HeaderReview Of(
        ReadOnlySpan<byte> section,
        string authservId,
        bool isSubmission,
        Submitter? submitter,
        bool traces = true,
        string? reversePath = null,
        ImmutableArray<string> tenantFields = default)
    {
        var (hops, hasDate, hasMessageId, hasResent, removals) = (0, false, false, false, 0);
        var (from, sender, resent) = (default(Authors), default(Authors), default(Authors));
        var waiver = default(TlsWaiver);
        EarlierPass? earlier = null;
        List<(string Field, Range At)>? tenants = null;
        var (messageId, author, subject) = (default(Range), default(Range), default(Range));
        var (resender, senderField) = (default(Range), default(Range));
        var fields = new HeaderSection(section);
        while (fields.TryNext())
        {
            if (fields.Is("Received"))
            {
                hops++;
                earlier ??= PassOf(fields.Body, authservId);
            }
            else if (fields.Is("Date"))
                hasDate = true;
            else if (fields.Is("Message-ID"))
            {
                messageId = hasMessageId ? messageId : fields.Start..fields.End;
                hasMessageId = true;
            }
            else if (fields.Is("From"))
            {
                author = from.Fields > 0 ? author : fields.Start..fields.End;
                from = from.And(fields.Body, submitter);
            }
            else if (fields.Is("Subject") && subject.Equals(default))
                subject = fields.Start..fields.End;
            else if (fields.Is("Sender"))
            {
                senderField = sender.Fields > 0 ? senderField : fields.Start..fields.End;
                sender = sender.And(fields.Body, submitter);
            }
            else if (resent.Fields == 0 && fields.Is("Resent-From"))
            {
                resender = fields.Start..fields.End;
                resent = resent.And(fields.Body, submitter);
            }
            else if (fields.Is("TLS-Required"))
                waiver = waiver.And(fields.Body);
            else if (TenantFieldOf(fields, tenantFields) is { } tenantField)
            {
                (tenants ??= []).Add((tenantField, fields.Start..fields.End));
                removals++;
            }
            else if (IsRemoved(fields, authservId, isSubmission))
                removals++;
            hasResent |= isSubmission && fields.Name.Length > 7 && Ascii.EqualsIgnoreCase(fields.Name[..7], "Resent-"u8);
        }

        var added = from.Fields > 0 || !isSubmission ? null : submitter is { } login ? login.Address() : reversePath;
        var isTraced = traces
            && submitter is not null
            && !(sender.Fields > 0 ? sender.IsOneOf(mostMailboxes: 1) : added is not null || from.IsOneOf(int.MaxValue));
        var address = isTraced && !hasResent ? submitter!.Value.Address() : null;
        removals += address is null ? 0 : sender.Fields;
        return new HeaderReview(
            hops,
            hasDate,
            hasMessageId,
            address,
            isTraced && address is null,
            removals == 0 ? [] : Removals(section, removals, authservId, isSubmission, withSender: address is not null, tenantFields))
        {
            TenantFields = tenants ?? [],
            Earlier = earlier,
            HasForeignAuthor = submitter is not null && added is null && !from.IsOneOf(int.MaxValue),
            HasForeignResender = submitter is not null && resent.Fields > 0 && !resent.IsOneOf(int.MaxValue),
            HasForeignSender = submitter is not null && !traces && !hasResent && sender.Fields > 0 && !sender.IsOneOf(mostMailboxes: 1),
            Author = added,
            ResentFromField = resender,
            SenderField = senderField,
            WaivesTls = waiver is { Fields: 1, IsNo: true },
            MessageIdField = messageId,
            FromField = author,
            SubjectField = subject,
        };
    }

    /// <summary>What a Received field of this host calls the message; null where another wrote it.</summary>
    private static EarlierPass? PassOf(ReadOnlySpan<byte> body, string hostname)
    {
        Span<byte> name = stackalloc byte[255];
        if (hostname.Length > 255 || body.IndexOf(name[..Encoding.UTF8.GetBytes(hostname, name)]) < 0)
            return null;
        var (isOurs, id) = (false, default(EarlierPass));
        var words = Encoding.Latin1.GetString(body).Split([' ', '\t', '\r', '\n', ';'], StringSplitOptions.RemoveEmptyEntries);
        for (var i = 1; i < words.Length; i++)
        {
            isOurs |= words[i - 1] == "by" && words[i] == hostname;
            if (words[i - 1] == "id" && QueueId.TryParse(words[i], out var known))
                id = new EarlierPass(known);
        }

        return isOurs ? id : null;
    }

    private static string? TenantFieldOf(HeaderSection fields, ImmutableArray<string> names)
    {
        if (names.IsDefaultOrEmpty)
            return null;
        foreach (var name in names)
        {
            if (fields.Is(name))
                return name;
        }

        return null;
    }

    private static List<Range> Removals(
        ReadOnlySpan<byte> section, int count, string authservId, bool isSubmission, bool withSender, ImmutableArray<string> tenantFields)
    {
        var removed = new List<Range>(count);
        var fields = new HeaderSection(section);
        while (fields.TryNext())
        {
            if ((withSender && fields.Is("Sender"))
                || IsRemoved(fields, authservId, isSubmission)
                || TenantFieldOf(fields, tenantFields) is not null)
                removed.Add(fields.Start..fields.End);
        }

        return removed;
    }

    private static bool IsRemoved(HeaderSection fields, string authservId, bool isSubmission) =>
        (fields.Is(AuthenticationResultsField.Name) && AuthenticationResultsField.Claims(fields.Body, authservId))
        || (isSubmission && (fields.Is("Return-Path") || fields.Is("Bcc") || fields.Is("Resent-Bcc") || fields.Is(TraceField)));

    /// <summary>What TLS-Required fields say; several are none (RFC 8689 §3).</summary>
    private readonly record struct TlsWaiver(int Fields, bool IsNo)
    {
        public TlsWaiver And(ReadOnlySpan<byte> body) => new(Fields + 1, Ascii.EqualsIgnoreCase(body.Trim(" \t\r\n"u8), "No"u8));
    }

    /// <summary>What all fields of one name say of who wrote or sent it.</summary>
    private readonly record struct Authors(int Fields, int Mailboxes, bool IsForeign)
    {
        /// <summary>There is one such field, it can be read, and all in it are the login's.</summary>
        public bool IsOneOf(int mostMailboxes) => Fields == 1 && !IsForeign && Mailboxes <= mostMailboxes;

        public Authors And(ReadOnlySpan<byte> body, Submitter? submitter)
        {
            if (submitter is not { } login || IsForeign)
                return this with { Fields = Fields + 1 };
            var mailboxes = new MailboxList(body);
            var count = 0;
            while (mailboxes.TryNext())
            {
                count++;
                if (!login.Owns(mailboxes.Address))
                    return new Authors(Fields + 1, Mailboxes + count, IsForeign: true);
            }

            return new Authors(Fields + 1, Mailboxes + count, !mailboxes.IsWhole || count == 0);
        }
    }
}
