using Postern.Sasl;

namespace Postern.Configuration.Reading;

/// <summary>What a secret's text led to.</summary>
internal abstract record SecretOutcome
{
    private SecretOutcome()
    {
    }

    /// <param name="File">Where it stands, absolute; null for the environment.</param>
    public sealed record Found(Secret Secret, string? File) : SecretOutcome;

    public sealed record Missing(string Message) : SecretOutcome;
}
