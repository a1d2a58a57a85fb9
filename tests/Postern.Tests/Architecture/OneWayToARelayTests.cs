using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>
/// What is served, checked, explained and tried is one thing because there is one way to it: from a configuration's text through
/// <c>Compilation</c>. Whoever puts a relay's options together by hand tries something else.
/// </summary>
public sealed class OneWayToARelayTests
{
    [Theory]
    [InlineData("EngineOptions.ToRelay", "Compiled.cs", "Configuration.ToRelay(")]
    [InlineData("RelaySnapshot.Compile", "Rehearsal.cs", "RelaySnapshot.Compile(")]
    public void The_program_makes_a_relays_options_and_snapshots_in_one_place(string what, string file, string call) =>
        Assert.Equal((what, file), (what, string.Join(", ", FilesWith(call))));

    [Fact]
    public void The_program_writes_down_no_options_of_a_relay_itself() => Assert.Empty(FilesWith("new RelayOptions"));

    private static IEnumerable<string> FilesWith(string text) =>
        from file in Directory.EnumerateFiles(SourceTree.PathOf("src/Postern"), "*.cs", SearchOption.AllDirectories)
        where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && File.ReadAllText(file).Contains(text, StringComparison.Ordinal)
        orderby Path.GetFileName(file)
        select Path.GetFileName(file);
}
