namespace Postern.Relay.Accounts;

/// <summary>One entry of <c>accounts</c>: where logins are kept.</summary>
/// <param name="Uri"><c>directory</c>, or a URI whose scheme names the kind of store.</param>
/// <param name="Realm">The realm for which DIGEST-MD5 secrets are kept there.</param>
public sealed record AccountSource(string Uri, string Realm)
{
    /// <summary>Weak stored forms stay when their users log in: another program reads them too.</summary>
    public bool KeepsWeakForms { get; init; }

    /// <summary>Where the directory's database is, for questions before it is open; null where nobody asks them.</summary>
    public string? Database { get; init; }
}
