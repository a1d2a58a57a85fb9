using System.Collections.Immutable;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery.Aliases;

/// <summary>Files of aliases and forwards in a directory of their own.</summary>
internal sealed class AliasRig : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public string Path(string name) => System.IO.Path.Combine(directory.Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(Path(name), text);
        return Path(name);
    }

    public AliasSource Aliases(string text, bool allowed = false) =>
        new(Write("aliases", text), AliasForm.Aliases, [Domain.Parse("here.test")]) { AllowsCommands = allowed, AllowsMailboxes = allowed };

    public AliasSource Forwards(string text) => new(Write("forwards", text), AliasForm.Forwards, [Domain.Parse("here.test")]);

    public static AliasTable Read(params AliasSource[] sources)
    {
        var load = AliasTable.Load(sources);
        Assert.Equal([], load.Problems.Select(static p => p.Words));
        return load.Table;
    }

    public static ImmutableArray<AliasProblem> Wrong(params AliasSource[] sources) => AliasTable.Load(sources).Problems;

    public void Dispose() => directory.Dispose();
}
