namespace Postern.Relay.Accounts.Protection;

/// <summary>Events that wait until the gate is open again; most often none.</summary>
internal struct ProtectionNews
{
    private List<(string What, string Detail)>? all;

    public readonly IReadOnlyList<(string What, string Detail)> All => all ?? (IReadOnlyList<(string, string)>)[];

    public void Add(string what, string detail) => (all ??= []).Add((what, detail));
}
