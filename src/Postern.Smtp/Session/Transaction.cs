using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One mail transaction (RFC 5321 §3.3): from an accepted MAIL to the end of data, RSET, EHLO or QUIT.</summary>
public sealed class Transaction(ReversePath sender, long? declaredSize, bool is8Bit)
{
    private readonly List<Mailbox> recipients = [];

    public ReversePath Sender { get; } = sender;

    /// <summary>Octets, as SIZE= said (RFC 1870); null when the client did not say.</summary>
    public long? DeclaredSize { get; } = declaredSize;

    /// <summary>BODY=8BITMIME (RFC 6152).</summary>
    public bool Is8Bit { get; } = is8Bit;

    /// <summary>Accepted recipients, in order, without repetition.</summary>
    public IReadOnlyList<Mailbox> Recipients => recipients;

    internal void Add(Mailbox recipient)
    {
        if (!recipients.Contains(recipient))
            recipients.Add(recipient);
    }
}
