using System.Collections.Immutable;
using Postern.Configuration;

namespace Postern.Hosting;

/// <summary>What compiling a configuration came to.</summary>
internal abstract record CompileOutcome
{
    private CompileOutcome()
    {
    }

    public sealed record Ready(Compiled Compiled) : CompileOutcome;

    /// <param name="Errors">All of them, at their places in the file; at least one.</param>
    /// <param name="Todo">What to do about the first.</param>
    public sealed record Broken(ImmutableArray<ConfigurationError> Errors, string Todo) : CompileOutcome;
}
