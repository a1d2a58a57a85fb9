using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One mail transaction (RFC 5321 §3.3): from an accepted MAIL to the end of data, RSET, EHLO or QUIT.</summary>
public sealed class Transaction(ReversePath sender, long? declaredSize, bool is8Bit)
{
    private readonly List<Mailbox> recipients = [];
    private readonly List<string> rules = [];

    public ReversePath Sender { get; } = sender;

    /// <summary>Octets, as SIZE= said (RFC 1870); null when the client did not say.</summary>
    public long? DeclaredSize { get; } = declaredSize;

    /// <summary>BODY=8BITMIME (RFC 6152).</summary>
    public bool Is8Bit { get; } = is8Bit;

    /// <summary>Accepted recipients, in order, without repetition.</summary>
    public IReadOnlyList<Mailbox> Recipients => recipients;

    /// <summary>The rules that permitted these recipients, without repetition.</summary>
    public IReadOnlyList<string> PermittedBy => rules;

    internal void Add(Mailbox recipient, string rule)
    {
        if (!recipients.Contains(recipient))
            recipients.Add(recipient);
        if (!rules.Contains(rule))
            rules.Add(rule);
    }
}
