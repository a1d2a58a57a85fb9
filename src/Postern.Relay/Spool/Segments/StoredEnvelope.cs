using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// <see cref="Envelope"/> and the state it came with, as they are written (docs/spool-format.md). A field may be added while its
/// absence means what it meant before; anything else is a new <see cref="V"/>.
/// </summary>
internal sealed record StoredEnvelope(
    int V,
    DateTimeOffset Arrived,
    string From,
    string[] To,
    string? Login,
    string? Client,
    string? Listener,
    bool EightBit,
    bool Inbound,
    StoredParameters? Mail,
    StoredRecipientParameters[]? Rcpt,
    StoredState State)
{
    /// <summary>2: it holds an address that readers of 1 take for damage. One that does not is written as 1, which they can read.</summary>
    public const int CurrentVersion = 2;

    public static StoredEnvelope Of(Envelope envelope, DeliveryState state) => new(
        IsStrict(envelope) ? 1 : CurrentVersion,
        envelope.ArrivedAt,
        envelope.Sender.Address,
        [.. envelope.Recipients.Select(static r => r.Address)],
        envelope.Login,
        envelope.Client?.ToString(),
        envelope.Listener,
        envelope.Is8Bit,
        envelope.IsInbound,
        StoredParameters.Of(envelope),
        StoredRecipientParameters.Of(envelope),
        StoredState.Of(state));

    private static bool IsStrict(Envelope envelope)
    {
        if (envelope.Sender.Mailbox is { IsStrict: false } || envelope.Parameters.SubmittedBy?.Mailbox is { IsStrict: false })
            return false;
        foreach (var recipient in envelope.Recipients)
        {
            if (!recipient.IsStrict)
                return false;
        }

        return true;
    }

    /// <exception cref="FormatException">Holds what no envelope of ours can hold.</exception>
    public SpoolEntry ToEntry(QueueId id, long size, ReplayWords words)
    {
        if (V is < 1 or > CurrentVersion)
            throw new FormatException($"envelope of version {V}");
        var envelope = new Envelope
        {
            Id = id,
            ArrivedAt = Arrived,
            Sender = From.Length == 0 ? ReversePath.Null : new ReversePath(words.Mailbox(From)),
            Recipients = [.. To.Select(words.Mailbox)],
            Login = words.Text(Login),
            Client = words.Address(Client),
            Listener = words.Text(Listener),
            IsInbound = Inbound,
            Parameters = StoredParameters.ToParameters(Mail, EightBit, words),
            RecipientParameters = StoredRecipientParameters.ToParameters(Rcpt, To.Length),
            Deadline = Mail?.By?.ToDeadline(),
            HasUtf8Header = Mail?.Utf8Header == true,
        };
        return new SpoolEntry(envelope, size, State.ToState(envelope.Recipients.Length));
    }
}
