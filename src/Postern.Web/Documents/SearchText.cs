using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;

namespace Postern.Web.Documents;

/// <summary>
/// What somebody pastes into the search box, and what it can be: the likeliest first. A text may be several things (<c>SECRET</c> is a
/// reference and a login), so whoever searches tries one after the other.
/// </summary>
internal static class SearchText
{
    /// <summary>Longer than any address, Message-ID or login.</summary>
    public const int Most = 1_000;

    public static ImmutableArray<SearchReading> Read(string text)
    {
        var pasted = text.Trim();
        var readings = ImmutableArray.CreateBuilder<SearchReading>();
        if (pasted.Length is 0 or > Most)
            return [];
        if (QueueId.TryParse(pasted, out var id))
            return [new(SearchReading.QueueId, id.ToString())];
        if (pasted is "<>")
            return [new(SearchReading.Sender, pasted)];
        var bare = pasted.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? pasted["mailto:".Length..] : pasted;
        var isBracketed = bare is ['<', .., '>'];
        var inner = isBracketed ? bare[1..^1].Trim() : bare;
        if (inner.Length == 0)
            return [];
        if (AuditQuery.NetworkOf(inner.Trim('[', ']')) is not null)
            return [new(SearchReading.Client, inner.Trim('[', ']')), new(SearchReading.Login, inner)];
        var at = inner.LastIndexOf('@');
        if (at == 0)
            return [new(SearchReading.Domain, inner[1..])];
        if (at > 0)
        {
            // In angle brackets stand Message-IDs oftener than addresses.
            if (isBracketed)
                readings.Add(new(SearchReading.MessageId, inner));
            foreach (var kind in (string[])[SearchReading.Recipient, SearchReading.Sender, SearchReading.Login])
                readings.Add(new(kind, inner));
            if (!isBracketed)
                readings.Add(new(SearchReading.MessageId, inner));
            return readings.DrainToImmutable();
        }

        if (DecisionReference.TryParse(inner, out var reference))
            readings.Add(new(SearchReading.Reference, reference));
        if (inner.Contains('.', StringComparison.Ordinal) && !inner.Contains(' ', StringComparison.Ordinal))
            readings.Add(new(SearchReading.Domain, inner));
        readings.Add(new(SearchReading.Login, inner));
        readings.Add(new(SearchReading.MessageId, inner));
        return readings.DrainToImmutable();
    }
}

/// <summary>One thing that a text can be.</summary>
/// <param name="Kind">One of the words below.</param>
/// <param name="Value">As it is sought.</param>
public sealed record SearchReading(string Kind, string Value)
{
    public const string QueueId = "queue id";
    public const string Reference = "reference";
    public const string MessageId = "Message-ID";
    public const string Recipient = "recipient";
    public const string Sender = "sender";
    public const string Login = "login";
    public const string Client = "client";
    public const string Domain = "domain";

    /// <summary>The query parameter that says so; null where it leads to a page of its own.</summary>
    public string? Parameter => Kind switch
    {
        MessageId => "messageId",
        Recipient => "to",
        Sender => "from",
        Login => "login",
        Client => "client",
        Domain => "domain",
        _ => null,
    };

    /// <summary>The same search, narrowed.</summary>
    public AuditQuery Narrow(AuditQuery query) => Kind switch
    {
        MessageId => query with { MessageId = Value },
        Recipient => query with { Recipient = Value },
        Sender => query with { Sender = Value },
        Login => query with { Login = Value },
        Client => query with { Client = AuditQuery.NetworkOf(Value) },
        Domain => query with { Domain = Value },
        Reference => query with { Ref = Value },
        _ => query with { QueueId = Value },
    };
}
