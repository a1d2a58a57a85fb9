using System.Globalization;

namespace Postern.Relay.Audit.Events;

/// <summary>One recipient's outcome of one delivery attempt.</summary>
/// <param name="Attempt">1 for the first.</param>
/// <param name="Reply">What the next hop said, or why it was not asked.</param>
public sealed record DeliveryEvent(DateTimeOffset At, string QueueId, string Recipient, DeliveryOutcome Outcome, int Attempt, string Reply)
    : AuditEvent(At)
{
    /// <summary>Which recipient of the message, from 0: two may have the same address. Not written; it is part of the id.</summary>
    public int RecipientIndex { get; init; }

    /// <summary>Host and address spoken to; null when none was reached.</summary>
    public string? Remote { get; init; }

    /// <summary>TLSv1.3 and so on; null without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>
    /// verified where the certificate proved that the host is one which was meant; host_only where it proved the name of a host that DNS
    /// named without proof; else unverified; null without TLS.
    /// </summary>
    public string? TlsTrust { get; init; }

    /// <summary>
    /// What TLS was held to: route, none, opportunistic, encrypt, verify, dane, mta-sts, mta-sts-testing; null where no host was spoken to.
    /// </summary>
    public string? TlsPolicy { get; init; }

    /// <summary>What went wrong with TLS, whether or not the mail went, in a word of RFC 8460 §4.3; null where nothing did.</summary>
    public string? TlsFault { get; init; }

    /// <summary>SHA-256 of the certificate that was shown, in hexadecimal digits; null where none was.</summary>
    public string? Certificate { get; init; }

    /// <summary>The names it is for, or its subject where it has none.</summary>
    public string? CertificateFor { get; init; }

    /// <summary>When it is tried again; null unless it was deferred.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>The code of the reply; null where nobody replied.</summary>
    public int? Code { get; init; }

    /// <summary>The enhanced status code (RFC 3463), such as 5.1.1; null where there is none.</summary>
    public string? Status { get; init; }

    /// <summary>How far the attempt came: dns, connect, tls, login, mail, rcpt, data, end; null where it was not noted.</summary>
    public string? Phase { get; init; }

    /// <summary>The route as it is configured; null where there was none.</summary>
    public string? Route { get; init; }

    /// <summary>Milliseconds that the attempt took; null where it was not noted.</summary>
    public int? DurationMs { get; init; }

    /// <summary>Why it was not delivered, in a word of a closed list; null where it was, or the reason is in no such list.</summary>
    public string? Category { get; init; }

    /// <summary>
    /// The keys whose signatures (DKIM) the receiver was sent, each by the name of its DNS record, separated by spaces; null for none, and
    /// where no content was sent.
    /// </summary>
    public string? SignedBy { get; init; }

    /// <summary>
    /// The sender that the server was told, where it is another than the message came with; null where it is the same, and where none was
    /// told.
    /// </summary>
    public string? SentAs { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("delivery", static line =>
        Read(line, line.Text("queue_id"), line.Text("recipient"), line.Word<DeliveryOutcome>("outcome"), line.Count("attempt")));

    /// <summary>The event of a line that has its reason.</summary>
    internal static DeliveryEvent Read(EventLine line, string queueId, string recipient, DeliveryOutcome outcome, int attempt) =>
        new(line.At, queueId, recipient, outcome, attempt, line.Text("reply"))
        {
            Remote = line.Maybe("remote"),
            Tls = line.Maybe("tls"),
            TlsTrust = line.Maybe("tls_trust"),
            TlsPolicy = line.Maybe("tls_policy"),
            TlsFault = line.Maybe("tls_fault"),
            Certificate = line.Maybe("certificate"),
            CertificateFor = line.Maybe("certificate_for"),
            NextAttempt = line.MaybeTime("next_attempt"),
            Code = line.MaybeNumber("code"),
            Status = line.Maybe("status"),
            Phase = line.Maybe("phase"),
            Route = line.Maybe("route"),
            DurationMs = line.MaybeNumber("duration_ms"),
            Category = line.Maybe("category"),
            SignedBy = line.Maybe("signed_by"),
            SentAs = line.Maybe("sent_as"),
        };

    /// <summary>
    /// An attempt that found this server short of something has the number of the one before: when it ended tells them apart. The time of
    /// the next one does not: an operator may change that.
    /// </summary>
    internal override string Key => string.Create(
        CultureInfo.InvariantCulture,
        $"{QueueId}\n{RecipientIndex}\n{Attempt}\n{EventWord.Of(Outcome)}\n"
            + $"{(Outcome == DeliveryOutcome.Deferred ? At.UtcTicks : null as long?)}");

    internal override EventTraits Traits => new()
    {
        QueueId = QueueId,
        Recipient = Recipient,
        Outcome = EventWord.Of(Outcome),
        Route = Route,
        Category = Category,
        ContinuesMessage = true,
    };

    private protected override long TextOctets => OctetsOf(QueueId, Recipient, Remote, Reply, SignedBy, SentAs);

    public override string[] ToCells() => [EventWord.Of(Outcome), QueueId, Recipient, Remote ?? "-", Reply];

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(("queue_id", QueueId), ("recipient", Recipient), ("outcome", EventWord.Of(Outcome)));
        fields.Number("attempt", Attempt);
        WriteHostTo(fields);
        fields.Time("next_attempt", NextAttempt);
        WriteReasonTo(fields);
    }

    /// <summary>What it can share with other deferrals.</summary>
    internal void WriteSharedTo(EventFields fields)
    {
        fields.Texts(("outcome", EventWord.Of(Outcome)));
        WriteHostTo(fields);
        WriteReasonTo(fields);
    }

    private void WriteHostTo(EventFields fields)
    {
        fields.Texts(("remote", Remote), ("reply", Reply), ("tls", Tls), ("tls_trust", TlsTrust), ("tls_policy", TlsPolicy));
        fields.Texts(("tls_fault", TlsFault), ("certificate", Certificate), ("certificate_for", CertificateFor));
    }

    private void WriteReasonTo(EventFields fields)
    {
        fields.Number("code", Code);
        fields.Texts(("status", Status), ("phase", Phase), ("route", Route));
        fields.Number("duration_ms", DurationMs);
        fields.Texts(("category", Category), ("signed_by", SignedBy), ("sent_as", SentAs));
    }
}

/// <summary>What one attempt came to for one recipient.</summary>
public enum DeliveryOutcome
{
    Delivered,

    /// <summary>It is tried again.</summary>
    Deferred,

    /// <summary>It is not tried again.</summary>
    Failed,
}
