using Postern.Relay.Admin;

namespace Postern.Commands.Output;

/// <summary>What a command that changes the directory prints with <c>--json</c>.</summary>
/// <param name="Outcome"><c>done</c>, <c>alreadyThere</c>, <c>notFound</c> or <c>invalid</c>.</param>
/// <param name="Credential">What was added, by <c>credential add</c> only.</param>
/// <param name="Secret">The generated secret, this once.</param>
internal sealed record OutcomeDocument(bool Ok, string Outcome, string Message, CredentialDetails? Credential, string? Secret)
{
    /// <summary>Sessions of a running server that ended with what was taken away; null where no server runs, or it could not be asked.</summary>
    public int? SessionsEnded { get; init; }
}
