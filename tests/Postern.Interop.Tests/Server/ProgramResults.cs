using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>What assertions say about a program that has ended.</summary>
internal static class ProgramResults
{
    extension(ProgramResult result)
    {
        /// <summary>Both streams.</summary>
        public string Text => $"{result.Output}{result.Error}";

        public void AssertSucceeded() => Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Output}{result.Error}");
    }
}
