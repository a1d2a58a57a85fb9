using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One mail transaction (RFC 5321 §3.3): from an accepted MAIL to the end of data, RSET, EHLO or QUIT.</summary>
public sealed class Transaction(ReversePath sender, MailParameters parameters)
{
    private readonly List<Recipient> recipients = [];
    private readonly List<int> accepted = [];
    private readonly List<string> rules = [];

    /// <summary>Where failures are reported.</summary>
    public ReversePath Sender { get; } = sender;

    /// <summary>What MAIL said beside the sender.</summary>
    public MailParameters Parameters { get; } = parameters;

    /// <summary>Accepted recipients, in order; one that was said twice with the same parameters is there once.</summary>
    public IReadOnlyList<Recipient> Recipients => recipients;

    /// <summary>For each accepted RCPT, in order, the place of its recipient in <see cref="Recipients"/>.</summary>
    internal IReadOnlyList<int> Accepted => accepted;

    /// <summary>The rules that permitted these recipients, without repetition.</summary>
    public IReadOnlyList<string> PermittedBy => rules;

    internal void Add(Mailbox mailbox, RecipientParameters parameters, string rule)
    {
        var recipient = new Recipient(mailbox, parameters);
        var place = recipients.IndexOf(recipient);
        if (place < 0)
        {
            place = recipients.Count;
            recipients.Add(recipient);
        }

        accepted.Add(place);
        if (!rules.Contains(rule))
            rules.Add(rule);
    }
}
