using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// What a rule wants done with the message when it is accepted. It decides nothing: the rules behind it are asked all the same, and a
/// message that is refused after all has no effects. As with Postfix's actions of the same names, one is of the whole message, whichever
/// recipient it was said at.
/// </summary>
internal abstract record MessageEffect
{
    private MessageEffect()
    {
    }

    /// <summary>As rules and access tables write it.</summary>
    public abstract string Said { get; }

    /// <summary>It waits in the queue until an operator releases it.</summary>
    /// <param name="Reason">For the operator.</param>
    public sealed record Hold(string Reason) : MessageEffect
    {
        /// <summary>The name of the rule that said so.</summary>
        public string? Rule { get; init; }

        public override string Said => "hold";
    }

    /// <summary>A field goes before those that the message came with.</summary>
    /// <param name="Field">Name, colon and text, printable US-ASCII, without a line end.</param>
    public sealed record Prepend(string Field) : MessageEffect
    {
        public override string Said => $"prepend {Field}";
    }

    /// <summary>It goes to one recipient more, whom no report names.</summary>
    public sealed record Copy(Mailbox To) : MessageEffect
    {
        public override string Said => $"bcc {To}";
    }

    /// <summary>Its From field names this address; what it said of the author before goes into Reply-To, unless it has one.</summary>
    public sealed record Author(Mailbox Address) : MessageEffect
    {
        public override string Said => $"rewrite_header_from {Address}";
    }

    /// <summary>Its reverse-path is this address: who hears of failures. A null sender stays.</summary>
    public sealed record Sender(Mailbox Address) : MessageEffect
    {
        public override string Said => $"rewrite_sender {Address}";
    }

    /// <summary>It is this tenant's, whatever the account says.</summary>
    public sealed record Tenant(string Name) : MessageEffect
    {
        public override string Said => $"tenant {Name}";
    }

    /// <summary>It goes to this recipient, and to none of those whom the client named.</summary>
    public sealed record Redirect(Mailbox To) : MessageEffect
    {
        public override string Said => $"redirect {To}";
    }
}
