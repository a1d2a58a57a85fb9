using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>
/// Words that come again and again in a long queue, kept once while it is replayed: a million messages of one sender need that
/// sender's mailbox once. Bounded, because recipients may all be different.
/// </summary>
internal sealed class ReplayWords
{
    private const int Most = 20_000;

    private readonly Dictionary<StoredRecipient, ImmutableArray<RecipientState>> states = [];
    private readonly Dictionary<string, Mailbox> mailboxes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IPAddress> addresses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MailParameters> mails = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecipientParameters> recipients = new(StringComparer.Ordinal);

    /// <exception cref="FormatException">Not a mailbox.</exception>
    public Mailbox Mailbox(string text) => Once(mailboxes, text, Smtp.Grammar.Mailbox.Parse);

    public string? Text(string? text) => text is null ? null : Once(texts, text, static t => t);

    /// <exception cref="FormatException">Not an address.</exception>
    public IPAddress? Address(string? text) => text is null ? null : Once(addresses, text, IPAddress.Parse);

    /// <summary>A destination that is away gives one reply to very many.</summary>
    public ImmutableArray<RecipientState> States(StoredRecipient[] recipients)
    {
        if (recipients is not [var only])
            return [.. recipients.Select(r => States([r])[0])];
        if (states.TryGetValue(only, out var known))
            return known;
        known = [only.ToState()];
        if (states.Count < Most)
            states.Add(only, known);
        return known;
    }

    /// <exception cref="FormatException">Not what an extension of ours writes.</exception>
    public MailParameters MailParameters(string text) =>
        Once(
            mails,
            text,
            static t => ParameterText.TryRead(t, out MailParameters? said)
                ? said.Shared()
                : throw new FormatException($"'{t}' is not what MAIL says"));

    /// <exception cref="FormatException">Not what an extension of ours writes.</exception>
    public RecipientParameters RecipientParameters(string text) =>
        Once(
            recipients,
            text,
            static t => ParameterText.TryRead(t, out RecipientParameters? said)
                ? said
                : throw new FormatException($"'{t}' is not what RCPT says"));

    private static T Once<T>(Dictionary<string, T> known, string text, Func<string, T> parse)
    {
        if (known.TryGetValue(text, out var value))
            return value;
        value = parse(text);
        if (known.Count < Most)
            known.Add(text, value);
        return value;
    }
}
