using System.Collections.Immutable;

namespace Postern.Configuration;

/// <summary>What reading a configuration came to.</summary>
internal abstract record ConfigurationOutcome
{
    private ConfigurationOutcome()
    {
    }

    public sealed record Valid(PosternConfiguration Configuration) : ConfigurationOutcome;

    /// <param name="Errors">All of them, in the order of the file; at least one.</param>
    public sealed record Invalid(ImmutableArray<ConfigurationError> Errors) : ConfigurationOutcome;
}
