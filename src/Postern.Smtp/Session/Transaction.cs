using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One mail transaction (RFC 5321 §3.3): from an accepted MAIL to the end of data, RSET, EHLO or QUIT.</summary>
public sealed class Transaction(ReversePath sender, MailParameters parameters)
{
    /// <summary>From here on a recipient is looked up by its hash: each is compared with all before it.</summary>
    private const int ManyRecipients = 16;

    private readonly List<Recipient> recipients = new(capacity: 1);

    /// <summary>Null while no RCPT has been repeated, as nearly always: then each has a recipient of its own.</summary>
    private List<int>? accepted;

    private string[] rules = [];
    private SmtpEnvelope? envelope;
    private Dictionary<Recipient, int>? places;

    /// <summary>Where failures are reported.</summary>
    public ReversePath Sender { get; } = sender;

    /// <summary>What MAIL said beside the sender.</summary>
    public MailParameters Parameters { get; } = parameters;

    /// <summary>Accepted recipients, in order; one that was said twice with the same parameters is there once.</summary>
    public IReadOnlyList<Recipient> Recipients => recipients;

    /// <summary>For each accepted RCPT, in order, the place of its recipient in <see cref="Recipients"/>.</summary>
    internal IReadOnlyList<int> Accepted => accepted ?? [.. Enumerable.Range(0, recipients.Count)];

    /// <summary>What the client has said so far, as one value.</summary>
    public SmtpEnvelope Envelope => envelope ??= new SmtpEnvelope(Sender, [.. recipients.Select(static r => r.Mailbox)])
    {
        Parameters = Parameters,
        RecipientParameters = recipients.TrueForAll(static r => r.Parameters == RecipientParameters.None)
            ? []
            : [.. recipients.Select(static r => r.Parameters)],
    };

    /// <summary>The rules that permitted these recipients, without repetition.</summary>
    public IReadOnlyList<string> PermittedBy => rules;

    internal void Add(Mailbox mailbox, RecipientParameters parameters, string rule)
    {
        var recipient = new Recipient(mailbox, parameters);
        var place = PlaceOf(recipient);
        var isNew = place == recipients.Count;
        if (isNew)
            recipients.Add(recipient);
        envelope = null;
        if (accepted is not null)
            accepted.Add(place);
        else if (!isNew)
            accepted = [.. Enumerable.Range(0, recipients.Count), place];
        if (!rules.Contains(rule))
            rules = [.. rules, rule];
    }

    /// <summary>The index of an equal recipient; the number of recipients where there is none.</summary>
    private int PlaceOf(Recipient recipient)
    {
        if (recipients.Count < ManyRecipients)
            return recipients.IndexOf(recipient) is >= 0 and var found ? found : recipients.Count;
        if (places is null)
        {
            places = [];
            for (var i = 0; i < recipients.Count; i++)
                places.Add(recipients[i], i);
        }

        return places.TryAdd(recipient, recipients.Count) ? recipients.Count : places[recipient];
    }
}
