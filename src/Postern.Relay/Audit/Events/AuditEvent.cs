namespace Postern.Relay.Audit.Events;

/// <summary>
/// One thing that happened, as one JSON line. Each kind of event is one file in <c>Events</c>, and one line in
/// <see cref="AuditEvents.All"/>. Texts may come from the network: the writer escapes control characters. No event has a place for a
/// secret.
/// </summary>
/// <param name="At">UTC.</param>
public abstract record AuditEvent(DateTimeOffset At)
{
    private readonly string? written;
    private string? computed;

    /// <summary>A copy is about something else, as far as anybody knows: only an id that was read goes with it.</summary>
    protected AuditEvent(AuditEvent original)
    {
        (At, Cause, written) = (original.At, original.Cause, original.written);
    }

    /// <summary>Octets of memory that an event takes beside its texts, about.</summary>
    private const int Frame = 256;

    /// <summary>The client that made it happen; null where none did, and where every event must be told. Not written.</summary>
    public AuditCause? Cause { get; init; }

    /// <summary>
    /// <c>evt_</c> and 26 letters and digits, computed from what the event is about (<see cref="Key"/>): the same thing written again,
    /// after a crash, has the same id, and a reader drops the second.
    /// </summary>
    public string Id
    {
        get => written ?? (computed ??= EventId.Of(this));
        init => written = value;
    }

    /// <summary>Its word in the log: login, decision and so on.</summary>
    public abstract string Name { get; }

    /// <summary>Which file holds it.</summary>
    public abstract AuditKind Kind { get; }

    /// <summary>
    /// What a table of events of its kind shows after the time, one text a column; what came from the network is not made printable.
    /// </summary>
    public abstract string[] ToCells();

    /// <summary>What tells it from every other event of its name. Nothing in it may change when the event is written again.</summary>
    internal abstract string Key { get; }

    /// <summary>What it can be found by.</summary>
    internal abstract EventTraits Traits { get; }

    /// <summary>About how many octets of memory it holds while it waits to be written.</summary>
    internal long Weight => Frame + TextOctets;

    private protected abstract long TextOctets { get; }

    /// <summary>Everything but <c>at</c>, <c>event</c> and <c>id</c>.</summary>
    internal abstract void WriteTo(EventFields fields);

    /// <summary>Events that say the same are equal, whether an id has been read or is yet to be computed.</summary>
    public virtual bool Equals(AuditEvent? other) =>
        other is not null && EqualityContract == other.EqualityContract && At == other.At && Cause == other.Cause;

    public override int GetHashCode() => HashCode.Combine(EqualityContract, At, Cause);

    private protected static long OctetsOf(params ReadOnlySpan<string?> texts)
    {
        var weight = 0L;
        foreach (var text in texts)
            weight += text is null ? 0 : (2L * text.Length) + 24;
        return weight;
    }
}

/// <summary>What a client did in a session.</summary>
public abstract record SessionEvent(DateTimeOffset At, EventOrigin Origin) : AuditEvent(At)
{
    public string Session => Origin.Session;

    public string Listener => Origin.Listener;

    /// <summary>The client's address.</summary>
    public string Client => Origin.Client;

    /// <inheritdoc cref="EventOrigin.User"/>
    public string? User => Origin.User;

    /// <inheritdoc cref="EventOrigin.Tls"/>
    public string? Tls => Origin.Tls;

    /// <inheritdoc cref="EventOrigin.Tenant"/>
    public string? Tenant => Origin.Tenant;

    private protected long OriginOctets => OctetsOf(Session, Listener, Client, User, Origin.Helo);
}

/// <summary>Where a client's event happened, and what was known of the client then.</summary>
/// <param name="Client">Its address.</param>
public sealed record EventOrigin(string Session, string Listener, string Client)
{
    /// <summary>The name it gave at HELO or EHLO; null before.</summary>
    public string? Helo { get; init; }

    /// <summary>
    /// The login; of a login event who it claimed to be, masked by the producer when no account of that name exists. Null without.
    /// </summary>
    public string? User { get; init; }

    /// <summary>TLSv1.3 and so on; null without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>As OpenSSL names it; null without TLS.</summary>
    public string? Cipher { get; init; }

    /// <summary>The server that the client's hello named (SNI); null where it named none.</summary>
    public string? Sni { get; init; }

    /// <summary>Of the account; null where there is none.</summary>
    public string? Tenant { get; init; }

    /// <summary>The client's; null where it is not known. Of the lines of the log, only those of logins have it.</summary>
    public int? Port { get; init; }
}
