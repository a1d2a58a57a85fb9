using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One mail transaction (RFC 5321 §3.3): from an accepted MAIL to the end of data, RSET, EHLO or QUIT.</summary>
public sealed class Transaction(ReversePath sender, MailParameters parameters)
{
    /// <summary>From here on a recipient is looked up by its hash: each is compared with all before it.</summary>
    private const int ManyRecipients = 16;

    private readonly List<Recipient> recipients = [];
    private readonly List<string> rules = [];
    private HashSet<Recipient>? known;

    /// <summary>Where failures are reported.</summary>
    public ReversePath Sender { get; } = sender;

    /// <summary>What MAIL said beside the sender.</summary>
    public MailParameters Parameters { get; } = parameters;

    /// <summary>Accepted recipients, in order; one that was said twice with the same parameters is there once.</summary>
    public IReadOnlyList<Recipient> Recipients => recipients;

    /// <summary>The rules that permitted these recipients, without repetition.</summary>
    public IReadOnlyList<string> PermittedBy => rules;

    internal void Add(Mailbox mailbox, RecipientParameters parameters, string rule)
    {
        var recipient = new Recipient(mailbox, parameters);
        if (IsNew(recipient))
            recipients.Add(recipient);
        if (!rules.Contains(rule))
            rules.Add(rule);
    }

    private bool IsNew(Recipient recipient)
    {
        if (recipients.Count < ManyRecipients)
            return !recipients.Contains(recipient);
        known ??= [.. recipients];
        return known.Add(recipient);
    }
}
