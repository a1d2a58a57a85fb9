using Postern.Smtp.Replies;

namespace Postern.Smtp.Message;

/// <summary>What became of a draft.</summary>
public abstract record StoreOutcome
{
    private StoreOutcome()
    {
    }

    /// <summary>Durable, under this id; the reply is <c>250 2.0.0 Queued as id</c>.</summary>
    public sealed record Stored(string Id) : StoreOutcome;

    /// <summary>Not stored, with this 4xx or 5xx reply; nothing of the message remains.</summary>
    public sealed record Refused(Reply Reply) : StoreOutcome;
}
