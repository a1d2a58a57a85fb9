using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// Asks the server that mail for a recipient would go to whether it takes mail for it, and sends none. It may be asked from any thread.
/// </summary>
internal interface IRecipientProbe
{
    ValueTask<ProbeAnswer> AskAsync(Mailbox recipient, CancellationToken ct);
}

/// <summary>What a server says of a recipient.</summary>
/// <param name="Saw">For people: who was asked, and what was said.</param>
internal abstract record ProbeAnswer(string Saw)
{
    /// <summary>It takes mail for it.</summary>
    public sealed record Known(string Saw) : ProbeAnswer(Saw);

    /// <summary>It refuses it for good.</summary>
    public sealed record Unknown(string Saw) : ProbeAnswer(Saw);

    /// <summary>Nobody could be asked, or does not say now.</summary>
    public sealed record Unavailable(string Saw) : ProbeAnswer(Saw);
}
