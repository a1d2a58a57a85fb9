using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Recovery;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// <see cref="Envelope"/> and the state it came with, as they are written (docs/spool-format.md). A field may be added while its
/// absence means what it meant before; anything else is a new <see cref="V"/>.
/// </summary>
internal sealed record StoredEnvelope
{
    /// <summary>
    /// 2: it holds an address that readers of 1 take for damage. 3: parameters stand in <see cref="Mail"/> and <see cref="Rcpt"/>, which
    /// readers of 2 do not know. 4: a recipient means a command or a mailbox (<see cref="Places"/>). 5: it has so many recipients that its
    /// states are written in another form (<see cref="StoredState.Each"/>). Each is written as the lowest that says all of it, so that an
    /// older program reads what it can.
    /// </summary>
    public const int CurrentVersion = 5;

    private const int WithPlaces = 4;
    private const int WithParameters = 3;

    public int V { get; init; }

    public DateTimeOffset Arrived { get; init; }

    /// <summary>Empty for the null path.</summary>
    public required string From { get; init; }

    public required string[] To { get; init; }

    public string? Login { get; init; }

    public string? Client { get; init; }

    /// <summary>What else is known of the client's session, in the words of XCLIENT; null where nothing is.</summary>
    public string? Peer { get; init; }

    public string? Listener { get; init; }

    public string? Tenant { get; init; }

    /// <summary>The queue id of the message that it tells of, where this server wrote it; and what the log has of that.</summary>
    public string? About { get; init; }

    public string? Reason { get; init; }

    /// <summary>It waits for others to the same address, to be sent with them in one message.</summary>
    public bool Gathered { get; init; }

    /// <summary>The queue id that it had when it passed this server before, by its trace.</summary>
    public string? Passed { get; init; }

    /// <summary>The queue id of the message whose recipients stand for these, and which those were; where it came about so.</summary>
    public string? Expands { get; init; }

    public string[]? Through { get; init; }

    /// <summary>Which of <see cref="To"/> are lists, and which a command or a mailbox of an alias.</summary>
    public int[]? Lists { get; init; }

    public int[]? Places { get; init; }

    /// <summary>Which of <see cref="To"/> are told a rewritten sender.</summary>
    public int[]? Rewritten { get; init; }

    /// <summary>
    /// The state of another message that counts from this record on, as if a state record of it followed. Only the record with which both
    /// were committed has it: a copy that compaction makes has not.
    /// </summary>
    public StoredSettlement? Settles { get; init; }

    /// <summary>The same, where it tells of more than one message.</summary>
    public StoredSettlement[]? SettlesToo { get; init; }

    /// <summary>BODY=8BITMIME, where MAIL said no more than that.</summary>
    public bool EightBit { get; init; }

    public bool Utf8Header { get; init; }

    public bool Inbound { get; init; }

    public bool TlsOptional { get; init; }

    public bool TlsWaived { get; init; }

    public bool Foreign { get; init; }

    /// <summary>Seconds that HOLDFOR= said; null without. When the hold ends stands among <see cref="MailSaid"/>.</summary>
    public int? HoldFor { get; init; }

    /// <summary>Seconds for which the content is kept when the delivery is over; 0: it is not.</summary>
    public int Keep { get; init; }

    /// <summary>What MAIL said, as ESMTP writes it; null where that was nothing, or BODY=8BITMIME.</summary>
    public string? MailSaid { get; init; }

    /// <summary>What RCPT said, one for each of <see cref="To"/>; null where no recipient said anything.</summary>
    public string[]? RcptSaid { get; init; }

    /// <summary>As versions 1 and 2 had it.</summary>
    public FormerParameters.OfMail? Mail { get; init; }

    /// <summary>As versions 1 and 2 had it.</summary>
    public FormerParameters.OfRcpt[]? Rcpt { get; init; }

    public required StoredState State { get; init; }

    public static StoredEnvelope Of(Envelope envelope, DeliveryState state)
    {
        var said = envelope.Parameters;
        var saysMore = said != MailParameters.None && said != MailParameters.EightBit;
        var rcptSaysMore = !envelope.Said.RecipientParameters.All(static p => p == RecipientParameters.None);
        return new StoredEnvelope
        {
            V = envelope.Recipients.Length > StoredState.MostListed ? CurrentVersion
                : envelope.Expanded is { Places.IsEmpty: false } ? WithPlaces
                : saysMore || rcptSaysMore || envelope.HasUtf8Header ? WithParameters
                : IsStrict(envelope) ? 1
                : 2,
            Arrived = envelope.ArrivedAt,
            From = envelope.Sender.Address,
            To = [.. envelope.Recipients.Select(static r => r.Address)],
            Login = envelope.Login,
            Client = envelope.Client?.ToString(),
            Peer = envelope.ClientSession?.ToAttributes(),
            Listener = envelope.Listener,
            Tenant = envelope.Tenant,
            About = envelope.ReportOf?.About.ToString(),
            Reason = envelope.ReportOf?.Reason,
            Gathered = envelope.ReportOf?.IsGathered == true,
            Passed = envelope.Earlier?.As.ToString(),
            Expands = envelope.Expanded?.Of.ToString(),
            Through = envelope.Expanded is { } expanded ? [.. expanded.Through.Select(static r => r.Address)] : null,
            Lists = envelope.Expanded is { Open: { IsEmpty: false } open } ? [.. open] : null,
            Places = envelope.Expanded is { Places: { IsEmpty: false } places } ? [.. places] : null,
            Rewritten = envelope.Expanded is { Rewritten: { IsEmpty: false } rewritten } ? [.. rewritten] : null,
            EightBit = !saysMore && envelope.Is8Bit,
            Utf8Header = envelope.HasUtf8Header,
            Inbound = envelope.IsInbound,
            TlsOptional = envelope.IsTlsOptional,
            TlsWaived = envelope.IsTlsWaived,
            Foreign = envelope.HasForeignAuthor,
            HoldFor = (int?)said.HoldFor?.TotalSeconds,
            Keep = (int)(envelope.KeepFor?.TotalSeconds ?? 0),
            MailSaid = saysMore ? ParameterText.Of(said) : null,
            RcptSaid = rcptSaysMore ? [.. envelope.Said.RecipientParameters.Select(ParameterText.Of)] : null,
            State = StoredState.Of(state),
        };
    }

    /// <summary>A parameter that only a newer version can have written; null when all are known here.</summary>
    public string? Unknown => MailSaid is not null && !ParameterText.TryRead(MailSaid, out MailParameters? _) ? MailSaid
        : RcptSaid?.FirstOrDefault(static said => !ParameterText.TryRead(said, out RecipientParameters? _));

    /// <exception cref="FormatException">Holds what no envelope of ours can hold.</exception>
    public SpoolEntry ToEntry(QueueId id, long size, ReplayWords words)
    {
        if (V is < 1 or > CurrentVersion)
            throw new FormatException($"envelope of version {V}");
        if (RcptSaid is not null && RcptSaid.Length != To.Length)
            throw new FormatException($"parameters of {RcptSaid.Length} recipients for a message of {To.Length}");
        var envelope = new Envelope
        {
            Id = id,
            ArrivedAt = Arrived,
            Said = new SmtpEnvelope(
                From.Length == 0 ? ReversePath.Null : new ReversePath(words.Mailbox(From)), [.. To.Select(words.Mailbox)])
            {
                Parameters = Held(
                    MailSaid is not null ? words.MailParameters(MailSaid) : FormerParameters.Read(Mail, EightBit, Arrived, words)),
                RecipientParameters = RcptSaid is not null
                    ? [.. RcptSaid.Select(words.RecipientParameters)]
                    : FormerParameters.Read(Rcpt, To.Length),
            },
            Login = words.Text(Login),
            Client = words.Address(Client),
            // Only what a hop is told: without it the message goes all the same.
            ClientSession = Peer is not null && PeerClaims.TryParse(Peer, out var peer) ? peer : null,
            Listener = words.Text(Listener),
            Tenant = words.Text(Tenant),
            ReportOf = QueueId.TryParse(About, out var about)
                ? new ReportOrigin(about, Reason ?? string.Empty) { IsGathered = Gathered }
                : null,
            Earlier = QueueId.TryParse(Passed, out var passed) ? new EarlierPass(passed) : null,
            Expanded = QueueId.TryParse(Expands, out var expands)
                ? new Expansion(expands, [.. (Through ?? []).Select(words.Mailbox)])
                {
                    Open = Indices(Lists),
                    Places = Indices(Places),
                    Rewritten = Indices(Rewritten),
                }
                : null,
            IsInbound = Inbound,
            IsTlsOptional = TlsOptional,
            IsTlsWaived = TlsWaived,
            HasForeignAuthor = Foreign,
            KeepFor = Keep > 0 ? TimeSpan.FromSeconds(Keep) : null,
            HasUtf8Header = Utf8Header || Mail?.Utf8Header == true,
        };
        return new SpoolEntry(envelope, size, State.ToState(envelope.Recipients.Length, words));
    }

    /// <summary>The messages whose states are settled with this one.</summary>
    [JsonIgnore]
    public IEnumerable<StoredSettlement> Settled => Settles is null ? [] : [Settles, .. SettlesToo ?? []];

    /// <summary>What is not said of this message's recipients is said of none.</summary>
    private ImmutableArray<int> Indices(int[]? said) => said is null ? [] : [.. said.Where(i => i >= 0 && i < To.Length)];

    private MailParameters Held(MailParameters said) =>
        HoldFor is { } seconds ? said with { HoldFor = TimeSpan.FromSeconds(seconds) } : said;

    private static bool IsStrict(Envelope envelope)
    {
        if (envelope.Sender.Mailbox is { IsStrict: false })
            return false;
        foreach (var recipient in envelope.Recipients)
        {
            if (!recipient.IsStrict)
                return false;
        }

        return true;
    }
}
