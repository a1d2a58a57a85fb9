using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Sasl;

namespace Postern.Relay.Admin;

/// <summary>What became of an operator's command. <paramref name="Message"/> is one sentence for that person; it holds no secret.</summary>
public abstract record AdminOutcome(string Message)
{
    /// <summary>What the log has of it; never a secret, nor what is stored of one.</summary>
    internal ImmutableArray<AdminChange> Changes { get; init; } = [];

    /// <summary>Something was changed, and is written down.</summary>
    internal virtual bool IsChange => false;

    /// <summary>The change is durable and counts for the next question anywhere.</summary>
    public sealed record Done(string Message) : AdminOutcome(Message)
    {
        internal override bool IsChange => true;
    }

    /// <summary>A credential was added. <paramref name="Generated"/> can be shown this once; null for a typed password.</summary>
    public sealed record Issued(string Message, CredentialDetails Credential, Secret? Generated) : AdminOutcome(Message)
    {
        internal override bool IsChange => true;
    }

    /// <summary>There is nothing of that name; the message names the nearest one that exists.</summary>
    public sealed record NotFound(string Message) : AdminOutcome(Message)
    {
        /// <summary>The account that the directory does not hold; null where something else is missing.</summary>
        public string? Account { get; init; }
    }

    /// <summary>Everything asked for was so already; nothing changed.</summary>
    public sealed record AlreadyThere(string Message) : AdminOutcome(Message);

    /// <summary>The command makes no sense as it stands; the message says what would.</summary>
    public sealed record Invalid(string Message) : AdminOutcome(Message);
}
