using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>One way to keep a password.</summary>
public sealed class HashScheme
{
    private readonly MakeHash make;

    internal HashScheme(string name, string meaning, MakeHash make)
    {
        this.make = make;
        Name = name;
        Meaning = meaning;
    }

    /// <summary>The word for it in commands.</summary>
    public string Name { get; }

    /// <summary>What it is good for, as part of a sentence.</summary>
    public string Meaning { get; }

    /// <summary>What is stored is the password itself, or is enough to log in with.</summary>
    public bool IsReadable { get; init; }

    /// <summary>The realm is part of what is hashed.</summary>
    public bool NeedsRealm { get; init; }

    /// <summary>Takes from a microsecond to a tenth of a second of CPU. <paramref name="problem"/> never quotes the password.</summary>
    public bool TryHash(HashRequest request, [NotNullWhen(true)] out PasswordHash? hash, out string problem)
    {
        problem = PasswordRules.Problem(request.Password) ?? string.Empty;
        hash = problem.Length > 0 ? null : make(request, out problem);
        return hash is not null;
    }

    /// <summary>Null and a problem where it cannot be made.</summary>
    internal delegate PasswordHash? MakeHash(HashRequest request, out string problem);
}
